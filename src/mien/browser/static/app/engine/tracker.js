/**
 * Which face of a frame is which person of the frame before; see `mien.tracking.tracker` in Python.
 *
 * @import {DetectedFace, Settings} from "./types.js"
 *
 * @typedef {object} Track
 * @property {number} number
 * @property {DetectedFace} face
 * @property {number} seenS
 * @property {[number, number]} velocity In pixels a second.
 */

import { assign } from "./assignment.js";

export class FaceTracker {
  /** @param {Settings["tracking"]} settings */
  constructor(settings) {
    this.settings = settings;
    /** @type {Track[]} */
    this.tracks = [];
    this.next = 1;
    this.now = -Infinity;
  }

  /** Ids that may still be given to a face. */
  get alive() {
    return new Set(this.tracks.map(({ number }) => number));
  }

  /** Whether a person is out of sight who may come back to the same place. */
  get lost() {
    return this.tracks.some(({ seenS }) => seenS < this.now);
  }

  /** Where the known faces probably are. @param {number} timeS @returns {DetectedFace[]} */
  expected(timeS) {
    return this.tracks.map(({ face, seenS, velocity }) => {
      const coast = this.coast(timeS - seenS);
      const [left, top, width, height] = face.box;
      return { ...face, box: [left + velocity[0] * coast, top + velocity[1] * coast, width, height] };
    });
  }

  /** For how long a face keeps moving as it did, in seconds. @param {number} elapsed */
  coast(elapsed) {
    return this.settings.coast_s * -Math.expm1(-elapsed / this.settings.coast_s);
  }

  /**
   * Say who the faces of the next frame are.
   *
   * @param {DetectedFace[]} faces
   * @param {number} timeS Where it runs backwards a new scene begins.
   * @returns {number[]} The id of each face.
   */
  update(faces, timeS) {
    if (timeS < this.now) this.forget();
    const last = this.now;
    this.now = timeS;
    const costs = this.tracks.map((track) => faces.map((face) => this.cost(track, face, timeS, track.seenS < last)));
    /** @type {number[]} */
    const numbers = [];
    for (const [row, column] of assign(costs)) {
      if (costs[row][column] < 1) {
        this.see(this.tracks[row], faces[column], timeS);
        numbers[column] = this.tracks[row].number;
      }
    }
    this.tracks = this.tracks.filter((track) => timeS - track.seenS < this.settings.keep_s);
    return faces.map((face, column) => {
      if (numbers[column] !== undefined) return numbers[column];
      this.tracks.push({ number: this.next, face, seenS: timeS, velocity: [0, 0] });
      return this.next++;
    });
  }

  /** Begin a new scene: no one seen so far is known any more. */
  forget() {
    this.tracks = [];
    this.now = -Infinity;
  }

  /** @param {Track} track @param {DetectedFace} face @param {number} timeS */
  see(track, face, timeS) {
    const elapsed = timeS - track.seenS;
    if (elapsed > 0) {
      const share = -Math.expm1(-elapsed / this.settings.velocity_s);
      const old = center(track.face);
      track.velocity = /** @type {[number, number]} */ (
        center(face).map((place, i) => {
          const speed = (place - old[i]) / elapsed;
          return track.velocity[i] + share * (speed - track.velocity[i]);
        })
      );
    }
    track.face = face;
    track.seenS = timeS;
  }

  /**
   * 0 where face and expectation coincide; 1, the cost of no match, beyond what one face can do.
   *
   * @param {Track} track
   * @param {DetectedFace} face
   * @param {number} timeS
   * @param {boolean} lost
   */
  cost(track, face, timeS, lost) {
    const { jitter, speed, farthest, growth, lost: lostCost } = this.settings;
    const coast = this.coast(timeS - track.seenS);
    const [x, y] = center(face);
    const [trackX, trackY] = center(track.face);
    let distance = Math.hypot(x - trackX - track.velocity[0] * coast, y - trackY - track.velocity[1] * coast);
    if (lost) distance = Math.min(distance, Math.hypot(x - trackX, y - trackY));
    distance /= Math.sqrt(size(face) * size(track.face));
    if (distance > Math.min(jitter + speed * (timeS - track.seenS), farthest)) return 1;
    const grown = Math.abs(Math.log(size(face) / size(track.face))) / Math.log(growth);
    return Math.min(1, Math.hypot(distance / farthest, grown) + (lost ? lostCost : 0));
  }
}

/** @param {DetectedFace} face @returns {[number, number]} */
function center({ box: [left, top, width, height] }) {
  return [left + width / 2, top + height / 2];
}

/** Side in pixels of the square with the area of the box. @param {DetectedFace} face */
function size({ box }) {
  return Math.sqrt(Math.max(1e-6, box[2] * box[3]));
}
