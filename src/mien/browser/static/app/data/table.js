/**
 * Tables as CSV, with the columns that the command line writes; see `mien.tables` and `mien.video.rows` in Python.
 *
 * @import {Face, FrameResult} from "../engine/types.js"
 */

/**
 * @param {FrameResult[]} results
 * @param {string[]} columns
 * @returns {string}
 */
export function toCsv(results, columns) {
  const lines = [columns.join(",")];
  for (const result of results) {
    const frame = { source: result.source, time_s: result.time_s, frame: result.frame };
    if (!result.faces.length) lines.push(line(frame, columns));
    result.faces.forEach((face, i) => lines.push(line({ ...frame, face: i + 1, ...faceValues(face) }, columns)));
  }
  return `${lines.join("\r\n")}\r\n`;
}

/** @param {Face} face @returns {Record<string, unknown>} */
function faceValues(face) {
  const [x, y, width, height] = face.box;
  const { score, emotion, confidence, uncertain, ambiguity, track, confirmed } = face;
  /** @type {Record<string, unknown>} */
  const values = { x, y, width, height, score, emotion, confidence, uncertain, ambiguity, track, confirmed };
  values.quality = face.quality.join(" ");
  // In tables of photos nothing is smoothed, and the probabilities have the names of the emotions.
  for (const [label, value] of Object.entries(face.probabilities)) values[label] = values[`raw_${label}`] = value;
  for (const [label, value] of Object.entries(face.smoothed ?? {})) values[`smoothed_${label}`] = value;
  return values;
}

/** @param {Record<string, unknown>} values @param {string[]} columns */
function line(values, columns) {
  return columns.map((column) => cell(values[column])).join(",");
}

/** @param {unknown} value */
function cell(value) {
  if (value === undefined || value === null) return "";
  // As Python writes them, so that one program reads both.
  if (typeof value === "boolean") return value ? "True" : "False";
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
