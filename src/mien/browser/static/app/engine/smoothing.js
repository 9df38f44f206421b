/**
 * Probabilities that do not jump from frame to frame, and labels that do not flicker; see `mien.tracking.smoothing`
 * in Python.
 *
 * @import {Settings} from "./types.js"
 *
 * @typedef {object} State
 * @property {number} timeS
 * @property {number[]} probabilities
 * @property {number} emotion Number of the emotion shown.
 * @property {number | null} behindSinceS Since when another emotion has been likelier than the shown one.
 */

export class EmotionSmoother {
  /** @param {Settings["smoothing"]} settings */
  constructor(settings) {
    this.settings = settings;
    /** @type {Map<number, State>} */
    this.states = new Map();
  }

  /**
   * Take in what was read on a face.
   *
   * @param {number} track
   * @param {number[]} probabilities
   * @param {number} timeS Not before the last time for this track.
   * @returns {{probabilities: number[], emotion: number}} Smoothed, and the number of the emotion to show.
   */
  update(track, probabilities, timeS) {
    const state = this.states.get(track);
    if (!state) {
      const fresh = { timeS, probabilities, emotion: likeliest(probabilities), behindSinceS: null };
      this.states.set(track, fresh);
      return fresh;
    }
    const { time_constant_s: constant, switch_margin: margin, settle_s: settle } = this.settings;
    const elapsed = Math.max(0, timeS - state.timeS);
    const share = constant ? -Math.expm1(-elapsed / constant) : 1;
    state.probabilities = state.probabilities.map((old, i) => old + share * (probabilities[i] - old));
    state.timeS = timeS;
    const best = likeliest(state.probabilities);
    const lead = state.probabilities[best] - state.probabilities[state.emotion];
    if (lead <= 0) state.behindSinceS = null;
    else if (state.behindSinceS === null) state.behindSinceS = timeS;
    if (lead >= margin || (state.behindSinceS !== null && timeS - state.behindSinceS >= settle)) {
      state.emotion = best;
      state.behindSinceS = null;
    }
    return state;
  }

  /** Forget every track but these. @param {Set<number>} tracks */
  keep(tracks) {
    for (const track of this.states.keys()) {
      if (!tracks.has(track)) this.states.delete(track);
    }
  }
}

/** Number of the highest; the first of equals. @param {number[]} probabilities */
export function likeliest(probabilities) {
  return probabilities.indexOf(Math.max(...probabilities));
}
