/** The few parts of ONNX Runtime Web that the page uses. */

export declare const env: {
  wasm: { numThreads: number; wasmPaths: { mjs: string }; wasmBinary: Uint8Array };
};

export declare class Tensor {
  constructor(type: "float32", data: Float32Array, dims: readonly number[]);
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

export declare class InferenceSession {
  static create(
    model: Uint8Array,
    options?: { executionProviders: string[]; logSeverityLevel: number },
  ): Promise<InferenceSession>;
  readonly inputNames: readonly string[];
  run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>>;
}
