/**
 * Runs the networks beside the page, so that it stays responsive.
 *
 * @import {Analyzer} from "./engine/analyzer.js"
 * @import {FrameResult, Picture, Settings} from "./engine/types.js"
 *
 * @typedef {{type: "open", id: number, settings: Settings, place: string}
 *   | {type: "photo", id: number, file: Blob, name: string}
 *   | {type: "begin", id: number}
 *   | {type: "frame", id: number, bitmap: ImageBitmap, timeS: number, name: string}} Request
 */

import { StreamAnalyzer } from "./engine/analyzer.js";
import { openAnalyzer } from "./engine/open.js";
import { download } from "./download.js";

/** @type {Analyzer | null} */
let analyzer = null;
/** @type {StreamAnalyzer | null} */
let stream = null;
const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { willReadFrequently: true });

self.addEventListener("message", async ({ data: request }) => {
  try {
    self.postMessage({ id: request.id, answer: await handle(request) });
  } catch (error) {
    self.postMessage({ id: request.id, error: error instanceof Error ? error.message : String(error) });
  }
});

/** @param {Request} request @returns {Promise<FrameResult | null>} */
async function handle(request) {
  if (request.type === "open") {
    await open(request.settings, request.place);
    return null;
  }
  if (!analyzer) throw new Error("the networks are not loaded yet");
  if (request.type === "begin") {
    stream = new StreamAnalyzer(analyzer);
    return null;
  }
  if (request.type === "photo") return analyzer.analyze(await decode(request.file), request.name);
  stream ??= new StreamAnalyzer(analyzer);
  return stream.analyze(pixels(request.bitmap), request.timeS, request.name);
}

/** @param {Settings} settings @param {string} place */
async function open(settings, place) {
  const { networks } = settings;
  const names = [networks.classifier, networks.detector, networks.aligner, "vendor/ort-wasm-simd-threaded.wasm"];
  const addresses = names.map((name) => new URL(name, place).href);
  const [classifier, detector, aligner, binary] = await download(addresses, (loaded) =>
    self.postMessage({ id: 0, loaded }),
  );
  const glue = new URL("vendor/ort-wasm-simd-threaded.mjs", place).href;
  analyzer = await openAnalyzer(settings, { classifier, detector, aligner }, { glue, binary });
}

/** A photo as its maker meant it to be seen: upright, without color management, on white. @param {Blob} file */
async function decode(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  const limit = analyzer?.settings.limits.max_pixels ?? Infinity;
  if (bitmap.width * bitmap.height > limit) {
    const size = `${bitmap.width} × ${bitmap.height}`;
    bitmap.close();
    throw new Error(`has ${size} pixels, more than the limit of ${limit / 1e6} megapixels; shrink it first`);
  }
  return pixels(bitmap);
}

/** @param {ImageBitmap} bitmap Closed afterwards. @returns {Picture} */
function pixels(bitmap) {
  const { width, height } = bitmap;
  try {
    if (!context) throw new Error("this browser gives no access to pixels");
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    context.fillStyle = "white";
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, 0, 0);
    return { data: context.getImageData(0, 0, width, height).data, width, height, channels: 4 };
  } finally {
    bitmap.close();
  }
}
