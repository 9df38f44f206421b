/**
 * From face crops to calibrated probabilities; see `mien.classification.classifier` in Python.
 *
 * @import {Answer, DetectedFace, Model, Network, Picture, Settings} from "./types.js"
 */

import { cropColor } from "./crop.js";
import { gray } from "./pixels.js";

export class Classifier {
  /**
   * @param {Network} network
   * @param {Model} model
   * @param {Settings["crop"]} crop
   */
  constructor(network, model, crop) {
    this.network = network;
    this.model = model;
    this.crop = crop;
    const { mean, std } = model;
    // In 32 bits at each step, as in Python: an 8-bit network rounds its input, and last digits decide halves.
    this.levels = Float32Array.from({ length: 256 }, (_, level) =>
      Math.fround(Math.fround(Math.fround(level / 255) - Math.fround(mean)) / Math.fround(std)),
    );
  }

  /**
   * @param {Picture} picture
   * @param {DetectedFace[]} faces Aligned.
   * @param {boolean} mirror Average the answer with that for the mirrored face.
   * @returns {Promise<Answer[]>}
   */
  async classify(picture, faces, mirror) {
    if (!faces.length) return [];
    const { scale, shift } = this.crop;
    const crops = faces.map((face) => gray(cropColor(picture, face, this.model.input_size, scale, shift)).data);
    const answers = await this.read(crops);
    if (!mirror) return answers;
    // One after the other: memory for a crowd stays as small, and it takes no longer.
    const mirrored = await this.read(crops.map((crop) => flip(crop, this.model.input_size)));
    return answers.map((one, i) => ({
      probabilities: one.probabilities.map((value, k) => (value + mirrored[i].probabilities[k]) / 2),
      ambiguity: one.ambiguity === null ? null : (one.ambiguity + (mirrored[i].ambiguity ?? 0)) / 2,
    }));
  }

  /** @param {(Uint8Array | Uint8ClampedArray)[]} crops @returns {Promise<Answer[]>} */
  async read(crops) {
    const side = this.model.input_size;
    const values = new Float32Array(crops.length * side * side);
    crops.forEach((crop, number) => {
      for (let i = 0; i < crop.length; i++) values[number * crop.length + i] = this.levels[crop[i]];
    });
    const { logits } = await this.network({ data: values, dims: [crops.length, 1, side, side] });
    const [, heads, labels] = logits.dims;
    return crops.map((_, number) => {
      const row = Array.from(logits.data.subarray(number * heads * labels, (number + 1) * heads * labels));
      const rows = Array.from({ length: heads }, (_, head) => row.slice(head * labels, (head + 1) * labels));
      return { probabilities: answer(rows, this.model), ambiguity: ambiguity(rows, this.model) };
    });
  }
}

/** @param {Uint8Array | Uint8ClampedArray} crop @param {number} side @returns {Uint8Array} */
function flip(crop, side) {
  return Uint8Array.from(crop, (_, i) => crop[i - (i % side) + side - 1 - (i % side)]);
}

/**
 * The answer for photos: the weighted mean of all heads, each of which leaves behind some of how frequent an emotion was in
 * training (logit adjustment), after calibration.
 *
 * @param {number[][]} logits A row a head.
 * @param {Model} model
 * @returns {number[]}
 */
export function answer(logits, model) {
  const heads = logits.map((row, head) =>
    softmax(
      row.map(
        (logit, k) =>
          logit * model.scales[head][k] + model.biases[head][k] - model.prior_power * Math.log(model.priors[head][k]),
      ),
    ),
  );
  const mean = heads[0].map((_, k) => heads.reduce((sum, row, head) => sum + row[k] * model.head_weights[head], 0) + 1e-9);
  return softmax(mean.map((value) => Math.log(value) / model.photo_temperature));
}

/**
 * How far people would disagree, from what the head that learned FER+ votes leaves to other emotions than the likeliest.
 *
 * @param {number[][]} logits A row a head.
 * @param {Model} model
 * @returns {number | null}
 */
export function ambiguity(logits, model) {
  if (!model.ambiguity.length) return null;
  const [gain, power] = model.ambiguity;
  const head = model.heads.indexOf("ferplus");
  const shares = softmax(logits[head].map((logit, k) => logit * model.scales[head][k] + model.biases[head][k]));
  const rest = shares.reduce((sum, share) => sum + share, 0) - Math.max(...shares);
  return Math.min(gain * Math.max(rest, 0) ** power, 1 - 1 / shares.length);
}

/** @param {number[]} logits @returns {number[]} */
function softmax(logits) {
  const highest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - highest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
