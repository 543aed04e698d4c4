// Keeps the tablet's page and everything that it is made of, so that it starts with no network.
// VERSION and FILES come before this text, written by the server. What is kept is replaced as a
// whole: a page is never put together from two versions. The day and the journal are not kept here.

const NAME = `tablet-${VERSION}`;
const PAGE = "/tablet";

self.addEventListener("install", (event) => {
  event.waitUntil(fill());
});

// So many at once: one after another, a slow network's delay is paid for each file.
const AT_ONCE = 6;

async function fill() {
  const cache = await caches.open(NAME);
  const kept = new Set((await cache.keys()).map((request) => new URL(request.url).pathname));
  const left = FILES.filter((address) => !kept.has(address));
  const work = async () => {
    for (let address = left.shift(); address !== undefined; address = left.shift()) await take(cache, address);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function take(cache, address) {
  const isHashed = address.startsWith("/static/");
  const answer = await fetch(new Request(address, { cache: isHashed ? "default" : "reload", credentials: "same-origin" }));
  if (!answer.ok || answer.redirected) throw new Error(`${address}: ${answer.status}`);
  await cache.put(address, answer);
}

self.addEventListener("activate", (event) => {
  event.waitUntil(tidy());
});

async function tidy() {
  for (const name of await caches.keys()) {
    if (name.startsWith("tablet-") && name !== NAME) await caches.delete(name);
  }
  await self.clients.claim();
}

self.addEventListener("message", (event) => {
  if (event.data === "take-over") self.skipWaiting();
  // The browser may have thrown away what is kept: the page asks for it to be fetched again.
  if (event.data === "refill") event.waitUntil(fill());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  const path = url.pathname;
  const isPage = request.mode === "navigate" && (path === PAGE || path === `${PAGE}/`);
  if (!isPage && !FILES.includes(path)) return;
  event.respondWith(kept(isPage ? PAGE : path, request));
});

async function kept(path, request) {
  const cache = await caches.open(NAME);
  return (await cache.match(path)) ?? fetch(request);
}
