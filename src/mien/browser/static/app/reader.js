/**
 * The page's side of the worker: questions with answers.
 *
 * @import {FrameResult, Settings} from "./engine/types.js"
 */

export class Reader {
  /** @param {URL} workerAddress */
  constructor(workerAddress) {
    this.worker = new Worker(workerAddress, { type: "module" });
    /** @type {Map<number, {resolve: (answer: any) => void, reject: (error: Error) => void}>} */
    this.waiting = new Map();
    this.lastId = 0;
    /** @type {(loaded: number) => void} */
    this.onProgress = () => {};
    this.worker.addEventListener("message", ({ data }) => {
      if (data.loaded !== undefined) this.onProgress(data.loaded);
      const waiting = this.waiting.get(data.id);
      if (!waiting) return;
      this.waiting.delete(data.id);
      if (data.error === undefined) waiting.resolve(data.answer);
      else waiting.reject(new Error(data.error));
    });
    this.worker.addEventListener("error", (event) => {
      const error = new Error(event.message || "the part of the page that reads faces did not start");
      for (const { reject } of this.waiting.values()) reject(error);
      this.waiting.clear();
    });
  }

  /**
   * @param {Record<string, unknown>} question
   * @param {Transferable[]} [transfer]
   * @returns {Promise<any>}
   */
  ask(question, transfer = []) {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ ...question, id }, transfer);
    });
  }

  /** Load the networks. @param {Settings} settings @param {string} place @returns {Promise<void>} */
  open(settings, place) {
    return this.ask({ type: "open", settings, place });
  }

  /** @param {Blob} file @param {string} name @returns {Promise<FrameResult>} */
  photo(file, name) {
    return this.ask({ type: "photo", file, name });
  }

  /** Begin a new camera session or video: new people, new ids. @returns {Promise<void>} */
  begin() {
    return this.ask({ type: "begin" });
  }

  /** @param {ImageBitmap} bitmap Handed over. @param {number} timeS @param {string} name @returns {Promise<FrameResult>} */
  frame(bitmap, timeS, name) {
    return this.ask({ type: "frame", bitmap, timeS, name }, [bitmap]);
  }
}
