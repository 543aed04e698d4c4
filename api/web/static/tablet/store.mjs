// The tablet's own database: events that are only ever added, the day (encrypted), pieces of the
// map, and small things kept by name. A connection that the browser has ended is opened anew.

const NAME = "bookmobile-tablet";
const VERSION = 1;
export const EVENTS = "events";
export const KEPT = "kept";
export const PIECES = "pieces";

let opened = null;
/** What is to be told to work under way, by the database that it works in. */
const lost = new WeakMap();
let onGone = () => {};

/** Called when the browser has taken the database away under our feet. */
export const whenGone = (call) => { onGone = call; };

function build(db) {
  db.createObjectStore(EVENTS, { keyPath: "event.event_id" });
  db.createObjectStore(KEPT);
  db.createObjectStore(PIECES);
}

/** The open database. */
export function database() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, VERSION);
    asked.onupgradeneeded = () => build(asked.result);
    asked.onerror = () => reject(asked.error);
    asked.onsuccess = () => {
      const db = asked.result;
      const held = opened;
      const end = () => {
        db.close();
        if (opened === held) opened = null;
      };
      db.onversionchange = end;
      db.onclose = () => {
        end();
        // Work that is under way hears nothing more of its transaction.
        for (const call of lost.get(db) ?? []) call();
        onGone();
      };
      resolve(db);
    };
  });
  opened.catch(() => { opened = null; });
  return opened;
}

const SILENCE_MS = 8_000;
const LOST = new Set(["InvalidStateError", "AbortError", "UnknownError"]);

/**
 * Work within one transaction; what it gives counts only once everything lies on the disk.
 *
 * Where the browser takes the database away meanwhile, the work is done once more in a new one: it
 * must come to the same when it is done twice.
 *
 * @param {string[]} names stores
 * @param {"readonly" | "readwrite"} mode
 * @param {(stores: Record<string, IDBObjectStore>) => Promise<any>} work
 */
export async function within(names, mode, work) {
  try {
    return await once(names, mode, work);
  } catch (error) {
    if (!LOST.has(error?.name)) throw error;
    opened = null;
    return once(names, mode, work);
  }
}

async function once(names, mode, work) {
  const db = await database();
  const transaction = db.transaction(names, mode, { durability: "strict" });
  let tell;
  let timer;
  const calls = lost.get(db) ?? new Set();
  lost.set(db, calls);
  const gone = new Promise((resolve, reject) => {
    tell = () => reject(new DOMException("the storage is gone", "AbortError"));
    calls.add(tell);
    // A database that was taken away may fall silent without a word.
    timer = setTimeout(() => {
      opened = null;
      tell();
    }, SILENCE_MS);
  });
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new DOMException("aborted", "AbortError"));
  });
  done.catch(() => {});
  gone.catch(() => {});
  const stores = Object.fromEntries(names.map((name) => [name, transaction.objectStore(name)]));
  try {
    const result = await Promise.race([work(stores), gone]);
    await Promise.race([done, gone]);
    return result;
  } finally {
    clearTimeout(timer);
    calls.delete(tell);
  }
}

/** The result of one request. */
export const got = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** What is kept under a name. */
export const kept = (name) => within([KEPT], "readonly", ({ kept: store }) => got(store.get(name)));

/** Keep something under a name. */
export const keep = (name, value) =>
  within([KEPT], "readwrite", ({ kept: store }) => got(store.put(value, name)));

/** Forget what is kept under a name. */
export const forget = (name) =>
  within([KEPT], "readwrite", ({ kept: store }) => got(store.delete(name)));

/** Keep something that names people: encrypted by a key that scripts cannot read out. */
export const lockAway = async (name, value) => keep(name, await locked(value));

/** Something encrypted by the storage's own key, as it may lie in it. */
export async function locked(value) {
  const text = new TextEncoder().encode(JSON.stringify(value));
  const key = await ownKey();
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return { iv, cipher: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, text) };
}

/** What was locked away under a name; null where there is nothing that can be read. */
export const unlocked = async (name) => openBox(await kept(name));

/** What is in a box; null where it cannot be read. */
export async function openBox(box) {
  if (box === undefined) return null;
  try {
    const key = await ownKey();
    const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv: box.iv }, key, box.cipher);
    return JSON.parse(new TextDecoder().decode(text));
  } catch {
    return null;
  }
}

let held = null;
/** The key that boxes in memory are locked by, to be kept again in an emptied storage. */
export const heldKey = () => held;

async function ownKey() {
  held ??= (await kept("key")) ?? (await newKey());
  return held;
}

async function newKey() {
  const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  return within([KEPT], "readwrite", async ({ kept: store }) => {
    const other = await got(store.get("key"));
    if (other !== undefined) return other;
    await got(store.put(made, "key"));
    return made;
  });
}

/** Ask the browser to keep our storage when it runs short; whether it promised to. */
export async function persist() {
  if (!navigator.storage?.persist) return false;
  return (await navigator.storage.persisted()) || navigator.storage.persist();
}
