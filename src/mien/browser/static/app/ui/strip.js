/**
 * Emotions over time: every moment divided between the seven of them, neutral at the top.
 *
 * @param {HTMLCanvasElement} canvas Drawn at the size it is shown at.
 * @param {(number[] | null)[]} columns Oldest first; null where the person was not seen.
 * @param {string[]} colors One an emotion.
 */
export function drawStrip(canvas, columns, colors) {
  const scale = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(canvas.clientWidth * scale));
  const height = Math.max(1, Math.round(canvas.clientHeight * scale));
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context) return;
  context.clearRect(0, 0, width, height);
  const step = width / columns.length;
  columns.forEach((values, i) => {
    if (!values) return;
    const left = Math.round(i * step);
    const wide = Math.round((i + 1) * step) - left;
    let bottom = height;
    values.forEach((value, k) => {
      const top = k === values.length - 1 ? 0 : bottom - value * height;
      context.fillStyle = colors[k];
      context.fillRect(left, top, wide, bottom - top);
      bottom = top;
    });
  });
}
