// The journal of this tablet: what was done aboard, event by event, in the encoding of
// fleet/journal_json.py. An event counts once it lies on the disk; it leaves only after the server's
// answer. All of it is in memory too, so that a storage emptied while we run is written anew.

import { signal } from "../vendor/preact/signals.mjs";
import { EVENTS, got, heldKey, KEPT, locked, openBox, whenGone, within } from "./store.mjs";

const KEEP_DAYS = 3;
const BACK_S = 5;
const MARK = "tablet_journal";
const YEAR_S = 31_536_000;

/** Kinds of events that name somebody: what they say lies on the disk encrypted. */
export const NAMING = new Set(["registration"]);

/** A record as it lies on the disk. */
const onDisk = (record) =>
  record.box === undefined ? record : { ...record, event: { ...record.event, body: { patron_id: record.event.body.patron_id } } };

/** A record as it was written. */
async function offDisk(record) {
  if (record.box === undefined) return record;
  const body = await openBox(record.box);
  return body === null ? record : { ...record, event: { ...record.event, body } };
}

const boxed = async (event) => (NAMING.has(event.kind) ? { box: await locked(plain(event.body)) } : {});

/** Records `{event, state, answer?, message?}` in order; state: waiting, answered or refused. */
export const records = signal([]);
/** What was noticed of the storage: "", "rewritten" (healed from memory) or "lost" (was emptied). */
export const trouble = signal("");
/** Called with each event that was written. */
const listeners = new Set();
export const whenWritten = (call) => listeners.add(call);
/** Called once the journal was written anew into an emptied storage: the rest is to follow. */
let onRewritten = () => {};
export const whenRewritten = (call) => { onRewritten = call; };

/** Whether the storage held nothing when the app was opened. */
export let isNewStorage = false;
let word = null;
let device = "";
let last = 0;
let steady = null;

const byId = () => new Map(records.value.map((r) => [r.event.event_id, r]));
const order = (a, b) =>
  a.event.device_at.localeCompare(b.event.device_at) || a.event.sequence - b.event.sequence;

/** The id under which this storage writes. */
export const journalId = () => (device === "" ? "" : `${device}.${word}`);
export const lastSequence = () => last;
export const waiting = () => records.value.filter((r) => r.state === "waiting");
export const refused = () => records.value.filter((r) => r.state === "refused");

/** Name the device whose journal this is; nothing is written before it is known. */
export async function nameDevice(deviceId) {
  await within([KEPT], "readwrite", async ({ kept }) => {
    const before = await got(kept.get("device"));
    if (before !== undefined && before !== deviceId) {
      // Paired anew as another device: a journal of its own begins.
      word = newWord();
      last = 0;
      kept.put(word, "word");
      kept.put(0, "sequence");
    }
    await got(kept.put(deviceId, "device"));
  });
  device = deviceId;
}

function newWord() {
  const letters = "abcdefghjkmnpqrstuvwxyz23456789";
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => letters[b % letters.length]).join("");
}

/** Read the journal; tells of a storage that was emptied since. */
export async function open() {
  const found = await within([EVENTS, KEPT], "readwrite", async (stores) => {
    const [all, own, sequence, owner] = await Promise.all([
      got(stores.events.getAll()), ...["word", "sequence", "device"].map((name) => got(stores.kept.get(name))),
    ]);
    const made = own ?? newWord();
    if (own === undefined) await got(stores.kept.put(made, "word"));
    return { all, word: made, isNew: own === undefined, sequence: sequence ?? 0, owner: owner ?? "" };
  });
  word = found.word;
  isNewStorage = found.isNew;
  device = found.owner;
  last = found.sequence;
  records.value = (await Promise.all(found.all.map(offDisk))).sort(order);
  // A cookie often outlives an emptied storage: it tells that there was a journal of another word.
  const before = marked();
  if (found.isNew && before !== null && before.unsent > 0) trouble.value = "lost";
  whenGone(() => heal());
  await prune();
}

function marked() {
  const [word_, unsent] = (document.cookie.match(/(?:^|; )tablet_journal=([^;]*)/)?.[1] ?? "").split(":");
  return word_ ? { word: word_, unsent: Number(unsent) || 0 } : null;
}

function mark() {
  if (trouble.value === "lost") return;
  const safe = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${MARK}=${word}:${waiting().length}; path=/tablet; max-age=${YEAR_S}; samesite=strict${safe}`;
}

/** The crew was told of the loss, or the copy was read in: do not tell again. */
export function settle() {
  trouble.value = "";
  mark();
}

/** Forget what was answered some days ago. */
async function prune() {
  const limit = new Date(Date.now() - KEEP_DAYS * 86_400_000).toISOString().slice(0, 10);
  const old = records.value.filter((r) => r.state === "answered" && r.event.service_date < limit);
  if (old.length > 0) {
    await within([EVENTS], "readwrite", async ({ events }) => {
      for (const { event } of old) events.delete(event.event_id);
    });
    const gone = new Set(old.map((r) => r.event.event_id));
    records.value = records.value.filter((r) => !gone.has(r.event.event_id));
  }
  mark();
}

/** By how much the clock was put back since the last look; forward may be a sleep, and is not told. */
function putBack() {
  const now = { wall: Date.now(), even: performance.now() };
  const jump = steady === null ? 0 : (now.wall - steady.wall - (now.even - steady.even)) / 1000;
  steady = now;
  return jump < -BACK_S ? Math.round(jump * 1000) / 1000 : 0;
}

const plain = (told) =>
  Object.fromEntries(Object.entries(told).filter(([, v]) => v !== undefined && v !== null && v !== ""));

/**
 * Write events, all or none.
 *
 * @param {{kind: string, body: object, place: string, service_date: string, visit_id?: string,
 *   stop_id?: string, snapshot_id?: string}[]} told
 * @returns {Promise<object[]>} the events as they lie in the journal
 */
export async function write(...told) {
  if (device === "") throw new Error("not paired");
  const jump = putBack();
  const several = jump ? [{ ...told[0], kind: "clock_set", body: { jump_s: jump }, visit_id: "", stop_id: "" }, ...told] : told;
  // Named before: what is written twice, because the storage went away meanwhile, is one event.
  const named = several.map((one) => ({ ...one, event_id: crypto.randomUUID(), device_at: new Date().toISOString() }));
  const boxes = await Promise.all(named.map(boxed));
  let isAnew = false;
  const fresh = await within([EVENTS, KEPT], "readwrite", async ({ events, kept }) => {
    // Gone without a word from the browser: what memory holds is written first.
    if ((await got(kept.get("word"))) !== word) {
      await rewrite(events, kept);
      isAnew = true;
    }
    let sequence = Math.max(last, (await got(kept.get("sequence"))) ?? 0);
    // Told once more after a silence of the storage, it may lie there already.
    const known = await Promise.all(named.map((one) => got(events.get(one.event_id))));
    const made = named.map((one, k) => ({
      ...boxes[k],
      event: plain({
        v: 1,
        device_id: journalId(),
        sequence: known[k]?.event.sequence ?? (sequence += 1),
        ...one,
        body: plain(one.body),
      }),
      state: "waiting",
    }));
    for (const record of made) events.put(onDisk(record));
    kept.put(sequence, "sequence");
    return made;
  });
  last = fresh.at(-1).event.sequence;
  records.value = [...records.value, ...fresh];
  mark();
  const events = fresh.map((r) => r.event);
  for (const call of listeners) call(events);
  if (isAnew) onRewritten();
  return events;
}

async function rewrite(events, kept) {
  trouble.value = "rewritten";
  for (const record of records.value) events.put(onDisk(record));
  if (heldKey() !== null) kept.put(heldKey(), "key");
  kept.put(word, "word");
  kept.put(device, "device");
  await got(kept.put(last, "sequence"));
}

/** Look whether the storage still holds the journal, and write it anew where it does not. */
export async function heal() {
  if (word === null) return;
  const isAnew = await within([EVENTS, KEPT], "readwrite", async ({ events, kept }) => {
    const [own, count] = await Promise.all([got(kept.get("word")), got(events.count())]);
    if (own === word && count >= records.value.length) return false;
    await rewrite(events, kept);
    return true;
  });
  if (isAnew) onRewritten();
}

/**
 * Note the server's answers.
 *
 * @param {{event_id: string, answer: string, conflict?: object, message?: string, code?: string}[]} answers
 * @param {number} revision of the server's circulation with them: a day of it or later holds them
 */
export async function noteAnswers(answers, revision) {
  const known = byId();
  const changed = new Map();
  for (const answer of answers) {
    const before = known.get(answer.event_id);
    if (before === undefined) continue;
    const isRefused = answer.answer === "refused";
    changed.set(answer.event_id, {
      ...before,
      state: isRefused ? "refused" : "answered",
      answer: answer.answer,
      revision: isRefused ? undefined : revision,
      message: answer.conflict?.message ?? answer.message ?? "",
    });
  }
  if (changed.size === 0) return;
  await within([EVENTS], "readwrite", async ({ events }) => {
    for (const record of changed.values()) events.put(onDisk(record));
  });
  records.value = records.value.map((r) => changed.get(r.event.event_id) ?? r);
  mark();
}

/** Let refused events be sent once more, after what stood against them has changed. */
export const sendRefusedAgain = () => waitAgain(refused());

/**
 * Let events be sent once more that the server had answered and has no longer, as after a backup.
 *
 * @param {Record<string, [number, number][]>} spans by journal, the numbers that it lacks
 */
export async function noteMissing(spans) {
  const isMissing = ({ device_id, sequence }) => (spans[device_id] ?? []).some(([from, until]) => from <= sequence && sequence <= until);
  await waitAgain(records.value.filter((r) => r.state === "answered" && isMissing(r.event)));
}


async function waitAgain(some) {
  if (some.length === 0) return;
  const again = some.map((r) => ({ ...r, state: "waiting" }));
  const changed = new Map(again.map((r) => [r.event.event_id, r]));
  await within([EVENTS], "readwrite", async ({ events }) => {
    for (const record of again) events.put(onDisk(record));
  });
  records.value = records.value.map((r) => changed.get(r.event.event_id) ?? r);
}

/**
 * Take events of a copy in; those that are here already stay as they are.
 *
 * @param {object[]} events as they were written, also by another storage or tablet
 * @returns {Promise<number>} how many were new
 */
export async function takeIn(events) {
  const known = byId();
  const unknown = events.filter((event) => !known.has(event.event_id));
  const fresh = await Promise.all(unknown.map(async (event) => ({ ...(await boxed(event)), event, state: "waiting" })));
  if (fresh.length > 0) {
    await within([EVENTS], "readwrite", async ({ events: store }) => {
      for (const record of fresh) store.put(onDisk(record));
    });
    records.value = [...records.value, ...fresh].sort(order);
  }
  settle();
  for (const call of listeners) call([]);
  return fresh.length;
}
