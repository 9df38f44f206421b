/**
 * From a face in a picture to the square that a network reads; see `mien.preprocessing` in Python.
 *
 * @import {DetectedFace, Picture} from "./types.js"
 */

import { clamp, cut, warp } from "./pixels.js";
import { resizeArea } from "./resize.js";

/** Tilt of the line through the eyes in radians, clockwise as seen; 0 before alignment. @param {DetectedFace} face */
export function roll(face) {
  if (!face.landmarks) return 0;
  const [[leftX, leftY], [rightX, rightY]] = face.landmarks;
  return Math.atan2(rightY - leftY, rightX - leftX);
}

/**
 * Cut out a square around a face, upright where its landmarks are known, averaging over areas where it shrinks.
 *
 * @param {Picture} picture
 * @param {DetectedFace} face
 * @param {number} side Of the result, in pixels.
 * @param {number} scale Side of the square, in units of the box's longer side.
 * @param {number} shift How far the square's center lies below the box's, in the same units.
 * @returns {Picture} Three channels.
 */
export function cropColor(picture, face, side, scale, shift) {
  const length = scale * Math.max(face.box[2], face.box[3]);
  // Sampling a large face at `side` points would alias: sample k times as densely, then average k x k blocks.
  const dense = side * Math.max(1, Math.ceil(length / side));
  const matrix = squareToPicture(face, dense, scale, shift);
  const middle = (dense - 1) / 2;
  const x = matrix[0] * middle + matrix[1] * middle + matrix[2] + 0.5;
  const y = matrix[3] * middle + matrix[4] * middle + matrix[5] + 0.5;
  const tilt = roll(face);
  const reach = (length / 2) * (Math.abs(Math.cos(tilt)) + Math.abs(Math.sin(tilt))) + 2;
  // Python warps only the part around the face, whose edges are the picture's or lie beyond what is sampled.
  const left = Math.min(clamp(Math.floor(x - reach), 0, picture.width), picture.width - 1);
  const top = Math.min(clamp(Math.floor(y - reach), 0, picture.height), picture.height - 1);
  const right = Math.max(clamp(Math.floor(x + reach), 0, picture.width), left + 1);
  const bottom = Math.max(clamp(Math.floor(y + reach), 0, picture.height), top + 1);
  matrix[2] -= left;
  matrix[5] -= top;
  const part = cut(picture, left, top, right - left, bottom - top);
  return resizeArea(warp(part, matrix, dense, dense), side, side);
}

/**
 * Affine matrix from pixels of the square around a face, `side` pixels wide, to pixels of the picture.
 *
 * @param {DetectedFace} face
 * @param {number} side
 * @param {number} scale
 * @param {number} shift
 * @returns {number[]} Six numbers, row by row.
 */
export function squareToPicture(face, side, scale, shift) {
  const [left, top, width, height] = face.box;
  const length = Math.max(width, height);
  const cos = Math.cos(roll(face));
  const sin = Math.sin(roll(face));
  const centerX = left + width / 2 - sin * length * shift;
  const centerY = top + height / 2 + cos * length * shift;
  const step = (length * scale) / side;
  const first = (step - length * scale) / 2;
  return [
    ...[step * cos, -step * sin, centerX + first * (cos - sin) - 0.5],
    ...[step * sin, step * cos, centerY + first * (sin + cos) - 0.5],
  ];
}
