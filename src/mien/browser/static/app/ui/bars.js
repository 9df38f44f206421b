/** A bar for each emotion, always in the same order so that the eye finds it again. */

import { element, percent } from "./dom.js";

export class Bars {
  /** @param {string[]} labels */
  constructor(labels) {
    this.rows = labels.map((label) => {
      const fill = element("b", { "data-emotion": label });
      const value = element("em", {}, "0%");
      const row = element("div", { class: "bar", "data-emotion": label }, element("span", {}, label), element("i", {}, fill), value);
      return { label, fill, value, row };
    });
    this.root = element("div", { class: "bars" }, ...this.rows.map(({ row }) => row));
  }

  /** @param {Record<string, number>} probabilities @param {string} shown The emotion to highlight. */
  update(probabilities, shown) {
    for (const { label, fill, value, row } of this.rows) {
      const share = probabilities[label];
      fill.style.setProperty("--share", share.toFixed(4));
      value.textContent = percent(share);
      row.classList.toggle("shown", label === shown);
    }
  }
}
