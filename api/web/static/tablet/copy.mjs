// The second copy of the journal: a file, kept up to date by itself where the browser can, else
// written out by hand. One JSON text a line: a head, the day where there is one, the events; the last
// line counts and sums up what is above. The day names readers: it is sealed by a key that stays in
// this browser, so that a lost memory card tells nothing.

import { signal } from "../vendor/preact/signals.mjs";
import { day, takeDay } from "./day.mjs";
import { journalId, lastSequence, NAMING, records, takeIn } from "./journal.mjs";
import { sealed, unsealed } from "./seal.mjs";
import { keep, kept } from "./store.mjs";

const FORMAT = "bookmobile-journal";
const WAIT_MS = 1500;
const MOST_BYTES = 64 * 1024 * 1024;

/** How things stand: `{state: "none" | "on" | "ask" | "failed", name, at, count}`. */
export const copy = signal({ state: "none", name: "", at: null, count: 0 });
export const canFollow = "showSaveFilePicker" in globalThis;

let handle = null;
let timer = null;
let writing = Promise.resolve();
const sealedEvents = new Map();
let sealedDay = { version: "", line: null };

async function digest(text) {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");
}

/** The day sealed, once for each version of it. */
async function dayLine() {
  const told = day.value;
  if (told === null) return [];
  if (sealedDay.version !== told.version) sealedDay = { version: told.version, line: { day: await sealed(told.told) } };
  return [sealedDay.line];
}

/** An event; one that names somebody is sealed. */
async function eventLine(event) {
  if (!NAMING.has(event.kind)) return event;
  if (!sealedEvents.has(event.event_id)) sealedEvents.set(event.event_id, { sealed: await sealed(event) });
  return sealedEvents.get(event.event_id);
}

/** The whole journal as text. */
export async function text() {
  const told = await dayLine();
  const events = await Promise.all(records.value.map((r) => eventLine(r.event)));
  const head = { format: FORMAT, v: 1, device_id: journalId(), last_sequence: lastSequence(), made_at: new Date().toISOString() };
  const lines = [head, ...told, ...events].map((one) => JSON.stringify(one)).join("\n");
  return `${lines}\n${JSON.stringify({ end: true, count: events.length, sha256: await digest(lines) })}\n`;
}

const told = async (changes) => {
  copy.value = { ...copy.value, ...changes };
  await keep("copy", { name: copy.value.name, at: copy.value.at, count: copy.value.count });
};

/** Take up the file of before; the browser may want to be asked again. */
export async function open() {
  const before = await kept("copy");
  if (before !== undefined) copy.value = { ...copy.value, ...before };
  handle = (await kept("copy_handle")) ?? null;
  if (handle === null) return;
  const granted = await handle.queryPermission({ mode: "readwrite" });
  copy.value = { ...copy.value, state: granted === "granted" ? "on" : "ask" };
  if (granted === "granted") soon();
}

/** Let somebody choose the file that follows the journal from now on. */
export async function choose() {
  const vehicle = journalId().slice(0, 6);
  handle = await showSaveFilePicker({ suggestedName: `bookmobile-${vehicle}.journal`, types: [{ accept: { "application/x-ndjson": [".journal"] } }] });
  await keep("copy_handle", handle);
  await told({ state: "on", name: handle.name });
  await follow();
}

/** Ask the browser for the file of before once more; needs a tap. */
export async function resume() {
  if ((await handle.requestPermission({ mode: "readwrite" })) !== "granted") return;
  copy.value = { ...copy.value, state: "on" };
  await follow();
}

/** Bring the file up to date shortly. */
export function soon() {
  if (copy.value.state !== "on" && copy.value.state !== "failed") return;
  clearTimeout(timer);
  timer = setTimeout(() => follow(), WAIT_MS);
}

/** Bring the file up to date now. */
export function follow() {
  if (handle === null) return Promise.resolve();
  clearTimeout(timer);
  writing = writing.then(async () => {
    try {
      const count = records.value.length;
      // Written beside and put in its place when it is whole.
      const file = await handle.createWritable();
      await file.write(await text());
      await file.close();
      await told({ state: "on", at: Date.now(), count });
    } catch (error) {
      console.info("copy:", error.message);
      copy.value = { ...copy.value, state: error.name === "NotAllowedError" ? "ask" : "failed" };
    }
  });
  return writing;
}

/** Write a copy out by hand. */
export async function hand() {
  const count = records.value.length;
  const name = `bookmobile-${new Date().toISOString().slice(0, 16).replaceAll(":", "-")}.journal`;
  const blob = new Blob([await text()], { type: "application/x-ndjson" });
  save(blob, name);
  await told({ name, at: Date.now(), count });
}

/** Hand a file to the browser's downloads. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const isEvent = (one) =>
  typeof one?.event_id === "string" && typeof one.device_id === "string" && Number.isInteger(one.sequence) &&
  typeof one.kind === "string" && typeof one.device_at === "string" && typeof one.service_date === "string" &&
  typeof one.place === "string" && one.v === 1 && typeof one.body === "object" && one.body !== null;

/**
 * Read a copy: of a cut-off one as much as is there.
 *
 * @param {File} file
 * @returns {Promise<{events: object[], box: object | null, bad: number, isWhole: boolean}>}
 * @throws {Error} `copy.foreign` or `copy.too_large`
 */
export async function read(file) {
  if (file.size > MOST_BYTES) throw new Error("copy.too_large");
  const lines = (await file.text()).split("\n").filter((line) => line.trim() !== "");
  const parsed = lines.map((line) => {
    try {
      return JSON.parse(line);
    } catch {
      return null;
    }
  });
  if (parsed[0]?.format !== FORMAT || parsed[0].v !== 1) throw new Error("copy.foreign");
  const end = parsed.at(-1);
  const isEnded = end?.end === true;
  const body = parsed.slice(1, isEnded ? -1 : undefined);
  const box = body.find((one) => one?.day !== undefined)?.day ?? null;
  const rest = body.filter((one) => one?.day === undefined);
  const read = await Promise.all(rest.map((one) => (one?.sealed === undefined ? one : unsealed(one.sealed))));
  const events = read.filter(isEvent);
  const isWhole = isEnded && end.count === events.length && end.sha256 === (await digest(lines.slice(0, -1).join("\n")));
  return { events, box, bad: rest.length - events.length, isWhole };
}

/** Read a copy and take what it holds into the journal; gives also how many were new. */
export async function restore(file) {
  const found = await read(file);
  const fresh = await takeIn(found.events);
  // Without a network it is the only way back to the day.
  if (day.value === null && found.box !== null) await takeDay(await unsealed(found.box));
  return { ...found, fresh };
}
