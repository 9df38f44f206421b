/**
 * What every person showed during the last half minute; see `mien.live.history` in Python.
 *
 * @import {Face, FrameResult, Settings} from "../engine/types.js"
 *
 * @typedef {object} Person
 * @property {number} track
 * @property {Face} face As it was last seen.
 * @property {number} awayS Seconds since then; 0 while in sight.
 */

export class History {
  /** @param {Settings} settings */
  constructor(settings) {
    this.labels = settings.labels;
    this.spanS = settings.history.span_s;
    this.bridgedS = settings.history.bridged_s;
    /** @type {Map<number, {face: Face, samples: {timeS: number, values: number[]}[]}>} */
    this.people = new Map();
    this.nowS = 0;
  }

  /** @param {FrameResult} result Where time runs backwards everything before is forgotten. */
  add(result) {
    const nowS = result.time_s ?? 0;
    if (nowS < this.nowS) this.people.clear();
    this.nowS = nowS;
    for (const face of result.faces) {
      if (face.track === undefined) continue;
      const shown = face.smoothed ?? face.probabilities;
      const person = this.people.get(face.track) ?? { face, samples: [] };
      person.face = face;
      person.samples.push({ timeS: nowS, values: this.labels.map((label) => shown[label]) });
      this.people.set(face.track, person);
    }
    for (const [track, person] of this.people) {
      while (person.samples.length && person.samples[0].timeS < nowS - this.spanS) person.samples.shift();
      if (!person.samples.length) this.people.delete(track);
    }
  }

  /** Everybody seen lately: those in sight first, each group by id. @returns {Person[]} */
  list() {
    return [...this.people]
      .map(([track, { face, samples }]) => ({ track, face, awayS: this.nowS - samples[samples.length - 1].timeS }))
      .sort((a, b) => Number(a.awayS > 0) - Number(b.awayS > 0) || a.track - b.track);
  }

  /** The strip of a person. @param {number} track @param {number} count Of columns. */
  columns(track, count) {
    return columns(this.people.get(track)?.samples ?? [], this.nowS, this.spanS, count, this.bridgedS);
  }
}

/**
 * Samples averaged over equal stretches of time.
 *
 * @param {{timeS: number, values: number[]}[]} samples
 * @param {number} endS When the last stretch ends.
 * @param {number} spanS
 * @param {number} count
 * @param {number} bridgedS Gaps up to this length are filled.
 * @returns {(number[] | null)[]} Oldest first; null where the person was not seen.
 */
export function columns(samples, endS, spanS, count, bridgedS) {
  /** @type {(number[] | null)[]} */
  const sums = new Array(count).fill(null);
  const numbers = new Int32Array(count);
  // Stretches begin at multiples of their length, so that the picture scrolls instead of flickering.
  const step = spanS / count;
  const last = Math.floor(endS / step);
  for (const { timeS, values } of samples) {
    const column = Math.floor(timeS / step) - last + count - 1;
    if (column < 0 || column >= count) continue;
    sums[column] = sums[column]?.map((sum, i) => sum + values[i]) ?? [...values];
    numbers[column]++;
  }
  const averages = sums.map((sum, i) => sum && sum.map((value) => value / numbers[i]));
  const longest = Math.round(bridgedS / step);
  let before = -1;
  averages.forEach((average, i) => {
    if (!average) return;
    const gap = i - before;
    if (before >= 0 && gap > 1 && gap <= longest + 1) averages.fill(averages[before], before + 1, i);
    before = i;
  });
  return averages;
}
