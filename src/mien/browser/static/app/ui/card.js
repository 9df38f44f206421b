/**
 * A face in words and bars, and, where it is followed through time, what it showed during the last half minute.
 *
 * @import {Face, Settings} from "../engine/types.js"
 */

import { Bars } from "./bars.js";
import { describe, disagreement, element } from "./dom.js";
import { drawStrip } from "./strip.js";

const COLUMNS = 120;

export class FaceCard {
  /**
   * @param {Settings} settings
   * @param {string} name `Face 2`, `Person 1`.
   * @param {{followed?: boolean, thumbnail?: HTMLElement | null}} [options]
   */
  constructor(settings, name, { followed = false, thumbnail = null } = {}) {
    this.settings = settings;
    this.bars = new Bars(settings.labels);
    this.answer = element("strong");
    this.name = element("small", {}, name);
    // An ambiguity is that of one picture; answers over time come from several.
    this.others = followed ? null : element("p", { class: "others" });
    this.marks = element("div", { class: "marks" });
    this.strip = followed ? element("canvas", { class: "strip", role: "img", "aria-label": `What ${name} showed lately` }) : null;
    const scale = element("div", { class: "scale" }, element("span", {}, "30 s ago"), element("span", {}, "now"));
    this.root = element(
      "section",
      { class: "card", "aria-label": name },
      element("header", {}, thumbnail, element("div", {}, this.name, this.answer)),
      this.bars.root,
      this.strip,
      followed ? scale : null,
      this.others,
      this.marks,
    );
  }

  /**
   * @param {Face} face
   * @param {number} [awayS] Seconds since it was last seen.
   */
  update(face, awayS = 0) {
    this.root.dataset.emotion = face.emotion;
    this.root.classList.toggle("away", awayS > 0);
    this.answer.textContent = awayS > 1 ? `out of sight, last ${face.emotion}` : describe(face);
    this.bars.update(face.smoothed ?? face.probabilities, face.emotion);
    if (this.others) this.others.textContent = disagreement(face);
    const marks = face.uncertain ? ["not sure enough to rely on"] : [];
    marks.push(...face.quality.map((code) => this.settings.quality.words[code]));
    const text = marks.join("\n");
    if (this.marks.dataset.text === text) return;
    this.marks.dataset.text = text;
    this.marks.replaceChildren(...marks.map((mark) => element("span", { class: "mark" }, mark)));
  }

  /** @param {import("../data/history.js").History} history @param {number} track */
  updateStrip(history, track) {
    const { labels, colors } = this.settings;
    if (this.strip) drawStrip(this.strip, history.columns(track, COLUMNS), labels.map((label) => colors[label]));
  }
}
