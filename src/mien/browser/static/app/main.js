/**
 * The page: what people can do, and what is shown then.
 *
 * @import {FrameResult, Settings} from "./engine/types.js"
 */

import { toCsv } from "./data/table.js";
import { photoTrouble, sortFiles } from "./files.js";
import { Reader } from "./reader.js";
import { closeCamera, facesUser, listCameras, openCamera } from "./ui/camera.js";
import { byId, counted, element, save } from "./ui/dom.js";
import { cameraTrouble, clearMessage, showMessage } from "./ui/messages.js";
import { PhotoView } from "./ui/photo.js";
import { sessionView } from "./ui/session.js";
import { StreamView } from "./ui/stream.js";

const place = new URL(`${document.documentElement.dataset.place}/`, document.baseURI).href;
const work = byId("work");
const chooser = /** @type {HTMLInputElement} */ (byId("chooser"));
const reader = new Reader(new URL("app/worker.js", place));
/** @type {Settings} */
const settings = await (await fetch(new URL("settings.json", place))).json();

/** @type {StreamView | null} */
let stream = null;
/** @type {MediaStream | null} */
let camera = null;
let leaving = new AbortController();
/** @type {string[]} Addresses of opened files, given back when what shows them goes. */
let addresses = [];

/** @param {"home" | "camera" | "video" | "photos" | "session"} mode @param {HTMLElement} [content] */
function show(mode, content) {
  document.documentElement.dataset.mode = mode;
  byId("home").hidden = mode !== "home";
  work.hidden = mode === "home";
  work.replaceChildren(...(content ? [content] : []));
  for (const button of document.querySelectorAll("nav [data-action]")) {
    const current = button.getAttribute("data-action") === (mode === "camera" ? "camera" : mode === "photos" || mode === "video" ? "files" : "");
    button.setAttribute("aria-pressed", String(current));
  }
  window.scrollTo({ top: 0 });
  // The back button, or the gesture of a phone, leads back to the start rather than off the page, which forgets everything.
  if (mode !== "home" && !history.state?.inside) history.pushState({ inside: true }, "");
}

/** End what runs, without a summary. @returns {AbortSignal} Says when what is begun now has been left in turn. */
function leave() {
  leaving.abort();
  leaving = new AbortController();
  clearMessage();
  if (stream) stream.running = false;
  stream?.video.pause();
  stream = null;
  if (camera) closeCamera(camera);
  camera = null;
  for (const address of addresses) URL.revokeObjectURL(address);
  addresses = [];
  return leaving.signal;
}

/** What stands in for a camera or a video before its first picture. @param {string} heading @param {string} text */
function waiting(heading, text) {
  return element("div", { class: "notice waiting", role: "status" }, element("div", {}, element("strong", {}, heading), element("p", {}, text)));
}

/** Wait for the networks. @param {AbortSignal} signal @returns {Promise<boolean>} Whether to go on. */
async function isReady(signal) {
  try {
    await opened;
  } catch (error) {
    if (!signal.aborted) loadTrouble(error);
    return false;
  }
  return !signal.aborted;
}

/** @param {unknown} error */
function loadTrouble(error) {
  leave();
  show("home");
  showMessage("The page could not load", `${error instanceof Error ? error.message : error}. Reload it, or try another browser.`);
}

/** @param {Blob} file */
function addressOf(file) {
  const address = URL.createObjectURL(file);
  addresses.push(address);
  return address;
}

/** @param {string} [deviceId] */
async function startCamera(deviceId) {
  const signal = leave();
  show("camera", waiting("Starting the camera …", "Allow this page to use it when the browser asks."));
  try {
    const answer = await openCamera(deviceId);
    // Something else was begun while the browser asked for permission: no camera stays on unseen.
    if (signal.aborted) return closeCamera(answer);
    camera = answer;
    if (!(await isReady(signal))) return;
    stream = new StreamView(settings, reader, {
      name: "camera",
      mirrored: facesUser(camera),
      isCamera: true,
      signal,
      onEnd: (session) => {
        leave();
        show("session", sessionView(settings, session, { title: "What the camera saw", again: "Start again", onAgain: () => startCamera() }));
        byId("session-title").focus();
      },
    });
    camera.getVideoTracks()[0]?.addEventListener("ended", () => stream?.stop());
    show("camera", stream.root);
    await stream.start(camera);
    if (!signal.aborted) await offerCameras(stream, deviceId);
  } catch (error) {
    if (signal.aborted) return;
    leave();
    show("home");
    showMessage(...cameraTrouble(error));
  }
}

/** A chooser, where there are several cameras. @param {StreamView} view @param {string} [deviceId] */
async function offerCameras(view, deviceId) {
  const cameras = await listCameras();
  if (cameras.length < 2) return;
  const current = deviceId ?? camera?.getVideoTracks()[0]?.getSettings().deviceId;
  const options = cameras.map((device, i) =>
    element("option", { value: device.deviceId, selected: device.deviceId === current }, device.label || `Camera ${i + 1}`),
  );
  const change = (/** @type {Event} */ event) => startCamera(/** @type {HTMLSelectElement} */ (event.target).value);
  view.bar.append(element("select", { "aria-label": "Camera", change }, ...options));
}

/** @param {File} file */
async function startVideo(file) {
  const signal = leave();
  show("video", waiting(`Opening ${file.name} …`, "It is read while it plays."));
  if (!(await isReady(signal))) return;
  try {
    stream = new StreamView(settings, reader, {
      name: file.name,
      mirrored: false,
      isCamera: false,
      signal,
      onEnd: (session) => {
        leave();
        show("session", sessionView(settings, session, { title: file.name, again: "Watch again", onAgain: () => startVideo(file) }));
        byId("session-title").focus();
      },
    });
    show("video", stream.root);
    await stream.start(addressOf(file));
  } catch {
    if (signal.aborted) return;
    leave();
    show("home");
    showMessage(`${file.name} cannot be played`, "It is damaged, or of a kind that this browser does not know. MP4 (H.264) and WebM work nearly everywhere.");
  }
}

/** @param {File[]} files */
async function readPhotos(files) {
  const signal = leave();
  /** @type {FrameResult[]} */
  const results = [];
  const facts = element("p", { role: "status" });
  const table = element(
    "button",
    { type: "button", class: "button", disabled: true, click: () => save(new Blob([toCsv(results, settings.columns.photo)], { type: "text/csv" }), "mien-photos.csv") },
    "Table (CSV)",
  );
  const title = element("h1", { tabindex: "-1" }, files.length > 1 ? "Photos" : "Photo");
  const views = files.map((file) => new PhotoView(settings, file.name, addressOf(file)));
  const list = element("div", { class: "photos" }, ...views.map(({ root }) => root));
  show("photos", element("div", {}, element("header", { class: "heading" }, element("div", {}, title, facts), table), list));
  title.focus();
  facts.textContent = "loading the networks";
  if (!(await isReady(signal))) return;
  for (const [i, file] of files.entries()) {
    if (signal.aborted) return;
    facts.textContent = `reading ${i + 1} of ${files.length}`;
    try {
      const result = await reader.photo(file, file.name);
      results.push(result);
      views[i].show(result);
    } catch (error) {
      views[i].fail(photoTrouble(file, /** @type {Error} */ (error)));
    }
  }
  const faces = results.reduce((sum, { faces }) => sum + faces.length, 0);
  const unread = files.length - results.length;
  facts.textContent = `${counted(faces, "face")} in ${counted(results.length, "picture")}${unread ? `, ${unread} could not be read` : ""}`;
  table.disabled = !results.length;
}

/** @param {Iterable<File>} files */
function openFiles(files) {
  const { photos, videos, others } = sortFiles(files);
  if (photos.length) void readPhotos(photos);
  else if (videos.length) void startVideo(videos[0]);
  if (others.length) {
    showMessage(`${others[0].name} is neither a picture nor a video`, "JPEG, PNG and WebP pictures, MP4 and WebM videos can be read here.");
  } else if (videos.length > (photos.length ? 0 : 1)) {
    showMessage("One video at a time", photos.length ? "The photos are read first; open the video after them." : `${videos[0].name} is read; open the others after it.`);
  }
}

function goHome() {
  leave();
  show("home");
}

/** Load the networks, with the sample standing in for what is to come. */
async function open() {
  const view = new PhotoView(settings, "Eileen Collins, NASA (public domain)", new URL("sample.jpg", place).href);
  view.frame.append(element("progress", { "aria-label": "Loading the networks", max: "1", value: "0" }));
  const bar = view.frame.querySelector("progress");
  reader.onProgress = (loaded) => {
    if (bar) bar.value = Math.min(0.97, loaded / settings.limits.download);
  };
  byId("sample").replaceChildren(view.root);
  await reader.open(settings, place);
  bar?.remove();
  document.documentElement.dataset.ready = "";
  view.show(await reader.photo(await (await fetch(new URL("sample.jpg", place))).blob(), "sample.jpg"));
}

for (const button of document.querySelectorAll("[data-action]")) {
  button.addEventListener("click", () => (button.getAttribute("data-action") === "camera" ? startCamera() : chooser.click()));
}
byId("brand").addEventListener("click", (event) => {
  event.preventDefault();
  goHome();
});
window.addEventListener("popstate", ({ state }) => {
  // The link that skips to the content makes an entry too.
  if (state?.inside || location.hash === "#main") return;
  if (stream?.running) stream.stop();
  else goHome();
});
chooser.addEventListener("change", () => {
  openFiles([...(chooser.files ?? [])]);
  chooser.value = "";
});

const drop = byId("drop");
let depth = 0;
for (const name of ["dragenter", "dragleave", "dragover", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    depth += name === "dragenter" ? 1 : name === "dragleave" ? -1 : 0;
    if (name === "drop") depth = 0;
    drop.classList.toggle("over", depth > 0);
  });
}
document.addEventListener("drop", (event) => openFiles(event.dataTransfer?.files ?? []));
document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (files.length) openFiles(files);
});

document.addEventListener("keydown", (event) => {
  if (!stream || event.ctrlKey || event.metaKey || event.altKey) return;
  const { target } = event;
  if (target instanceof HTMLElement && target.closest("select, input, textarea")) return;
  // Upper or lower case: Caps Lock is no reason to ignore a key.
  const key = event.key.toLowerCase();
  if (key === "escape" || key === "q") stream.stop();
  else if (key === "s") stream.savePicture();
  else if (key === "a") stream.toggleBars();
  else if (key === " " && !(target instanceof HTMLButtonElement || target instanceof HTMLVideoElement)) {
    event.preventDefault();
    stream.togglePause();
  }
});

byId("about").textContent = `mien ${settings.version} with the model ${settings.model.name}`;
const opened = open();
opened.catch(loadTrouble);

if ("serviceWorker" in navigator && window.isSecureContext) {
  navigator.serviceWorker.register("sw.js").then(
    () => navigator.serviceWorker.ready.then(() => (byId("offline").textContent = "It is ready for use without a network.")),
    () => {},
  );
}
