/**
 * Which tracks are people: those seen long and well enough; see `mien.tracking.confirmation` in Python.
 *
 * @import {Face, Settings} from "./types.js"
 */

export class Confirmation {
  /** @param {Settings["confirmation"]} settings */
  constructor(settings) {
    this.settings = settings;
    /** @type {Map<number, {seconds: number, seenS: number}>} */
    this.seen = new Map();
    /** @type {Set<number>} */
    this.confirmed = new Set();
  }

  /**
   * Take in a face of the next frame; it counts for the time since it was last seen well.
   *
   * @param {number} track
   * @param {Face} face As read in this frame alone.
   * @param {number} timeS
   * @returns {boolean} Whether the track is a person.
   */
  update(track, face, timeS) {
    if (!this.confirmed.has(track) && this.isClear(face)) {
      const { seconds, seenS } = this.seen.get(track) ?? { seconds: 0, seenS: timeS };
      const step = Math.min(Math.max(timeS - seenS, 0), this.settings.longest_step_s);
      this.seen.set(track, { seconds: seconds + step, seenS: timeS });
      if (seconds + step >= this.settings.confirm_s - 1e-9) this.confirmed.add(track);
    }
    return this.confirmed.has(track);
  }

  /** Forget the times of every track but these. @param {Set<number>} tracks */
  keep(tracks) {
    for (const track of this.seen.keys()) {
      if (!tracks.has(track)) this.seen.delete(track);
    }
  }

  /** @param {Face} face */
  isClear({ score, probabilities, quality }) {
    const { score: certain, confidence, hindered } = this.settings;
    const likely = Math.max(...Object.values(probabilities));
    return score >= certain && likely >= confidence && !quality.some((code) => hindered.includes(code));
  }
}
