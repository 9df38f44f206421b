/**
 * Sorts what people choose, drop or paste into photos and videos.
 *
 * @typedef {{photos: File[], videos: File[], others: File[]}} Sorted
 */

const VIDEO = /\.(mp4|m4v|mov|webm|mkv|ogv|avi|3gp)$/i;
const PHOTO = /\.(jpe?g|png|webp|gif|bmp|avif|heic|heif|tiff?)$/i;

/** @param {Iterable<File>} files @returns {Sorted} */
export function sortFiles(files) {
  /** @type {Sorted} */
  const sorted = { photos: [], videos: [], others: [] };
  for (const file of files) {
    if (file.type.startsWith("video/") || VIDEO.test(file.name)) sorted.videos.push(file);
    else if (file.type.startsWith("image/") || PHOTO.test(file.name)) sorted.photos.push(file);
    else sorted.others.push(file);
  }
  return sorted;
}

/** What to say of a picture that the browser cannot decode. @param {File} file @param {Error} error */
export function photoTrouble(file, error) {
  if (/pixels/.test(error.message)) return error.message;
  if (/\.(heic|heif)$/i.test(file.name)) return "HEIC pictures are not known to this browser; save it as JPEG or PNG";
  if (/\.tiff?$/i.test(file.name)) return "TIFF pictures are not known to browsers; save it as JPEG or PNG";
  return "cannot be read as a picture: it is damaged, or of a kind that this browser does not know";
}
