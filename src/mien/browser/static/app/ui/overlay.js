/**
 * Boxes and labels over a picture.
 *
 * @import {FrameResult} from "../engine/types.js"
 */

import { describe } from "./dom.js";

/**
 * @typedef {object} Options
 * @property {boolean} [mirrored]
 * @property {number} [marked] Number of a face to stress; -1 for none.
 *
 * @param {HTMLCanvasElement} canvas Lies over the picture; drawn as sharply as the screen allows.
 * @param {FrameResult} result
 * @param {Record<string, string>} colors
 * @param {Options} [options]
 */
export function drawOverlay(canvas, result, colors, options = {}) {
  const unit = window.devicePixelRatio || 1;
  // Setting its size clears a canvas.
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * unit));
  canvas.height = Math.max(1, Math.round(canvas.clientHeight * unit));
  const context = canvas.getContext("2d");
  if (context) drawFaces(context, result, colors, unit, options);
}

/**
 * Draw on a canvas that is as wide as the picture.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {FrameResult} result
 * @param {Record<string, string>} colors
 * @param {number} unit Size of a pixel as people see it.
 * @param {Options} [options]
 */
export function drawFaces(context, result, colors, unit, { mirrored = false, marked = -1 } = {}) {
  const { width } = context.canvas;
  const ratio = width / result.width;
  const several = result.faces.length > 1;
  result.faces.forEach((face, i) => {
    const [x, y, w, h] = face.box.map((value) => value * ratio);
    const left = mirrored ? width - x - w : x;
    const color = colors[face.emotion];
    context.lineWidth = (marked === i ? 4.5 : 2.5) * unit;
    context.globalAlpha = marked >= 0 && marked !== i ? 0.45 : 1;
    // A dark edge keeps light colors visible on light pictures.
    context.strokeStyle = "rgb(0 0 0 / 45%)";
    rounded(context, left - unit, y - unit, w + 2 * unit, h + 2 * unit, 7 * unit);
    context.stroke();
    context.strokeStyle = color;
    rounded(context, left, y, w, h, 6 * unit);
    context.stroke();
    const size = Math.min(Math.max(w * 0.15, 11 * unit), 17 * unit);
    const number = face.track === undefined ? (several ? `${i + 1} ` : "") : several ? `#${face.track} ` : "";
    // On small faces the words would cover their neighbors; cards have them.
    const text = w < 34 * unit ? number.trim() : number + describe(face);
    if (text) label(context, text, color, { x: left, y, height: h, size, unit });
    context.globalAlpha = 1;
  });
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {string} color
 * @param {{x: number, y: number, height: number, size: number, unit: number}} place
 */
function label(context, text, color, { x, y, height, size, unit }) {
  context.font = `600 ${size}px "Source Sans", system-ui, sans-serif`;
  const wide = context.measureText(text).width + size;
  const high = size * 1.55;
  const left = Math.min(Math.max(0, x - unit), Math.max(0, context.canvas.width - wide));
  const above = y - high - 3 * unit;
  const top = above >= 0 ? above : Math.min(y + height + 3 * unit, context.canvas.height - high);
  context.fillStyle = color;
  rounded(context, left, top, wide, high, 5 * unit);
  context.fill();
  context.fillStyle = isDark(color) ? "white" : "black";
  context.textBaseline = "middle";
  context.fillText(text, left + size / 2, top + high / 2 + size * 0.04);
}

/** @param {CanvasRenderingContext2D} context @param {number} x @param {number} y @param {number} w @param {number} h @param {number} r */
function rounded(context, x, y, w, h, r) {
  context.beginPath();
  context.roundRect(x, y, w, h, Math.min(r, w / 2, h / 2));
}

/** @param {string} color `#rrggbb`. */
function isDark(color) {
  const [red, green, blue] = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue < 140;
}
