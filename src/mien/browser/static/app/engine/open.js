/**
 * Opens the three networks on ONNX Runtime's WebAssembly build, with one thread: more need headers that ordinary
 * hosts do not send, and gained nothing where it was measured.
 *
 * @import {Network, Settings} from "./types.js"
 */

import * as ort from "../../vendor/ort.wasm.min.mjs";
import { Aligner } from "./aligner.js";
import { Analyzer } from "./analyzer.js";
import { Classifier } from "./classifier.js";
import { Detector } from "./detector.js";

/**
 * @param {Settings} settings
 * @param {{classifier: Uint8Array, detector: Uint8Array, aligner: Uint8Array}} networks ONNX files.
 * @param {{glue: string, binary: Uint8Array}} runtime Address of `ort-wasm-simd-threaded.mjs`, and the .wasm beside it.
 * @returns {Promise<Analyzer>}
 */
export async function openAnalyzer(settings, networks, runtime) {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = { mjs: runtime.glue };
  ort.env.wasm.wasmBinary = runtime.binary;
  // One after the other: the runtime starts with the first.
  const detector = await openNetwork(networks.detector);
  const aligner = await openNetwork(networks.aligner);
  const classifier = await openNetwork(networks.classifier);
  return new Analyzer(
    new Detector(detector, settings.detector),
    new Aligner(aligner, settings.aligner),
    new Classifier(classifier, settings.model, settings.crop),
    settings,
  );
}

/** @param {Uint8Array} graph @returns {Promise<Network>} */
async function openNetwork(graph) {
  // YuNet's graph names fixed sizes for tensors that are none; 3 keeps the runtime from warning of each.
  const session = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"], logSeverityLevel: 3 });
  const [name] = session.inputNames;
  return async ({ data, dims }) => session.run({ [name]: new ort.Tensor("float32", data, dims) });
}
