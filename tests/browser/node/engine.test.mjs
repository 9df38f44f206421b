/** The page's arithmetic, on cases that can be checked by hand; run by tests/browser/test_page_engine.py. */

import assert from "node:assert/strict";
import { test } from "node:test";

const app = `${process.env.MIEN_PAGE}/app`;
const { assign } = await import(`${app}/engine/assignment.js`);
const { ambiguity, answer } = await import(`${app}/engine/classifier.js`);
const { suppress } = await import(`${app}/engine/detector.js`);
const { clipBox } = await import(`${app}/engine/analyzer.js`);
const { roundEven, warp } = await import(`${app}/engine/pixels.js`);
const { EmotionSmoother } = await import(`${app}/engine/smoothing.js`);
const { FaceTracker } = await import(`${app}/engine/tracker.js`);
const { History } = await import(`${app}/data/history.js`);
const { Session } = await import(`${app}/data/session.js`);
const { toCsv } = await import(`${app}/data/table.js`);
const { photoTrouble, sortFiles } = await import(`${app}/files.js`);
const settings = JSON.parse(process.env.MIEN_SETTINGS);
const { labels } = settings;

/** @param {number} x */
const faceAt = (x) => ({ box: [x, 10, 50, 50], score: 0.9, landmarks: null });
const probabilities = (/** @type {number} */ happy) =>
  labels.map((label) => (label === "happy" ? happy : (1 - happy) / (labels.length - 1)));

test("halves are rounded to the even neighbor, also below zero", () => {
  assert.deepEqual([0.5, 1.5, 2.5, -0.5, -1.5, 2.4, 2.6].map(roundEven), [0, 2, 2, 0, -2, 2, 3]);
});

test("a warp by whole pixels copies, and repeats the edge beyond it", () => {
  const data = Uint8Array.from([10, 11, 12, 20, 21, 22]);
  const moved = warp({ data, width: 2, height: 1, channels: 3 }, [1, 0, 1, 0, 1, 0], 3, 1);
  assert.deepEqual([...moved.data], [20, 21, 22, 20, 21, 22, 20, 21, 22]);
});

test("the cheapest pairs are found where the greedy ones are dearer", () => {
  assert.deepEqual(assign([[0.1, 0.2], [0.2, 0.9]]), [[0, 1], [1, 0]]);
  assert.deepEqual(assign([[0.5], [0.1], [0.3]]), [[1, 0]]);
  assert.deepEqual(assign([]), []);
});

test("of two boxes on one face the better stays", () => {
  const boxes = [[0, 0, 10, 10], [1, 1, 10, 10], [50, 0, 10, 10]];
  const kept = suppress(boxes.map((box, i) => ({ box, score: [0.8, 0.9, 0.75][i] })), 0.7, 0.3);
  assert.deepEqual(kept.map(({ box }) => box), [[1, 1, 10, 10], [50, 0, 10, 10]]);
});

test("a box is cut off at the edges and keeps a pixel", () => {
  assert.deepEqual(clipBox([-5, 2.5, 20, 10], 100, 8), [0, 2, 15, 6]);
  assert.deepEqual(clipBox([300, 300, 5, 5], 100, 80), [99, 79, 1, 1]);
});

test("probabilities add up to one, and the likeliest logit wins", () => {
  const logits = settings.model.heads.map(() => labels.map((_, i) => (i === 3 ? 6 : 0)));
  const read = answer(logits, settings.model);
  assert.ok(Math.abs(read.reduce((a, b) => a + b) - 1) < 1e-9);
  assert.equal(read.indexOf(Math.max(...read)), 3);
});

test("without gain and power there is no ambiguity; else it is a share", () => {
  const logits = settings.model.heads.map(() => labels.map((_, i) => (i === 3 ? 6 : 0)));
  assert.equal(ambiguity(logits, { ...settings.model, ambiguity: [] }), null);
  assert.equal(ambiguity(logits, { ...settings.model, ambiguity: [100, 1] }), 1 - 1 / labels.length);
  const share = ambiguity(logits, settings.model);
  assert.ok(share !== null && share > 0 && share < 0.1);
});

test("two people who pass each other keep their ids", () => {
  const tracker = new FaceTracker(settings.tracking);
  let ids = [];
  for (let i = 0; i <= 20; i++) {
    ids = tracker.update([faceAt(100 + 15 * i), { ...faceAt(400 - 15 * i), box: [400 - 15 * i, 90, 50, 50] }], i / 15);
  }
  assert.deepEqual(ids, [1, 2]);
});

test("somebody who was away for too long is a new person", () => {
  const tracker = new FaceTracker(settings.tracking);
  assert.deepEqual(tracker.update([faceAt(100)], 0), [1]);
  tracker.update([], 0.1);
  assert.deepEqual(tracker.update([faceAt(100)], settings.tracking.keep_s / 2), [1]);
  tracker.update([], settings.tracking.keep_s);
  tracker.update([], 3 * settings.tracking.keep_s);
  assert.deepEqual(tracker.update([faceAt(100)], 3.1 * settings.tracking.keep_s), [2]);
});

test("a label stays until another is clearly likelier, or likelier for long", () => {
  const smoother = new EmotionSmoother({ ...settings.smoothing, time_constant_s: 0 });
  const happy = labels.indexOf("happy");
  const sad = labels.indexOf("sad");
  const close = labels.map((_, i) => (i === happy ? 0.45 : i === sad ? 0.48 : 0.014));
  assert.equal(smoother.update(1, probabilities(0.9), 0).emotion, happy);
  assert.equal(smoother.update(1, close, 0.1).emotion, happy);
  assert.equal(smoother.update(1, close, 0.1 + settings.smoothing.settle_s).emotion, sad);
});

/** @param {number} timeS @param {string} emotion @param {number} [track] */
function frame(timeS, emotion, track = 1) {
  const values = Object.fromEntries(labels.map((label) => [label, label === emotion ? 1 : 0]));
  const face = { box: [1, 2, 3, 4], score: 0.9, emotion, confidence: 1, uncertain: false, quality: ["dark"], track };
  return { source: "a,b.mp4", width: 9, height: 9, frame: 0, time_s: timeS, faces: [{ ...face, probabilities: values, smoothed: values }] };
}

test("a session adds up the seconds, and leaves out what was not watched", () => {
  const session = new Session(labels, "camera");
  for (const [timeS, emotion] of [[0, "happy"], [0.5, "happy"], [1, "sad"], [60, "sad"]]) session.add(frame(timeS, emotion));
  const [person] = session.people();
  assert.equal(person.seconds.happy, 1);
  assert.equal(person.seconds.sad, 2);
  assert.equal(person.frames, 4);
  assert.equal(session.durationS, 60);
});

test("the history forgets what is older than its span", () => {
  const history = new History(settings);
  history.add(frame(0, "happy", 1));
  history.add(frame(settings.history.span_s + 1, "sad", 2));
  assert.deepEqual(history.list().map(({ track }) => track), [2]);
  const strip = history.columns(2, 60);
  assert.equal(strip[0], null);
  assert.equal(strip[59][labels.indexOf("sad")], 1);
});

test("a table quotes what needs it, and has a row for frames without faces", () => {
  const lines = toCsv([frame(0.5, "happy"), { ...frame(1, "sad"), faces: [] }], settings.columns.video).split("\r\n");
  assert.equal(lines[0], settings.columns.video.join(","));
  assert.ok(lines[1].startsWith("0.5,0,1,,1,2,3,4,0.9,happy,1,False,"));
  assert.equal(lines[2], `1,0${",".repeat(settings.columns.video.length - 2)}`);
  const photo = toCsv([frame(0, "sad")], settings.columns.photo).split("\r\n")[1];
  assert.ok(photo.startsWith('"a,b.mp4",1,'));
});

test("files are told apart by type, or by name where there is none", () => {
  const named = (name, type = "") => ({ name, type });
  const { photos, videos, others } = sortFiles([named("a.jpg"), named("b", "image/png"), named("c.MOV"), named("d.txt", "text/plain")]);
  assert.deepEqual([photos.length, videos.length, others.length], [2, 1, 1]);
  assert.match(photoTrouble(named("x.heic"), new Error("decode")), /HEIC/);
});
