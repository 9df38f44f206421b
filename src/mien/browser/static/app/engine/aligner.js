/**
 * Five landmarks of each face by O-Net; see `mien.detection.landmarks` in Python.
 *
 * @import {DetectedFace, Network, Picture, Point, Settings} from "./types.js"
 */

import { cropColor } from "./crop.js";

export class Aligner {
  /**
   * @param {Network} network
   * @param {Settings["aligner"]} settings
   */
  constructor(network, settings) {
    this.network = network;
    this.side = settings.side;
  }

  /**
   * @param {Picture} picture
   * @param {DetectedFace[]} faces
   * @returns {Promise<DetectedFace[]>} The same faces with landmarks.
   */
  async align(picture, faces) {
    if (!faces.length) return [];
    const { side } = this;
    const values = new Float32Array(faces.length * side * side * 3);
    faces.forEach((face, number) => {
      const { data } = cropColor(picture, { ...face, landmarks: null }, side, 1, 0);
      const start = number * side * side * 3;
      // O-Net reads red, green, blue, with x before y.
      for (let x = 0, target = start; x < side; x++) {
        for (let y = 0; y < side; y++) {
          for (let k = 0; k < 3; k++, target++) values[target] = (data[(y * side + x) * 3 + k] - 127.5) / 128;
        }
      }
    });
    const outputs = await this.network({ data: values, dims: [faces.length, side, side, 3] });
    // The outputs are boxes (4), landmarks (10) and scores (2).
    const points = Object.values(outputs).find(({ dims }) => dims[1] === 10);
    if (!points) throw new Error("the landmark network does not give ten numbers a face");
    return faces.map((face, number) => place(face, points.data.subarray(10 * number, 10 * number + 10)));
  }
}

/** @param {DetectedFace} face @param {Float32Array} points Five x, then five y, in 0..1 of the square around the box. */
function place(face, points) {
  const [left, top, width, height] = face.box;
  const length = Math.max(width, height);
  /** @type {Point[]} */
  const landmarks = [0, 1, 2, 3, 4].map((i) => [
    left + width / 2 + (points[i] - 0.5) * length,
    top + height / 2 + (points[5 + i] - 0.5) * length,
  ]);
  return { ...face, landmarks };
}
