/**
 * A photo with its boxes, and a card for each face.
 *
 * @import {FrameResult, Settings} from "../engine/types.js"
 */

import { FaceCard } from "./card.js";
import { counted, element, save } from "./dom.js";
import { drawFaces, drawOverlay } from "./overlay.js";

export class PhotoView {
  /**
   * @param {Settings} settings
   * @param {string} name
   * @param {string} address Of the picture, for an img element.
   */
  constructor(settings, name, address) {
    this.settings = settings;
    this.name = name;
    /** @type {FrameResult | null} */
    this.result = null;
    this.marked = -1;
    this.image = element("img", { src: address, alt: `The photo ${name}` });
    this.overlay = element("canvas", { class: "overlay", "aria-hidden": "true" });
    this.frame = element("div", { class: "frame" }, this.image, this.overlay);
    this.caption = element("figcaption", {}, element("span", {}, name), element("small", {}, "reading …"));
    this.cards = element("div", { class: "cards" });
    this.figure = element("figure", { class: "picture reading" }, this.frame, this.caption);
    this.root = element("article", { class: "photo", "aria-label": name }, this.figure, this.cards);
    new ResizeObserver(() => this.draw()).observe(this.overlay);
  }

  /** @param {FrameResult} result */
  show(result) {
    this.result = result;
    this.figure.classList.remove("reading");
    const count = result.faces.length;
    this.root.classList.toggle("many", count > 2);
    const button = element("button", { type: "button", class: "button small", click: () => this.savePicture() }, "Save picture");
    this.caption.replaceChildren(
      element("span", {}, this.name),
      element("small", {}, count ? counted(count, "face") : "no face found"),
      count ? button : "",
    );
    this.cards.replaceChildren(
      ...result.faces.map((face, i) => {
        const card = new FaceCard(this.settings, count > 1 ? `Face ${i + 1}` : "Face", { thumbnail: this.thumbnail(face.box) });
        card.update(face);
        for (const [event, marked] of /** @type {[string, number][]} */ ([["pointerenter", i], ["pointerleave", -1]])) {
          card.root.addEventListener(event, () => {
            this.marked = count > 1 ? marked : -1;
            this.draw();
          });
        }
        return card.root;
      }),
    );
    if (!count) {
      this.cards.append(
        element("div", { class: "notice" }, element("div", {}, element("strong", {}, "No face found"),
          element("p", {}, "Faces of about 10 pixels and more are found, turned by up to a third of a right angle."))),
      );
    }
    this.draw();
  }

  /** @param {string} reason */
  fail(reason) {
    this.figure.classList.remove("reading");
    this.caption.replaceChildren(element("span", {}, this.name), element("small", {}, reason));
    this.image.remove();
  }

  draw() {
    if (this.result) drawOverlay(this.overlay, this.result, this.settings.colors, { marked: this.marked });
  }

  /** @param {import("../engine/types.js").Box} box */
  thumbnail([x, y, w, h]) {
    const canvas = element("canvas", { class: "thumbnail", width: "104", height: "104", "aria-hidden": "true" });
    const side = Math.max(w, h);
    const draw = () =>
      canvas.getContext("2d")?.drawImage(this.image, x + (w - side) / 2, y + (h - side) / 2, side, side, 0, 0, 104, 104);
    if (this.image.complete) draw();
    else this.image.addEventListener("load", draw, { once: true });
    return canvas;
  }

  savePicture() {
    const { result } = this;
    if (!result) return;
    const canvas = element("canvas", { width: String(result.width), height: String(result.height) });
    const context = canvas.getContext("2d");
    if (!context) return;
    context.drawImage(this.image, 0, 0, result.width, result.height);
    const unit = Math.max(1, Math.max(result.width, result.height) / 900);
    drawFaces(context, result, this.settings.colors, unit);
    canvas.toBlob((blob) => blob && save(blob, `${this.name.replace(/\.[^.]*$/, "")}-mien.png`), "image/png");
  }
}
