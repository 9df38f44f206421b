#!/bin/sh
# Refreshes static/vendor from npm: `make vendor-browser`. Versions are pinned here.
set -eu
ORT=onnxruntime-web@1.30.0
SERIF=@fontsource-variable/source-serif-4@5.3.1
SANS=@fontsource-variable/source-sans-3@5.3.1

vendor=$(cd "$(dirname "$0")/static/vendor" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fetch() { # package, files of it...
  archive=$(cd "$work" && npm pack --silent "$1" | tail -1)
  shift
  for file in "$@"; do tar -xzOf "$work/$archive" "package/$file" > "$vendor/$target$(basename "$file")"; done
}

target=
fetch $ORT dist/ort.wasm.min.mjs dist/ort-wasm-simd-threaded.mjs dist/ort-wasm-simd-threaded.wasm
# Its map is not shipped; browsers' tools would ask for it.
sed -i '/^\/\/# sourceMappingURL=/d' "$vendor/ort.wasm.min.mjs"
target=fonts/
fetch $SERIF files/source-serif-4-latin-wght-normal.woff2 LICENSE
fetch $SANS files/source-sans-3-latin-wght-normal.woff2
cd "$vendor" && sha256sum ort* fonts/*.woff2 | grep -v 'd.mts' > SHA256SUMS && cat SHA256SUMS
