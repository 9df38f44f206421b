/* Keeps the page for use without a network. Everything but the entrance lies in a folder named after its content, so
   a file that is kept is never out of date. */
const FILES = @FILES@;
const CACHE = `mien ${self.registration.scope} @PLACE@`;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const outdated = (name) => name.startsWith(`mien ${self.registration.scope} `) && name !== CACHE;
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter(outdated).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    // The entrance names the folder: from the network if there is one, so that a new version is seen at once.
    event.respondWith(fetch(request).catch(async () => (await caches.match("index.html")) ?? Response.error()));
    return;
  }
  event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
});
