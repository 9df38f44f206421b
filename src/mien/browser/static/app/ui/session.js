/**
 * What a camera session or a video left behind.
 *
 * @import {Session} from "../data/session.js"
 * @import {Settings} from "../engine/types.js"
 */

import { columns } from "../data/history.js";
import { LONGEST_STEP_S } from "../data/session.js";
import { toCsv } from "../data/table.js";
import { clock, counted, element, percent, save } from "./dom.js";
import { drawStrip } from "./strip.js";

const COLUMNS = 240;

/**
 * @param {Settings} settings
 * @param {Session} session
 * @param {{title: string, again: string, onAgain: () => void}} words
 * @returns {HTMLElement}
 */
export function sessionView(settings, session, { title, again, onAgain }) {
  const everyone = session.people().sort((a, b) => b.totalS - a.totalS);
  const people = everyone.filter(({ confirmed }) => confirmed);
  const name = `${session.source.replace(/\.[^.]*$/, "") || "camera"}-mien.csv`;
  const table = () => save(new Blob([toCsv(session.results, settings.columns.video)], { type: "text/csv" }), name);
  const facts = [clock(session.durationS), counted(people.length, "person", "people"), counted(session.results.length, "frame")];
  const passing = everyone.length - people.length;
  if (passing) facts.push(`${counted(passing, "more face", "more faces")} too short or doubtful`);
  const root = element(
    "section",
    { class: "session", "aria-labelledby": "session-title" },
    element(
      "header",
      {},
      element("div", {}, element("h1", { id: "session-title", tabindex: "-1" }, title), element("p", {}, facts.join(" · "))),
      element(
        "div",
        { class: "actions" },
        element("button", { type: "button", class: "button primary", click: table }, "Table (CSV)"),
        element("button", { type: "button", class: "button", click: onAgain }, again),
      ),
    ),
    ...people.map((person) => personView(settings, session, person)),
  );
  if (!people.length) {
    root.append(element("div", { class: "notice" }, element("div", {}, element("strong", {}, "Nobody was seen long enough"),
      element("p", {}, "Half a second of a clear face is needed. The table has a row for each frame all the same."))));
  }
  return root;
}

/** @param {Settings} settings @param {Session} session @param {import("../data/session.js").PersonSummary} person */
function personView(settings, session, person) {
  const { labels, colors, history } = settings;
  const shares = labels
    .map((label) => ({ label, share: person.totalS ? person.seconds[label] / person.totalS : 0 }))
    .filter(({ share }) => share >= 0.005);
  const strip = element("canvas", { class: "strip", role: "img", "aria-label": `What person ${person.track} showed over time` });
  const startS = session.results[0]?.time_s ?? 0;
  const spanS = Math.max(session.durationS, 1);
  const values = columns(session.samples(person.track), startS + spanS, spanS, COLUMNS, Math.max(history.bridged_s, LONGEST_STEP_S, spanS / COLUMNS));
  new ResizeObserver(() => drawStrip(strip, values, labels.map((label) => colors[label]))).observe(strip);
  const legend = [...shares].sort((a, b) => b.share - a.share).map(({ label, share }) => {
    const dot = element("i", { "data-emotion": label });
    return element("span", {}, dot, `${label} ${percent(share)} (${person.seconds[label].toFixed(1)} s)`);
  });
  const doubt = person.totalS ? person.uncertainS / person.totalS : 0;
  const seen = `seen for ${person.totalS.toFixed(1)} s, uncertain for ${percent(doubt)} of that`;
  return element(
    "section",
    { class: "card person", "aria-label": `Person ${person.track}` },
    element("header", {}, element("div", {}, element("strong", {}, `Person ${person.track}`), element("small", {}, seen))),
    strip,
    element("div", { class: "scale" }, element("span", {}, clock(startS)), element("span", {}, clock(startS + spanS))),
    element("div", { class: "legend" }, ...legend),
  );
}
