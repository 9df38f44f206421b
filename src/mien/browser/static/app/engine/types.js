/**
 * What the modules hand to one another. Results have the shape of `FrameResult.to_dict` in Python.
 *
 * @typedef {object} Picture
 * @property {Uint8Array | Uint8ClampedArray} data Row by row; red, green, blue and, with four channels, one that is ignored.
 * @property {number} width In pixels.
 * @property {number} height In pixels.
 * @property {number} channels 4 for what a canvas gives, 3 for what is computed from it, 1 for gray.
 *
 * @typedef {[number, number, number, number]} Box Left, top, width and height in pixels.
 * @typedef {[number, number]} Point x and y in pixels.
 *
 * @typedef {object} DetectedFace
 * @property {Box} box May reach past the edges of the picture.
 * @property {number} score The detector's certainty, 0..1.
 * @property {Point[] | null} landmarks Left eye as seen, right eye, nose, corners of the mouth; null before alignment.
 *
 * @typedef {object} Face
 * @property {Box} box Whole pixels inside the picture.
 * @property {number} score
 * @property {string} emotion
 * @property {number} confidence 0..1.
 * @property {boolean} uncertain
 * @property {Record<string, number>} probabilities By emotion.
 * @property {string[]} quality Codes of what makes the face hard to read.
 * @property {number} [ambiguity] Share of people expected to name another emotion than most do; absent where not known.
 * @property {number} [track] Id of the person; absent in photos.
 * @property {boolean} [confirmed] Whether the track has been seen long and well enough to be a person; absent in photos.
 * @property {Record<string, number>} [smoothed] Absent in photos.
 *
 * @typedef {object} FrameResult
 * @property {string} source
 * @property {number} width
 * @property {number} height
 * @property {Face[]} faces From left to right.
 * @property {number} [frame] Absent in photos.
 * @property {number} [time_s] Absent in photos.
 *
 * @typedef {object} Model What the page needs of a model's config.json.
 * @property {string} name
 * @property {number} input_size
 * @property {number} mean
 * @property {number} std
 * @property {string[]} heads
 * @property {number[][]} scales
 * @property {number[][]} biases
 * @property {number[][]} priors
 * @property {number} prior_power
 * @property {number} photo_temperature
 * @property {number} uncertain_below
 * @property {number[]} head_weights How much each head counts in the answer; they add up to 1.
 * @property {number[]} ambiguity Gain and power; empty where the model knows nothing of it.
 *
 * @typedef {object} Answer
 * @property {number[]} probabilities Seven.
 * @property {number | null} ambiguity Expected share of people who would name another emotion than most of them do.
 *
 * @typedef {object} Settings `settings.json`, written by Python from its own constants.
 * @property {string} version
 * @property {string[]} labels
 * @property {Record<string, string>} colors
 * @property {Model} model
 * @property {{photo: boolean, video: boolean}} mirror Whether answers are averaged with those for the mirrored face.
 * @property {{scale: number, shift: number}} crop
 * @property {{score_threshold: number, nms_threshold: number, max_side: number, min_long_side: number,
 *   min_side: number, second_look_degrees: number, strides: number[]}} detector
 * @property {{side: number}} aligner
 * @property {{words: Record<string, string>, severe: string[], side: number, small_below: number, dark_below: number,
 *   blurred_below: number, turned_above: number, cut_off_above: number}} quality
 * @property {{keep_s: number, look_again_s: number, jitter: number, speed: number, farthest: number, growth: number,
 *   lost: number, velocity_s: number, coast_s: number}} tracking
 * @property {{full_s: number, around: number, face_side: number, worth: number}} search
 * @property {{confirm_s: number, score: number, confidence: number, longest_step_s: number, hindered: string[]}} confirmation
 * @property {{time_constant_s: number, switch_margin: number, settle_s: number}} smoothing
 * @property {{span_s: number, bridged_s: number}} history
 * @property {{video: string[], photo: string[]}} columns
 * @property {{max_pixels: number, download: number}} limits
 * @property {{classifier: string, detector: string, aligner: string}} networks Files, relative to the settings.
 *
 * @typedef {object} Tensor
 * @property {Float32Array} data
 * @property {readonly number[]} dims
 *
 * @typedef {(inputs: Tensor) => Promise<Record<string, Tensor>>} Network One input; outputs by name.
 */

export {};
