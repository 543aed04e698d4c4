// The map of the district on the tablet: one file in pieces of 1 MiB, so that a broken download goes
// on where it stopped.

import { signal } from "../vendor/preact/signals.mjs";
import { got, KEPT, keep, kept, PIECES, within } from "./store.mjs";

const PIECE = 1024 * 1024;
const IN_MEMORY = 4;
const keyOf = (version, k) => `map/${version}/${String(k).padStart(6, "0")}`;

/** `{state: "none" | "part" | "loading" | "whole", have, size, version}` in bytes. */
export const mapState = signal({ state: "none", have: 0, size: 0, version: "" });

/** What is here of a map. */
export async function open(map) {
  const before = await kept("map");
  if (before === undefined) return;
  mapState.value = before.state === "loading" ? { ...before, state: "part" } : before;
  const count = await within([PIECES], "readonly", ({ pieces }) => got(pieces.count(rangeOf(before.version))));
  // Pieces may have been taken away by the browser.
  if (count < Math.ceil(mapState.value.have / PIECE)) mapState.value = { ...mapState.value, state: "part", have: 0 };
  if (map && map.version !== before.version && before.state !== "whole") mapState.value = { state: "none", have: 0, size: 0, version: "" };
}

const rangeOf = (version) => IDBKeyRange.bound(`map/${version}/`, `map/${version}/\uffff`);

/** Fetch what is missing of the map; an older one stays until the new one is whole. */
export async function downloadMap(map) {
  if (map === null || mapState.value.state === "loading") return;
  const before = mapState.value;
  if (before.state === "whole" && before.version === map.version) return;
  mapState.value = { ...before, state: "loading" };
  try {
    let k = 0;
    let size = map.size_bytes;
    let have = 0;
    while (have < size) {
      const key = keyOf(map.version, k);
      const here = await within([PIECES], "readonly", ({ pieces }) => got(pieces.get(key)));
      if (here === undefined) {
        const answer = await fetch(map.url, { headers: { range: `bytes=${k * PIECE}-${Math.min(size, (k + 1) * PIECE) - 1}` } });
        if (answer.status !== 206) throw new Error(`${answer.status}`);
        size = Number(answer.headers.get("content-range")?.split("/")[1]) || size;
        const bytes = await answer.arrayBuffer();
        await within([PIECES], "readwrite", ({ pieces }) => got(pieces.put(bytes, key)));
        have += bytes.byteLength;
      } else have += here.byteLength;
      k += 1;
      mapState.value = { state: "loading", have, size, version: map.version };
    }
    await tidy(map.version);
    mapState.value = { state: "whole", have: size, size, version: map.version };
  } catch (error) {
    console.info("map:", error.message);
    mapState.value = before.state === "whole" ? before : { ...mapState.value, state: "part" };
  }
  await keep("map", mapState.value);
}

/** Forget the pieces of other versions. */
async function tidy(version) {
  await within([PIECES, KEPT], "readwrite", async ({ pieces }) => {
    const keys = await got(pieces.getAllKeys(IDBKeyRange.bound("map/", "map/\uffff")));
    for (const key of keys) if (!key.startsWith(`map/${version}/`)) pieces.delete(key);
  });
}

/** The kept file as PMTiles reads it. */
export class KeptMap {
  #held = new Map();

  constructor(url, { version, size }) {
    this.url = url;
    this.version = version;
    this.size = size;
  }

  getKey() {
    return this.url;
  }

  async #piece(k) {
    const held = this.#held.get(k);
    if (held !== undefined) {
      this.#held.delete(k);
      this.#held.set(k, held);
      return held;
    }
    const bytes = await within([PIECES], "readonly", ({ pieces }) => got(pieces.get(keyOf(this.version, k))));
    if (bytes === undefined) throw new Error("map piece is gone");
    this.#held.set(k, bytes);
    if (this.#held.size > IN_MEMORY) this.#held.delete(this.#held.keys().next().value);
    return bytes;
  }

  async getBytes(offset, length) {
    const end = Math.min(this.size, offset + length);
    const out = new Uint8Array(Math.max(0, end - offset));
    for (let k = Math.floor(offset / PIECE); k * PIECE < end; k += 1) {
      const bytes = new Uint8Array(await this.#piece(k));
      const from = Math.max(offset, k * PIECE);
      const part = bytes.subarray(from - k * PIECE, Math.min(end - k * PIECE, PIECE));
      out.set(part, from - offset);
    }
    return { data: out.buffer };
  }
}
