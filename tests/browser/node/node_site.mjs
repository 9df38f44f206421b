/** Opens the page's own engine in Node: node's tests and the comparison with Python use the files that visitors get. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** @param {string} folder A written page. */
export async function openSite(folder) {
  const index = await readFile(join(folder, "index.html"), "utf8");
  const place = join(folder, /data-place="([0-9a-f]+)"/.exec(index)[1]);
  const settings = JSON.parse(await readFile(join(place, "settings.json"), "utf8"));
  const { openAnalyzer } = await import(pathToFileURL(join(place, "app/engine/open.js")).href);
  const networks = {};
  for (const [name, file] of Object.entries(settings.networks)) {
    networks[name] = new Uint8Array(await readFile(join(place, file)));
  }
  const analyzer = await openAnalyzer(settings, networks, {
    glue: pathToFileURL(join(place, "vendor/ort-wasm-simd-threaded.mjs")).href,
    binary: new Uint8Array(await readFile(join(place, "vendor/ort-wasm-simd-threaded.wasm"))),
  });
  return { place, settings, analyzer };
}
