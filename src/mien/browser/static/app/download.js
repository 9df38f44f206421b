/**
 * Fetch several files at once.
 *
 * @param {string[]} addresses
 * @param {(loaded: number) => void} onProgress Told the bytes that have come so far, of all files together.
 * @returns {Promise<Uint8Array[]>}
 */
export async function download(addresses, onProgress) {
  let loaded = 0;
  return Promise.all(
    addresses.map(async (address) => {
      const response = await fetch(address);
      if (!response.ok || !response.body) throw new Error(`${address}: the server answers ${response.status}`);
      const reader = response.body.getReader();
      /** @type {Uint8Array[]} */
      const parts = [];
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        parts.push(value);
        loaded += value.length;
        onProgress(loaded);
      }
      const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
      let offset = 0;
      for (const part of parts) {
        whole.set(part, offset);
        offset += part.length;
      }
      return whole;
    }),
  );
}
