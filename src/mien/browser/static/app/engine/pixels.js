/**
 * Arithmetic on pixels that gives the same bytes as OpenCV, which the networks were measured with.
 *
 * A canvas shrinks pictures in a way of its own, each browser differently; these functions do not.
 *
 * @import {Picture} from "./types.js"
 */

/** Round halves to the even neighbor, as C's rint and Python's round do. @param {number} value */
export function roundEven(value) {
  const whole = Math.floor(value);
  const rest = value - whole;
  if (rest !== 0.5) return rest > 0.5 ? whole + 1 : whole;
  return whole % 2 ? whole + 1 : whole;
}

/** @param {number} value @param {number} low @param {number} high */
export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/**
 * The part of a picture inside an affine square or rectangle: cv2.warpAffine with INTER_LINEAR and BORDER_REPLICATE.
 *
 * @param {Picture} picture
 * @param {number[]} matrix Six numbers, row by row: from a pixel of the result to a pixel of the picture.
 * @param {number} width Of the result.
 * @param {number} height Of the result.
 * @returns {Picture} Three channels.
 */
export function warp(picture, matrix, width, height) {
  const { data, channels } = picture;
  const right = picture.width - 1;
  const bottom = picture.height - 1;
  const result = new Uint8Array(width * height * 3);
  // OpenCV's fixed-point numbers: 10 bits for positions, of which 5 bits decide how four pixels are mixed.
  const stepX = new Int32Array(width);
  const stepY = new Int32Array(width);
  for (let x = 0; x < width; x++) {
    stepX[x] = roundEven(matrix[0] * x * 1024);
    stepY[x] = roundEven(matrix[3] * x * 1024);
  }
  let target = 0;
  for (let y = 0; y < height; y++) {
    const startX = roundEven((matrix[1] * y + matrix[2]) * 1024) + 16;
    const startY = roundEven((matrix[4] * y + matrix[5]) * 1024) + 16;
    for (let x = 0; x < width; x++, target += 3) {
      const fineX = (startX + stepX[x]) >> 5;
      const fineY = (startY + stepY[x]) >> 5;
      const left = fineX >> 5;
      const top = fineY >> 5;
      const shareX = fineX & 31;
      const shareY = fineY & 31;
      const x0 = left < 0 ? 0 : left > right ? right : left;
      const x1 = left + 1 < 0 ? 0 : left + 1 > right ? right : left + 1;
      const y0 = (top < 0 ? 0 : top > bottom ? bottom : top) * picture.width;
      const y1 = (top + 1 < 0 ? 0 : top + 1 > bottom ? bottom : top + 1) * picture.width;
      const a = (y0 + x0) * channels;
      const b = (y0 + x1) * channels;
      const c = (y1 + x0) * channels;
      const d = (y1 + x1) * channels;
      const wa = (32 - shareX) * (32 - shareY);
      const wb = shareX * (32 - shareY);
      const wc = (32 - shareX) * shareY;
      const wd = shareX * shareY;
      for (let k = 0; k < 3; k++) {
        result[target + k] =
          (data[a + k] * wa + data[b + k] * wb + data[c + k] * wc + data[d + k] * wd + 512) >> 10;
      }
    }
  }
  return { data: result, width, height, channels: 3 };
}

/**
 * Gray levels: cv2.cvtColor with COLOR_BGR2GRAY.
 *
 * @param {Picture} picture
 * @returns {Picture} One channel.
 */
export function gray(picture) {
  const { data, channels, width, height } = picture;
  const result = new Uint8Array(width * height);
  for (let i = 0, j = 0; i < result.length; i++, j += channels) {
    result[i] = (data[j] * 9798 + data[j + 1] * 19235 + data[j + 2] * 3735 + 16384) >> 15;
  }
  return { data: result, width, height, channels: 1 };
}

/**
 * Left and top of a part of a picture, and its size.
 *
 * @param {Picture} picture
 * @param {number} left
 * @param {number} top
 * @param {number} width
 * @param {number} height
 * @returns {Picture} Three channels.
 */
export function cut(picture, left, top, width, height) {
  const result = new Uint8Array(width * height * 3);
  for (let y = 0, target = 0; y < height; y++) {
    let source = ((top + y) * picture.width + left) * picture.channels;
    for (let x = 0; x < width; x++, source += picture.channels, target += 3) {
      result[target] = picture.data[source];
      result[target + 1] = picture.data[source + 1];
      result[target + 2] = picture.data[source + 2];
    }
  }
  return { data: result, width, height, channels: 3 };
}
