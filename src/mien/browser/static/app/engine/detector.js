/**
 * YuNet, the face detector; see `mien.detection.yunet` in Python.
 *
 * @import {Box, DetectedFace, Network, Picture, Settings, Tensor} from "./types.js"
 */

import { roundEven, warp } from "./pixels.js";
import { resizeArea, resizeLinear } from "./resize.js";

/** @typedef {{box: Box, score: number}} Candidate */

export class Detector {
  /**
   * @param {Network} network
   * @param {Settings["detector"]} settings
   */
  constructor(network, settings) {
    this.network = network;
    this.settings = settings;
  }

  /**
   * Find the faces of a picture; where the first look finds none, look again at the picture turned either way.
   *
   * @param {Picture} picture
   * @param {boolean} [quick] Leave out the second look.
   * @returns {Promise<DetectedFace[]>} Best score first.
   */
  async detect(picture, quick = false) {
    const { picture: resized, scale } = this.resize(picture);
    let found = await this.look(resized);
    if (!found.length && !quick) found = await this.lookTilted(resized);
    return found.map(({ box: [x, y, w, h], score }) => ({
      box: [x / scale, y / scale, w / scale, h / scale],
      score,
      landmarks: null,
    }));
  }

  /** @param {Picture} picture At a size that suits the network. */
  resize(picture) {
    const { max_side: maxSide, min_long_side: minLongSide } = this.settings;
    const longSide = Math.max(picture.width, picture.height);
    const scale = Math.min(Math.max(longSide, minLongSide), maxSide) / longSide;
    if (scale === 1) return { picture, scale };
    const width = Math.max(1, roundEven(picture.width * scale));
    const height = Math.max(1, roundEven(picture.height * scale));
    const resize = scale < 1 ? resizeArea : resizeLinear;
    return { picture: resize(picture, width, height), scale };
  }

  /** @param {Picture} picture @returns {Promise<Candidate[]>} */
  async look(picture) {
    const input = toTensor(picture, this.settings.min_side);
    const outputs = await this.network(input);
    const limit = 2 * Math.max(picture.width, picture.height);
    // Nothing is trusted that cannot be a box of this picture.
    const sane = this.decode(outputs, input.dims[3]).filter(
      ({ box }) => box.every((value) => Math.abs(value) <= limit) && box[2] > 1 && box[3] > 1,
    );
    return suppress(sane, this.settings.score_threshold, this.settings.nms_threshold);
  }

  /** @param {Picture} picture @returns {Promise<Candidate[]>} */
  async lookTilted(picture) {
    /** @type {Candidate[]} */
    let best = [];
    for (const degrees of [this.settings.second_look_degrees, -this.settings.second_look_degrees]) {
      const back = rotation(picture.width / 2, picture.height / 2, degrees);
      const found = await this.look(warp(picture, back, picture.width, picture.height));
      if (found.length && (!best.length || found[0].score > best[0].score)) {
        best = found.map(({ box, score }) => ({ box: moveCenter(box, back), score }));
      }
    }
    return best;
  }

  /**
   * @param {Record<string, Tensor>} outputs
   * @param {number} width Of the network's input, which tells the columns of its grids.
   * @returns {Candidate[]} Everything above the threshold.
   */
  decode(outputs, width) {
    /** @type {Candidate[]} */
    const found = [];
    const threshold = Math.fround(this.settings.score_threshold);
    for (const stride of this.settings.strides) {
      const likely = outputs[`cls_${stride}`].data;
      const present = outputs[`obj_${stride}`].data;
      const delta = outputs[`bbox_${stride}`].data;
      const columns = Math.floor(width / stride);
      for (let i = 0; i < likely.length; i++) {
        const both = Math.fround(unit(likely[i]) * unit(present[i]));
        const score = Math.fround(Math.sqrt(both));
        if (!(score >= threshold)) continue;
        const x = (delta[4 * i] + (i % columns)) * stride;
        const y = (delta[4 * i + 1] + Math.floor(i / columns)) * stride;
        const w = Math.exp(delta[4 * i + 2]) * stride;
        const h = Math.exp(delta[4 * i + 3]) * stride;
        found.push({ box: [x - w / 2, y - h / 2, w, h], score });
      }
    }
    return found;
  }
}

/** @param {number} value */
function unit(value) {
  return Math.min(Math.max(value, 0), 1);
}

/**
 * The network reads blue, green, red in 0..255, at sides divisible by 32: padded with black.
 *
 * @param {Picture} picture
 * @param {number} minSide
 * @returns {Tensor}
 */
function toTensor(picture, minSide) {
  const { data, channels } = picture;
  const width = Math.ceil(Math.max(picture.width, minSide) / 32) * 32;
  const height = Math.ceil(Math.max(picture.height, minSide) / 32) * 32;
  const plane = width * height;
  const values = new Float32Array(3 * plane);
  for (let y = 0, source = 0; y < picture.height; y++) {
    for (let x = 0, target = y * width; x < picture.width; x++, target++, source += channels) {
      values[target] = data[source + 2];
      values[plane + target] = data[source + 1];
      values[2 * plane + target] = data[source];
    }
  }
  return { data: values, dims: [1, 3, height, width] };
}

/**
 * Of faces that overlap keep the best: cv2.dnn.NMSBoxes.
 *
 * @param {Candidate[]} candidates
 * @param {number} scoreThreshold
 * @param {number} overlapThreshold
 * @returns {Candidate[]} Best score first.
 */
export function suppress(candidates, scoreThreshold, overlapThreshold) {
  /** @type {Candidate[]} */
  const kept = [];
  const likely = candidates.filter(({ score }) => score > Math.fround(scoreThreshold));
  for (const candidate of likely.sort((a, b) => b.score - a.score)) {
    if (kept.every(({ box }) => overlap(box, candidate.box) <= overlapThreshold)) kept.push(candidate);
  }
  return kept;
}

/** Intersection over union. @param {Box} a @param {Box} b */
function overlap(a, b) {
  const across = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const down = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (across <= 0 || down <= 0) return 0;
  return Math.fround((across * down) / (a[2] * a[3] + b[2] * b[3] - across * down));
}

/**
 * From a turned picture back to the picture: the inverse of cv2.getRotationMatrix2D.
 *
 * @param {number} x
 * @param {number} y
 * @param {number} degrees
 */
function rotation(x, y, degrees) {
  const cos = Math.cos((degrees * Math.PI) / 180);
  const sin = Math.sin((degrees * Math.PI) / 180);
  return [cos, -sin, (1 - cos) * x + sin * y, sin, cos, (1 - cos) * y - sin * x];
}

/** A box of the same size whose center is moved by an affine matrix. @param {Box} box @param {number[]} m @returns {Box} */
function moveCenter([left, top, width, height], m) {
  const x = left + width / 2;
  const y = top + height / 2;
  return [m[0] * x + m[1] * y + m[2] - width / 2, m[3] * x + m[4] * y + m[5] - height / 2, width, height];
}
