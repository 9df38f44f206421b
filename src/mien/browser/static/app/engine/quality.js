/**
 * What makes a face hard to read; see `mien.classification.quality` in Python.
 *
 * @import {DetectedFace, Picture, Settings} from "./types.js"
 */

import { clamp, cut, gray, roundEven } from "./pixels.js";
import { resizeArea } from "./resize.js";

/**
 * @param {Picture} picture
 * @param {DetectedFace} face
 * @param {Settings["quality"]} limits
 * @returns {string[]} Codes, in the order of `limits.words`.
 */
export function qualityFlags(picture, face, limits) {
  const small = Math.max(face.box[2], face.box[3]) < limits.small_below;
  const { data } = faceInGray(picture, face, limits.side);
  /** @type {Record<string, boolean>} */
  const found = {
    too_small: small,
    blurred: !small && sharpness(data, limits.side) < limits.blurred_below,
    turned_away: Math.abs(turn(face)) > limits.turned_above,
    dark: median(data) < limits.dark_below,
    cut_off: beyond(picture, face) > limits.cut_off_above,
  };
  return Object.keys(limits.words).filter((code) => found[code]);
}

/** @param {Picture} picture @param {DetectedFace} face @param {number} side */
function faceInGray(picture, face, side) {
  const [x, y, w, h] = face.box;
  const left = clamp(roundEven(x), 0, picture.width - 1);
  const top = clamp(roundEven(y), 0, picture.height - 1);
  const right = Math.min(Math.max(left + 1, roundEven(x + w)), picture.width);
  const bottom = Math.min(Math.max(top + 1, roundEven(y + h)), picture.height);
  return gray(resizeArea(cut(picture, left, top, right - left, bottom - top), side, side));
}

/** Variance of the Laplacian over that of the gray levels. @param {Uint8Array | Uint8ClampedArray} data @param {number} side */
function sharpness(data, side) {
  // Borders as OpenCV's default has them: mirrored without repeating the edge.
  const mirror = (/** @type {number} */ i) => (i < 0 ? 1 : i >= side ? side - 2 : i);
  const edges = new Float64Array(side * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      edges[y * side + x] =
        data[mirror(y - 1) * side + x] +
        data[mirror(y + 1) * side + x] +
        data[y * side + mirror(x - 1)] +
        data[y * side + mirror(x + 1)] -
        4 * data[y * side + x];
    }
  }
  return variance(edges) / Math.max(1, variance(data));
}

/** @param {ArrayLike<number>} values */
function variance(values) {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    sum += values[i];
    squares += values[i] * values[i];
  }
  return squares / values.length - (sum / values.length) ** 2;
}

/** @param {Uint8Array | Uint8ClampedArray} data */
function median(data) {
  const sorted = Uint8Array.from(data).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** How far the nose lies off the middle between the eyes, in distances between the eyes. @param {DetectedFace} face */
function turn(face) {
  if (!face.landmarks) return 0;
  const [[leftX, leftY], [rightX, rightY], [noseX, noseY]] = face.landmarks;
  const acrossX = rightX - leftX;
  const acrossY = rightY - leftY;
  const along = (noseX - (leftX + rightX) / 2) * acrossX + (noseY - (leftY + rightY) / 2) * acrossY;
  return along / Math.max(1e-6, acrossX * acrossX + acrossY * acrossY);
}

/** Share of the box's area outside the picture. @param {Picture} picture @param {DetectedFace} face */
function beyond(picture, face) {
  const [left, top, width, height] = face.box;
  const insideX = Math.max(0, Math.min(left + width, picture.width) - Math.max(left, 0));
  const insideY = Math.max(0, Math.min(top + height, picture.height) - Math.max(top, 0));
  return 1 - (insideX * insideY) / (width * height);
}
