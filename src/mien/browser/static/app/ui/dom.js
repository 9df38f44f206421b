/**
 * An element with attributes and children.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Record<string, string | boolean | ((event: any) => void)>} [attributes] Functions listen to the event of
 *   that name; false leaves an attribute out.
 * @param {...(Node | string | null)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** @param {string} id */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/** `1 face`, `2 faces`. @param {number} count @param {string} word @param {string} [plural] */
export function counted(count, word, plural = `${word}s`) {
  return `${count} ${count === 1 ? word : plural}`;
}

/** `93%`. @param {number} share */
export function percent(share) {
  return `${Math.round(100 * share)}%`;
}

/** `0:42`, `12:05`. @param {number} seconds */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Offer a file for saving. @param {Blob} content @param {string} name */
export function save(content, name) {
  const address = URL.createObjectURL(content);
  element("a", { href: address, download: name }).click();
  // The browser reads the address a moment later.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** The emotion and confidence in words, `sad? 41%` where uncertain. @param {import("../engine/types.js").Face} face */
export function describe(face) {
  return `${face.emotion}${face.uncertain ? "?" : ""} ${percent(face.confidence)}`;
}

/** How far people would disagree, in words; nothing where that is not known. @param {import("../engine/types.js").Face} face */
export function disagreement(face) {
  return face.ambiguity === undefined ? "" : `about ${percent(face.ambiguity)} of people would name another emotion than most`;
}
