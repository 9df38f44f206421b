/**
 * Picture in, faces with their emotions out; see `mien.analyzer` and `mien.tracking.stream` in Python.
 *
 * @import {Aligner} from "./aligner.js"
 * @import {Classifier} from "./classifier.js"
 * @import {Detector} from "./detector.js"
 * @import {Answer, Box, DetectedFace, Face, FrameResult, Picture, Settings} from "./types.js"
 */

import { Confirmation } from "./confirmation.js";
import { clamp, roundEven } from "./pixels.js";
import { qualityFlags } from "./quality.js";
import { searchNear } from "./search.js";
import { EmotionSmoother, likeliest } from "./smoothing.js";
import { FaceTracker } from "./tracker.js";

export class Analyzer {
  /**
   * @param {Detector} detector
   * @param {Aligner} aligner
   * @param {Classifier} classifier
   * @param {Settings} settings
   */
  constructor(detector, aligner, classifier, settings) {
    this.detector = detector;
    this.aligner = aligner;
    this.classifier = classifier;
    this.settings = settings;
  }

  /**
   * Read a photo.
   *
   * @param {Picture} picture
   * @param {string} [source] Its name.
   * @returns {Promise<FrameResult>}
   */
  async analyze(picture, source = "") {
    const found = leftToRight(await this.detector.detect(picture));
    const faces = await this.aligner.align(picture, found);
    const answers = await this.classifier.classify(picture, faces, this.settings.mirror.photo);
    const { width, height } = picture;
    const read = faces.map((face, i) => {
      const { probabilities } = answers[i];
      return this.describe(picture, face, answers[i], probabilities, likeliest(probabilities));
    });
    return { source, width, height, faces: read };
  }

  /**
   * @param {Picture} picture
   * @param {DetectedFace} face
   * @param {Answer} answer What was read in this picture alone.
   * @param {number[]} shown What counts for the confidence.
   * @param {number} emotion Number of the emotion to show.
   * @returns {Face}
   */
  describe(picture, face, answer, shown, emotion) {
    const { labels, model, quality } = this.settings;
    const confidence = fourDigits(shown[emotion]);
    const flags = qualityFlags(picture, face, quality);
    return {
      box: clipBox(face.box, picture.width, picture.height),
      score: fourDigits(face.score),
      emotion: labels[emotion],
      confidence,
      uncertain: confidence < model.uncertain_below || flags.some((code) => quality.severe.includes(code)),
      probabilities: this.byEmotion(answer.probabilities),
      quality: flags,
      ...(answer.ambiguity === null ? {} : { ambiguity: fourDigits(answer.ambiguity) }),
    };
  }

  /** @param {number[]} answer @returns {Record<string, number>} */
  byEmotion(answer) {
    return Object.fromEntries(this.settings.labels.map((label, i) => [label, fourDigits(answer[i])]));
  }
}

/** The analyzer for frames that follow one another: every face keeps its id, and its emotion does not flicker. */
export class StreamAnalyzer {
  /** @param {Analyzer} analyzer */
  constructor(analyzer) {
    this.analyzer = analyzer;
    this.tracker = new FaceTracker(analyzer.settings.tracking);
    this.smoother = new EmotionSmoother(analyzer.settings.smoothing);
    this.confirmation = new Confirmation(analyzer.settings.confirmation);
    this.size = "";
    this.timeS = 0;
    this.number = 0;
    this.lookedAgainS = -Infinity;
    this.searchedS = -Infinity;
  }

  /**
   * Read the next frame.
   *
   * @param {Picture} frame A change of size begins a new scene.
   * @param {number} timeS Likewise if it is before that of the last frame.
   * @param {string} [source]
   * @returns {Promise<FrameResult>}
   */
  async analyze(frame, timeS, source = "") {
    const { width, height } = frame;
    const size = `${width}x${height}`;
    if (size !== this.size || timeS < this.timeS) {
      this.tracker.forget();
      this.lookedAgainS = this.searchedS = -Infinity;
    }
    this.size = size;
    const stepS = timeS - this.timeS;
    this.timeS = timeS;
    const found = leftToRight(await this.detect(frame, timeS));
    const ids = this.tracker.update(found, timeS);
    const faces = await this.analyzer.aligner.align(frame, found);
    const { classifier, settings } = this.analyzer;
    const answers = await classifier.classify(frame, faces, settings.mirror.video);
    this.smoother.keep(this.tracker.alive);
    this.confirmation.keep(this.tracker.alive);
    const read = faces.map((face, i) => {
      const { probabilities, emotion } = this.smoother.update(ids[i], answers[i].probabilities, timeS);
      const described = this.analyzer.describe(frame, face, answers[i], probabilities, emotion);
      const confirmed = this.confirmation.update(ids[i], described, stepS);
      return { ...described, track: ids[i], confirmed, smoothed: this.analyzer.byEmotion(probabilities) };
    });
    return { source, width, height, faces: read, frame: this.number++, time_s: timeS };
  }

  /**
   * Near the faces of the last frame where that will do, else everywhere: with a second look while a person is in sight who
   * may have tilted the head, else now and then.
   *
   * @param {Picture} frame
   * @param {number} timeS
   */
  async detect(frame, timeS) {
    const { detector, settings } = this.analyzer;
    if (timeS - this.searchedS < settings.search.full_s && !this.tracker.lost) {
      const near = await searchNear(detector, frame, this.tracker.expected(timeS), settings.search);
      if (near) return near;
    }
    this.searchedS = timeS;
    const due = timeS - this.lookedAgainS >= settings.tracking.look_again_s;
    const thorough = due || this.tracker.tracks.length > 0;
    if (thorough) this.lookedAgainS = timeS;
    return detector.detect(frame, !thorough);
  }
}

/** @param {DetectedFace[]} faces */
function leftToRight(faces) {
  return [...faces].sort((a, b) => a.box[0] + a.box[2] / 2 - (b.box[0] + b.box[2] / 2));
}

/** @param {number} value */
function fourDigits(value) {
  return roundEven(value * 1e4) / 1e4;
}

/** A box in whole pixels inside a picture; it keeps at least one pixel. @param {Box} box @param {number} width @param {number} height @returns {Box} */
export function clipBox(box, width, height) {
  const left = clamp(roundEven(box[0]), 0, width - 1);
  const top = clamp(roundEven(box[1]), 0, height - 1);
  const right = Math.min(Math.max(roundEven(box[0] + box[2]), left + 1), width);
  const bottom = Math.min(Math.max(roundEven(box[1] + box[3]), top + 1), height);
  return [left, top, right - left, bottom - top];
}
