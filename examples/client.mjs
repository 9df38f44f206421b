// Ask a running `mien serve` about pictures, from JavaScript. In Node 20 or later:
//
//   node examples/client.mjs examples/astronaut.jpg
//
// In a page, take the File of an <input type="file"> in place of openAsBlob; the service must have been started with
// --cors-origin and the page's address. MIEN_URL and MIEN_TOKEN as in client.py.
import { openAsBlob } from "node:fs";
import { basename } from "node:path";

const url = process.env.MIEN_URL ?? "http://127.0.0.1:8000";
const form = new FormData();
for (const path of process.argv.slice(2)) {
  form.append("pictures", await openAsBlob(path), basename(path));
}
const headers = process.env.MIEN_TOKEN ? { Authorization: `Bearer ${process.env.MIEN_TOKEN}` } : {};
const answer = await fetch(`${url}/v1/analyze`, { method: "POST", body: form, headers }).catch((error) => {
  console.error(`no answer from ${url} (${error.cause?.code ?? error.message}); is mien serve running?`);
  process.exit(1);
});
const result = await answer.json();
if (!answer.ok) {
  console.error(result.detail);
  process.exit(1);
}
for (const { source, faces = [], error } of result.pictures) {
  if (error) console.error(`${source}: ${error.detail}`);
  for (const face of faces) {
    console.log(source, face.emotion, `${Math.round(100 * face.confidence)}%`, JSON.stringify(face.box));
  }
}
