/**
 * Which tracks are people: those seen long and well enough; see `mien.tracking.confirmation` in Python.
 *
 * @import {Face, Settings} from "./types.js"
 */

export class Confirmation {
  /** @param {Settings["confirmation"]} settings */
  constructor(settings) {
    this.settings = settings;
    /** @type {Map<number, number>} */
    this.seconds = new Map();
    /** @type {Set<number>} */
    this.confirmed = new Set();
  }

  /**
   * Take in a face of the next frame; it counts for the time since the frame before, except at first.
   *
   * @param {number} track
   * @param {Face} face As read in this frame alone.
   * @param {number} stepS Seconds since the frame before.
   * @returns {boolean} Whether the track is a person.
   */
  update(track, face, stepS) {
    if (!this.confirmed.has(track) && this.isClear(face)) {
      const step = Math.min(Math.max(stepS, 0), this.settings.longest_step_s);
      const seconds = (this.seconds.get(track) ?? -step) + step;
      this.seconds.set(track, seconds);
      if (seconds >= this.settings.confirm_s - 1e-9) this.confirmed.add(track);
    }
    return this.confirmed.has(track);
  }

  /** Forget the times of every track but these. @param {Set<number>} tracks */
  keep(tracks) {
    for (const track of this.seconds.keys()) {
      if (!tracks.has(track)) this.seconds.delete(track);
    }
  }

  /** @param {Face} face */
  isClear({ score, probabilities, quality }) {
    const { score: certain, confidence, hindered } = this.settings;
    const likely = Math.max(...Object.values(probabilities));
    return score >= certain && likely >= confidence && !quality.some((code) => hindered.includes(code));
  }
}
