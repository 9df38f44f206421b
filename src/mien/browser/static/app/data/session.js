/**
 * What a camera session or a video left behind: every result, and how long each person showed each emotion; see
 * `mien.video.summary` in Python.
 *
 * @import {FrameResult} from "../engine/types.js"
 *
 * @typedef {object} PersonSummary
 * @property {number} track
 * @property {number} firstS
 * @property {number} lastS
 * @property {number} frames
 * @property {Record<string, number>} seconds By emotion, uncertain ones included.
 * @property {number} uncertainS
 * @property {boolean} confirmed Whether it was seen long and well enough to be a person.
 * @property {number} totalS Seconds in sight.
 */

/** A frame that was waited for longer than this was not watched: the page slept, or was paused. */
export const LONGEST_STEP_S = 1;

export class Session {
  /** @param {string[]} labels @param {string} source */
  constructor(labels, source) {
    this.labels = labels;
    this.source = source;
    /** @type {FrameResult[]} */
    this.results = [];
  }

  /** @param {FrameResult} result */
  add(result) {
    this.results.push(result);
  }

  get durationS() {
    if (!this.results.length) return 0;
    return (this.results[this.results.length - 1].time_s ?? 0) - (this.results[0].time_s ?? 0);
  }

  /** Each frame counts for the time until the next one; the last for as long as the one before it. @returns {PersonSummary[]} */
  people() {
    /** @type {Map<number, PersonSummary>} */
    const people = new Map();
    let stepS = 0;
    this.results.forEach((result, i) => {
      const timeS = result.time_s ?? 0;
      const next = this.results[i + 1]?.time_s;
      if (next !== undefined) stepS = Math.min(Math.max(0, next - timeS), LONGEST_STEP_S);
      for (const face of result.faces) {
        if (face.track === undefined) continue;
        const person = people.get(face.track) ?? this.newcomer(face.track, timeS);
        people.set(face.track, person);
        person.lastS = timeS;
        person.frames++;
        person.confirmed ||= face.confirmed ?? false;
        person.totalS += stepS;
        person.seconds[face.emotion] += stepS;
        if (face.uncertain) person.uncertainS += stepS;
      }
    });
    return [...people.values()];
  }

  /** What a person showed, over time. @param {number} track */
  samples(track) {
    return this.results.flatMap((result) =>
      result.faces
        .filter((face) => face.track === track)
        .map((face) => {
          const shown = face.smoothed ?? face.probabilities;
          return { timeS: result.time_s ?? 0, values: this.labels.map((label) => shown[label]) };
        }),
    );
  }

  /** @param {number} track @param {number} timeS @returns {PersonSummary} */
  newcomer(track, timeS) {
    const seconds = Object.fromEntries(this.labels.map((label) => [label, 0]));
    return { track, firstS: timeS, lastS: timeS, frames: 0, confirmed: false, seconds, uncertainS: 0, totalS: 0 };
  }
}
