// Cards of people, replaced several times a second; see camera.py.
export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const list = parentElement.querySelector(".mien-people");
  const memory = (parentElement.mien ??= { opened: new Set(), hover: "" });
  const numberOf = (target) => target.closest?.("[data-number]")?.dataset.number ?? "";
  const focused = list.contains(document.activeElement) ? numberOf(document.activeElement) : "";
  list.innerHTML = data.html;
  for (const details of list.querySelectorAll("details")) {
    details.open = memory.opened.has(details.dataset.number);
    details.ontoggle = () => memory.opened[details.open ? "add" : "delete"](details.dataset.number);
    if (focused === details.dataset.number) details.querySelector("summary").focus({ preventScroll: true });
  }
  const hover = (number) => {
    if (number === memory.hover) return;
    memory.hover = number;
    setStateValue("hover", number);
  };
  list.onmouseover = (event) => hover(numberOf(event.target));
  list.onmouseleave = () => hover("");
  list.onfocusin = (event) => hover(numberOf(event.target));
}
