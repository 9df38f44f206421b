/**
 * Pictures at another size: cv2.resize with INTER_AREA and INTER_LINEAR, byte for byte.
 *
 * @import {Picture} from "./types.js"
 */

import { clamp, cut, roundEven } from "./pixels.js";

const COEFFICIENT = 2048;

/**
 * cv2.resize with INTER_AREA: the mean over the area of each pixel; where a side grows, a kind of bilinear.
 *
 * @param {Picture} picture
 * @param {number} width
 * @param {number} height
 * @returns {Picture} Three channels.
 */
export function resizeArea(picture, width, height) {
  if (width === picture.width && height === picture.height) return cut(picture, 0, 0, width, height);
  const scaleX = picture.width / width;
  const scaleY = picture.height / height;
  if (scaleX < 1 || scaleY < 1) return resizeWith(picture, width, height, areaTaps);
  if (Number.isInteger(scaleX) && Number.isInteger(scaleY)) return meanOfBlocks(picture, scaleX, scaleY);
  return meanOfAreas(picture, width, height);
}

/**
 * cv2.resize with INTER_LINEAR.
 *
 * @param {Picture} picture
 * @param {number} width
 * @param {number} height
 * @returns {Picture} Three channels.
 */
export function resizeLinear(picture, width, height) {
  return resizeWith(picture, width, height, linearTaps);
}

/** @param {Picture} picture @param {number} across @param {number} down @returns {Picture} */
function meanOfBlocks(picture, across, down) {
  const { data, channels } = picture;
  const width = picture.width / across;
  const height = picture.height / down;
  const result = new Uint8Array(width * height * 3);
  const share = Math.fround(1 / (across * down));
  const halves = across === 2 && down === 2;
  const stride = picture.width * channels;
  for (let y = 0, target = 0; y < height; y++) {
    for (let x = 0; x < width; x++, target += 3) {
      const start = y * down * stride + x * across * channels;
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let v = 0; v < down; v++) {
        for (let u = 0, i = start + v * stride; u < across; u++, i += channels) {
          red += data[i];
          green += data[i + 1];
          blue += data[i + 2];
        }
      }
      // OpenCV has a path of its own for blocks of 2 x 2, which rounds halves up.
      result[target] = halves ? (red + 2) >> 2 : roundEven(Math.fround(red * share));
      result[target + 1] = halves ? (green + 2) >> 2 : roundEven(Math.fround(green * share));
      result[target + 2] = halves ? (blue + 2) >> 2 : roundEven(Math.fround(blue * share));
    }
  }
  return { data: result, width, height, channels: 3 };
}

/**
 * Which source pixels go into each target pixel, and how much of each.
 *
 * @param {number} from
 * @param {number} to
 */
function areaShares(from, to) {
  const scale = from / to;
  const first = new Int32Array(to + 1);
  /** @type {number[]} */
  const index = [];
  /** @type {number[]} */
  const share = [];
  for (let i = 0; i < to; i++) {
    first[i] = index.length;
    const start = i * scale;
    const end = start + scale;
    const cell = Math.min(scale, from - start);
    let low = Math.ceil(start);
    const high = Math.min(Math.floor(end), from - 1);
    low = Math.min(low, high);
    if (low - start > 1e-3) {
      index.push(low - 1);
      share.push(Math.fround((low - start) / cell));
    }
    for (let j = low; j < high; j++) {
      index.push(j);
      share.push(Math.fround(1 / cell));
    }
    if (end - high > 1e-3) {
      index.push(high);
      share.push(Math.fround(Math.min(Math.min(end - high, 1), cell) / cell));
    }
  }
  first[to] = index.length;
  return { first, index: Int32Array.from(index), share: Float32Array.from(share) };
}

/** @param {Picture} picture @param {number} width @param {number} height @returns {Picture} */
function meanOfAreas(picture, width, height) {
  const { data, channels } = picture;
  const across = areaShares(picture.width, width);
  const down = areaShares(picture.height, height);
  const result = new Uint8Array(width * height * 3);
  const row = new Float32Array(width * 3);
  const sum = new Float32Array(width * 3);
  for (let y = 0; y < height; y++) {
    sum.fill(0);
    for (let j = down.first[y]; j < down.first[y + 1]; j++) {
      const start = down.index[j] * picture.width * channels;
      row.fill(0);
      for (let x = 0, target = 0; x < width; x++, target += 3) {
        for (let i = across.first[x]; i < across.first[x + 1]; i++) {
          const source = start + across.index[i] * channels;
          const share = across.share[i];
          row[target] += data[source] * share;
          row[target + 1] += data[source + 1] * share;
          row[target + 2] += data[source + 2] * share;
        }
      }
      const share = down.share[j];
      for (let k = 0; k < sum.length; k++) sum[k] += row[k] * share;
    }
    const target = y * width * 3;
    for (let k = 0; k < sum.length; k++) result[target + k] = Math.min(255, roundEven(sum[k]));
  }
  return { data: result, width, height, channels: 3 };
}

/**
 * @typedef {object} Taps Two neighbors that each target pixel is mixed from.
 * @property {Int32Array} index The first one; the second is its neighbor.
 * @property {Int32Array} first Weight of the first, in 1/2048.
 * @property {Int32Array} second Weight of the second.
 *
 * @typedef {(i: number, scale: number) => [number, number]} Place Where a target pixel lies: a whole pixel and a rest.
 */

/** @type {Place} */
function linearTaps(i, scale) {
  const place = Math.fround((i + 0.5) * scale - 0.5);
  return [Math.floor(place), Math.fround(place - Math.floor(place))];
}

/** @type {Place} */
function areaTaps(i, scale) {
  const first = Math.floor(i * scale);
  const rest = Math.fround(i + 1 - (first + 1) / scale);
  return [first, rest <= 0 ? 0 : Math.fround(rest - Math.floor(rest))];
}

/**
 * @param {number} from
 * @param {number} to
 * @param {Place} find
 * @param {boolean} clamped Whether pixels beyond the edges count as the edge alone, as OpenCV has it across, not down.
 * @returns {Taps}
 */
function taps(from, to, find, clamped) {
  const index = new Int32Array(to);
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  for (let i = 0; i < to; i++) {
    let [place, rest] = find(i, from / to);
    if (clamped && place < 0) [place, rest] = [0, 0];
    if (clamped && place >= from - 1) [place, rest] = [from - 1, 0];
    index[i] = place;
    first[i] = roundEven(Math.fround(1 - rest) * COEFFICIENT);
    second[i] = roundEven(rest * COEFFICIENT);
  }
  return { index, first, second };
}

/** @param {Picture} picture @param {number} width @param {number} height @param {Place} find @returns {Picture} */
function resizeWith(picture, width, height, find) {
  const { data, channels } = picture;
  const across = taps(picture.width, width, find, true);
  const down = taps(picture.height, height, find, false);
  const result = new Uint8Array(width * height * 3);
  /** @param {number} y @param {number} x @param {number} k One row's mix, in 1/2048. */
  const mix = (y, x, k) => {
    const column = across.index[x];
    const start = (y * picture.width + column) * channels + k;
    const next = column + 1 < picture.width ? data[start + channels] : 0;
    return data[start] * across.first[x] + next * across.second[x];
  };
  const bottomRow = picture.height - 1;
  for (let y = 0, target = 0; y < height; y++) {
    const top = clamp(down.index[y], 0, bottomRow);
    const bottom = clamp(down.index[y] + 1, 0, bottomRow);
    for (let x = 0; x < width; x++) {
      for (let k = 0; k < 3; k++, target++) {
        const above = (down.first[y] * (mix(top, x, k) >> 4)) >> 16;
        const below = (down.second[y] * (mix(bottom, x, k) >> 4)) >> 16;
        result[target] = (above + below + 2) >> 2;
      }
    }
  }
  return { data: result, width, height, channels: 3 };
}
