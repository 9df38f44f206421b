/**
 * Looking for faces where they are expected, which is quicker than looking everywhere; see `mien.tracking.search` in
 * Python.
 *
 * @import {Detector} from "./detector.js"
 * @import {DetectedFace, Picture, Settings} from "./types.js"
 *
 * @typedef {[number, number, number, number]} Region Left, top, right and bottom in whole pixels.
 */

import { clamp, cut, roundEven } from "./pixels.js";
import { resizeArea } from "./resize.js";

/**
 * Look for faces around where they are expected.
 *
 * @param {Detector} detector
 * @param {Picture} frame
 * @param {DetectedFace[]} expected
 * @param {Settings["search"]} settings
 * @returns {Promise<DetectedFace[] | null>} Best score first; null where it is not certain that these are all.
 */
export async function searchNear(detector, frame, expected, settings) {
  if (!expected.length) return null;
  const regions = merge(expected.map((face) => around(face, frame, settings.around)));
  const largest = Math.max(...expected.map(({ box }) => Math.max(box[2], box[3])));
  const scale = Math.min(1, settings.face_side / Math.max(1, largest));
  const area = regions.reduce((sum, [left, top, right, bottom]) => sum + (right - left) * (bottom - top), 0);
  const shrunk = Math.min(1, detector.settings.max_side / Math.max(frame.width, frame.height));
  if (scale ** 2 * area > settings.worth * frame.width * frame.height * shrunk ** 2) return null;
  /** @type {DetectedFace[]} */
  const found = [];
  for (const region of regions) found.push(...(await look(detector, frame, region, scale)));
  found.sort((a, b) => b.score - a.score);
  return found.length >= expected.length ? found : null;
}

/** @param {DetectedFace} face @param {Picture} frame @param {number} reach Side of the square, in sizes of the face. @returns {Region} */
function around({ box: [left, top, width, height] }, frame, reach) {
  const half = (reach / 2) * Math.max(width, height);
  const x = left + width / 2;
  const y = top + height / 2;
  return [
    clamp(Math.floor(x - half), 0, frame.width - 1),
    clamp(Math.floor(y - half), 0, frame.height - 1),
    clamp(Math.ceil(x + half), 1, frame.width),
    clamp(Math.ceil(y + half), 1, frame.height),
  ];
}

/** Regions that overlap become one around both, so that no face is found twice or cut in two. @param {Region[]} regions */
function merge(regions) {
  /** @type {Region[]} */
  let merged = [];
  for (const one of regions) {
    let region = one;
    for (;;) {
      const touching = merged.filter((other) => touch(region, other));
      if (!touching.length) break;
      merged = merged.filter((other) => !touching.includes(other));
      for (const [left, top, right, bottom] of touching) {
        region = [
          Math.min(region[0], left),
          Math.min(region[1], top),
          Math.max(region[2], right),
          Math.max(region[3], bottom),
        ];
      }
    }
    merged.push(region);
  }
  return merged;
}

/** @param {Region} a @param {Region} b */
function touch(a, b) {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}

/** @param {Detector} detector @param {Picture} frame @param {Region} region @param {number} scale @returns {Promise<DetectedFace[]>} */
async function look(detector, frame, [left, top, right, bottom], scale) {
  const part = cut(frame, left, top, right - left, bottom - top);
  const width = Math.max(1, roundEven(part.width * scale));
  const height = Math.max(1, roundEven(part.height * scale));
  const found = await detector.detect(scale === 1 ? part : resizeArea(part, width, height), true);
  const across = part.width / width;
  const down = part.height / height;
  return found.map(({ box: [x, y, w, h], ...rest }) => ({
    ...rest,
    box: [left + x * across, top + y * down, w * across, h * down],
  }));
}
