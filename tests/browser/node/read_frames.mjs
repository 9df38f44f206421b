/**
 * Reads frames from standard input with the page's engine and prints one result a line.
 *
 *     node read_frames.mjs SITE photo|stream < frames
 *
 * A frame is a line of JSON, {"width": W, "height": H, "time_s": T}, and then W * H * 4 bytes, red, green, blue, alpha.
 */

import { openSite } from "./node_site.mjs";

const [, , folder, mode] = process.argv;
const { place, analyzer } = await openSite(folder);
const { StreamAnalyzer } = await import(`${place}/app/engine/analyzer.js`);
const stream = new StreamAnalyzer(analyzer);

/** @type {Buffer[]} */
let parts = [];
let size = 0;
/** @type {{width: number, height: number, time_s: number} | null} */
let head = null;

/** @param {number} count */
function take(count) {
  const all = Buffer.concat(parts);
  parts = [all.subarray(count)];
  size = all.length - count;
  return all.subarray(0, count);
}

for await (const chunk of process.stdin) {
  parts.push(chunk);
  size += chunk.length;
  for (;;) {
    if (!head) {
      const end = Buffer.concat(parts).indexOf(10);
      if (end < 0) break;
      head = JSON.parse(take(end + 1).toString());
    }
    const bytes = head.width * head.height * 4;
    if (size < bytes) break;
    const picture = { data: new Uint8Array(take(bytes)), width: head.width, height: head.height, channels: 4 };
    const result = mode === "stream" ? await stream.analyze(picture, head.time_s) : await analyzer.analyze(picture);
    process.stdout.write(`${JSON.stringify(result)}\n`);
    head = null;
  }
}
