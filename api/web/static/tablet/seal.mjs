// Seals the day within the second copy. The key is a cookie of this page: it often outlives a storage
// that the browser has emptied, and is not where the copy is.

const COOKIE = /(?:^|; )tablet_key=([\w-]{43})/;
const YEAR_S = 31_536_000;

const toText = (bytes) => btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(""));
const toBytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const through = (bytes, stream) => new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer();

async function key(isMade) {
  let told = document.cookie.match(COOKIE)?.[1];
  if (told === undefined) {
    if (!isMade) return null;
    told = toText(crypto.getRandomValues(new Uint8Array(32))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
    const safe = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `tablet_key=${told}; path=/tablet; max-age=${YEAR_S}; samesite=strict${safe}`;
  }
  const raw = toBytes(told.replace(/-/g, "+").replace(/_/g, "/"));
  return crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** Something as a sealed box that a JSON text can hold. */
export async function sealed(value) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const packed = await through(new TextEncoder().encode(JSON.stringify(value)), new CompressionStream("gzip"));
  const cipher = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await key(true), packed);
  return { iv: toText(iv), cipher: toText(new Uint8Array(cipher)) };
}

/** What is in a box; null where the key is not here or the box was changed. */
export async function unsealed(box) {
  try {
    const own = await key(false);
    if (own === null) return null;
    const packed = await crypto.subtle.decrypt({ name: "AES-GCM", iv: toBytes(box.iv) }, own, toBytes(box.cipher));
    return JSON.parse(new TextDecoder().decode(await through(packed, new DecompressionStream("gzip"))));
  } catch {
    return null;
  }
}
