/** What went wrong, and what to do about it, in one place on the page. */

import { byId, element } from "./dom.js";

/** @param {string} heading @param {string} text */
export function showMessage(heading, text) {
  const close = element("button", { type: "button", class: "close", "aria-label": "Close", click: clearMessage }, "×");
  byId("message").replaceChildren(
    element("div", { class: "notice" }, element("div", {}, element("strong", {}, heading), element("p", {}, text)), close),
  );
}

export function clearMessage() {
  byId("message").replaceChildren();
}

/** Words for what `getUserMedia` throws. @param {unknown} error @returns {[string, string]} */
export function cameraTrouble(error) {
  const name = error instanceof Error ? error.name : "";
  if (!window.isSecureContext) {
    return [
      "The camera needs a secure page",
      "Browsers give the camera only to pages opened with https, or at http://localhost. Photos and videos work here.",
    ];
  }
  if (name === "NotAllowedError") {
    return [
      "The camera is not allowed",
      "Allow it for this page, with the icon next to the address, and start again. Photos and videos work without it.",
    ];
  }
  if (name === "NotFoundError" || name === "OverconstrainedError") {
    return ["There is no camera", "Connect one and start again, or choose photos or videos."];
  }
  if (name === "NotReadableError" || name === "AbortError") {
    return ["The camera is in use", "Another program or page has it. Close that, then start again."];
  }
  return ["The camera does not start", error instanceof Error ? error.message : "The browser does not say why."];
}
