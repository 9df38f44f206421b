/**
 * A camera or a video while it is read: picture, boxes, a card for each person.
 *
 * @import {Reader} from "../reader.js"
 * @import {FrameResult, Settings} from "../engine/types.js"
 */

import { History } from "../data/history.js";
import { Session } from "../data/session.js";
import { FaceCard } from "./card.js";
import { counted, element, save } from "./dom.js";
import { drawFaces, drawOverlay } from "./overlay.js";

// From so many people on, cards show the bars only of those that are opened.
const CROWD = 3;
const STRIP_EVERY_MS = 250;

export class StreamView {
  /**
   * @param {Settings} settings
   * @param {Reader} reader
   * @param {{name: string, mirrored: boolean, isCamera: boolean, signal: AbortSignal, onEnd: (session: Session) => void}} options
   */
  constructor(settings, reader, { name, mirrored, isCamera, signal, onEnd }) {
    this.settings = settings;
    this.reader = reader;
    this.name = name;
    this.mirrored = mirrored;
    this.isCamera = isCamera;
    this.signal = signal;
    this.onEnd = onEnd;
    this.session = new Session(settings.labels, name);
    this.history = new History(settings);
    /** @type {Map<number, FaceCard>} */
    this.cards = new Map();
    /** @type {FrameResult | null} */
    this.last = null;
    this.running = false;
    this.startedMs = 0;
    this.stripsMs = 0;
    /** @type {number[]} */
    this.times = [];

    this.video = element("video", { playsinline: true, muted: true, class: mirrored ? "mirrored" : "" });
    this.video.muted = true;
    this.overlay = element("canvas", { class: "overlay", "aria-hidden": "true" });
    this.rate = element("span", { class: "rate" });
    this.live = element("p", { class: "visually-hidden", "aria-live": "polite" });
    this.pauseButton = element("button", { type: "button", class: "button", click: () => this.togglePause() }, "Pause");
    this.bar = element(
      "div",
      { class: "controls" },
      element("button", { type: "button", class: "button primary", click: () => this.stop() }, isCamera ? "Stop" : "Finish"),
      this.pauseButton,
      element("button", { type: "button", class: "button", click: () => this.savePicture() }, "Save picture"),
      this.rate,
    );
    this.frame = element("div", { class: "frame" }, this.video, this.overlay);
    this.people = element("div", { class: "cards" });
    const stage = element("div", { class: "stage" }, this.frame, this.bar, this.live);
    const title = element("h1", { class: "visually-hidden" }, this.isCamera ? "Camera" : name);
    this.root = element("div", { class: "stream" }, title, stage, this.people);
    this.waitFor("Looking for a face", "Move into the picture.");
    new ResizeObserver(() => this.draw()).observe(this.overlay);
  }

  /** @param {MediaStream | string} source A camera, or the address of a video. */
  async start(source) {
    if (typeof source === "string") {
      this.video.src = source;
      this.video.controls = true;
      this.video.addEventListener("ended", () => this.stop());
    } else {
      this.video.srcObject = source;
    }
    await this.reader.begin();
    if (this.signal.aborted) return;
    await this.video.play();
    if (this.signal.aborted) return;
    // Of a video whose pictures it cannot decode, such as HEVC, a browser plays the sound.
    if (!this.video.videoWidth) throw new Error("no picture");
    this.frame.style.setProperty("--ratio", `${this.video.videoWidth} / ${this.video.videoHeight}`);
    this.running = true;
    this.startedMs = performance.now();
    // A session's clock stands still while it is paused, as in the app and the window.
    let pausedMs = this.startedMs;
    this.video.addEventListener("pause", () => {
      pausedMs = performance.now();
      this.pauseButton.textContent = "Resume";
    });
    this.video.addEventListener("play", () => {
      this.startedMs += performance.now() - pausedMs;
      this.pauseButton.textContent = "Pause";
    });
    this.next();
  }

  next() {
    if (!this.running) return;
    if ("requestVideoFrameCallback" in this.video) this.video.requestVideoFrameCallback(() => this.read());
    else requestAnimationFrame(() => this.read());
  }

  /** Read the frame that is shown. The next one is asked for when its answer is there: frames in between are left out. */
  async read() {
    if (!this.running) return;
    if (this.video.readyState >= 2 && !document.hidden && !(this.isCamera && this.video.paused)) {
      try {
        const timeS = this.isCamera ? (performance.now() - this.startedMs) / 1000 : this.video.currentTime;
        const bitmap = await createImageBitmap(this.video);
        this.take(await this.reader.frame(bitmap, timeS, this.name));
      } catch (error) {
        // A frame that is not available, for example while a camera changes its size, is one frame less.
        console.warn(error);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    this.next();
  }

  /** @param {FrameResult} result */
  take(result) {
    if (!this.running) return;
    const nowMs = performance.now();
    this.last = result;
    this.session.add(result);
    this.history.add(result);
    this.times = [...this.times.filter((time) => nowMs - time < 2000), nowMs];
    this.draw();
    this.showPeople(nowMs);
    if (this.times.length > 1) {
      const rate = (1000 * (this.times.length - 1)) / (nowMs - this.times[0]);
      this.rate.textContent = counted(Math.round(rate), "frame") + " a second";
      this.rate.dataset.rate = rate.toFixed(2);
    }
  }

  draw() {
    if (this.last) drawOverlay(this.overlay, this.last, this.settings.colors, { mirrored: this.mirrored });
  }

  /** @param {number} nowMs */
  showPeople(nowMs) {
    const people = this.history.list();
    if (!people.length) {
      this.waitFor("No face in sight", this.isCamera ? "Move into the picture, and toward the light." : "The video continues.");
      return;
    }
    if (!this.cards.size) this.people.replaceChildren();
    const seen = new Set(people.map(({ track }) => track));
    for (const [track, card] of this.cards) {
      if (seen.has(track)) continue;
      card.root.remove();
      this.cards.delete(track);
    }
    this.people.classList.toggle("crowd", people.filter(({ awayS }) => awayS === 0).length >= CROWD);
    const strips = nowMs - this.stripsMs >= STRIP_EVERY_MS;
    if (strips) this.stripsMs = nowMs;
    people.forEach(({ track, face, awayS }, i) => {
      let card = this.cards.get(track);
      if (!card) {
        card = this.newCard(track);
        this.live.textContent = `Person ${track} came into sight.`;
      }
      card.update(face, awayS);
      if (strips) card.updateStrip(this.history, track);
      card.root.style.order = String(i);
    });
  }

  /** @param {number} track */
  newCard(track) {
    const card = new FaceCard(this.settings, `Person ${track}`, { followed: true });
    this.cards.set(track, card);
    this.people.append(card.root);
    return card;
  }

  /** @param {string} heading @param {string} text */
  waitFor(heading, text) {
    if (this.people.dataset.waiting === heading && !this.cards.size) return;
    this.cards.clear();
    this.people.dataset.waiting = heading;
    const words = element("div", {}, element("strong", {}, heading), element("p", {}, text));
    this.people.replaceChildren(element("div", { class: "notice waiting" }, words));
  }

  togglePause() {
    if (this.video.paused) void this.video.play();
    else this.video.pause();
  }

  /** Show one bar of each person or all seven: the other of what is shown now. */
  toggleBars() {
    const { classList, dataset } = this.people;
    const one = dataset.bars ? dataset.bars === "one" : classList.contains("crowd");
    dataset.bars = one ? "all" : "one";
  }

  savePicture() {
    const { videoWidth, videoHeight } = this.video;
    const canvas = element("canvas", { width: String(videoWidth), height: String(videoHeight) });
    const context = canvas.getContext("2d");
    if (!context || !this.last) return;
    context.drawImage(this.video, 0, 0);
    drawFaces(context, this.last, this.settings.colors, Math.max(1, videoWidth / 900));
    canvas.toBlob((blob) => blob && save(blob, "mien.png"), "image/png");
  }

  stop() {
    if (!this.running) return;
    this.running = false;
    this.video.pause();
    this.onEnd(this.session);
  }
}
