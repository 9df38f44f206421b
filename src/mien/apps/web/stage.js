// The stage of the page Live; see camera.py.
const INNER_STYLE = `
  html, body, #root { margin: 0; background: transparent !important; }
  #root *:not(video):not(:has(video)) { display: none !important; }
  video { display: block; width: 100%; border-radius: 14px; }
`;
const START_WITHIN_MS = 12000;

const frameDocument = () => {
  const frame = [...document.querySelectorAll("iframe")].find((each) => (each.title || "").includes("webrtc"));
  try { return frame ? frame.contentDocument : null; } catch { return null; }
};

const wordOf = (error) => {
  if (/NotAllowed|Security|denied/i.test(error)) return "denied";
  if (/NotFound|Overconstrained/i.test(error)) return "absent";
  if (/NotReadable|TrackStart|Abort|Could not start/i.test(error)) return "busy";
  return /secure/i.test(error) ? "insecure" : "failed";
};

export default function (component) {
  const { data, parentElement } = component;
  const find = (selector) => parentElement.querySelector(selector);
  const place = find(".mien-stage"), bar = find(".mien-stream-bar");
  const heading = find("h2"), text = find(".mien-stage p"), start = find(".mien-start"), stop = find(".mien-stop");
  const label = find("label"), select = find("select");
  // What is kept from one run of the page to the next.
  const memory = (parentElement.mien ??= { trouble: "", startedAt: 0 });

  const show = () => {
    const playing = data.state === "playing";
    const starting = !playing && !memory.trouble && (data.state === "connecting" || memory.startedAt > 0);
    document.body.dataset.mienStream = playing ? "on" : "off";
    place.hidden = playing;
    bar.hidden = !playing && data.state !== "connecting";
    if (memory.trouble) {
      const [words, sentence] = data.messages[memory.trouble];
      heading.textContent = words;
      const port = location.port ? `:${location.port}` : "";
      text.textContent = sentence.replace("{address}", `http://localhost${port}`);
      place.setAttribute("role", "alert");
    } else {
      heading.textContent = starting ? "Starting the camera …" : "See what a face shows";
      text.textContent = starting
        ? "Allow this page to use it when the browser asks."
        : "Every face in the picture gets a box and a card, while you watch. Pictures go to the program that serves "
          + "this page and nowhere else; nothing is stored.";
      place.removeAttribute("role");
    }
    start.textContent = memory.trouble ? "Try again" : starting ? "Starting …" : "Start";
    start.disabled = starting || memory.trouble === "insecure";
  };

  const fail = (word) => { memory.trouble = word; memory.startedAt = 0; show(); };

  const press = (inner, name) => {
    const button = [...inner.querySelectorAll("button")].find((each) => each.textContent.trim() === name);
    if (button && !button.disabled) button.click();
    return Boolean(button && !button.disabled);
  };

  start.onclick = async () => {
    memory.trouble = "";
    if (!window.isSecureContext || !navigator.mediaDevices) { fail("insecure"); return; }
    memory.startedAt = performance.now();
    memory.pressed = false;
    memory.dismissed = frameDocument()?.querySelector(".MuiAlert-root")?.textContent ?? "";
    show();
    const devices = await navigator.mediaDevices.enumerateDevices();
    if (!devices.some((device) => device.kind === "videoinput")) fail("absent");
  };
  stop.onclick = () => { const inner = frameDocument(); if (inner) press(inner, "Stop"); };
  select.onchange = () => {
    const inner = frameDocument()?.querySelector("select");
    if (!inner) return;
    const setter = Object.getOwnPropertyDescriptor(inner.ownerDocument.defaultView.HTMLSelectElement.prototype, "value");
    setter.set.call(inner, select.value);
    inner.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const look = () => {
    const inner = frameDocument();
    if (!inner || !inner.head) return;
    if (!inner.getElementById("mien")) {
      const style = inner.createElement("style");
      style.id = "mien";
      style.textContent = INNER_STYLE;
      inner.head.append(style);
    }
    if (memory.startedAt && !memory.trouble) {
      memory.pressed = memory.pressed || press(inner, "Start");
      const error = inner.querySelector(".MuiAlert-root")?.textContent ?? "";
      if (memory.pressed && /Error/.test(error) && error !== memory.dismissed) fail(wordOf(error));
      else if (!memory.pressed && performance.now() - memory.startedAt > START_WITHIN_MS) fail("failed");
    }
    const cameras = inner.querySelector("select");
    label.hidden = !cameras;
    if (cameras && cameras.options.length !== select.options.length) {
      select.replaceChildren(...[...cameras.options].map((option) => new Option(option.text, option.value)));
    }
    if (cameras && document.activeElement !== select) select.value = cameras.value;
  };

  if (data.state === "playing") { memory.startedAt = 0; memory.trouble = ""; }
  if (!window.isSecureContext || !navigator.mediaDevices) memory.trouble = "insecure";
  show();
  look();
  const timer = setInterval(look, 200);
  return () => clearInterval(timer);
}
