// Sends what waits in the journal, as often as need be and never twice at once; what was sent and
// not answered is sent again with the same ids.

import { signal } from "../vendor/preact/signals.mjs";
import { day, fetchDay, today } from "./day.mjs";
import { journalId, lastSequence, noteAnswers, noteMissing, waiting, whenWritten } from "./journal.mjs";
import { sendPhotos } from "./photos.mjs";
import { keep, kept } from "./store.mjs";

const ADDRESS = "/api/v1/sync/events";
const AT_ONCE = 200;
const EVERY_MS = 30_000;
const SOON_MS = 1_000;
const MOST_WAIT_MS = 10 * 60_000;
// A network comes and goes by itself; a server that refuses needs somebody to mend it.
const MOST_OFFLINE_MS = 60_000;
// Where all tablets of a region come back at once, the last of them waits about a minute.
const PATIENCE_MS = 150_000;

/** "idle", "sending", "offline", "unpaired" or "failed:<message>"; when the last exchange ended well. */
export const link = signal({ state: "idle", at: null, offset: 0 });

/** Vain tries since the last exchange: hours without a network say nothing of the server, and are counted apart. */
const vain = { offline: 0, refused: 0 };
let notBefore = 0;
let timer = null;
let retry = null;
/** What is to be done after the exchange that is under way: `{isAsked}`. */
let next = null;
let underWay = null;

async function exchange(events) {
  const answer = await fetch(ADDRESS, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ device_id: journalId(), device_now: new Date().toISOString(), last_sequence: lastSequence(), events }),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => null);
    throw Object.assign(new Error(problem?.message ?? `${answer.status}`), { status: answer.status });
  }
  return answer.json();
}

async function send() {
  // An empty exchange first: the server measures our clock without the time of an upload.
  const met = await exchange([]);
  let revision = met.revision;
  await noteMissing(met.missing);
  for (let batch = waiting().slice(0, AT_ONCE); batch.length > 0; batch = waiting().slice(0, AT_ONCE)) {
    const told = await exchange(batch.map((r) => r.event));
    await noteAnswers(told.answers.map((a) => ({ ...a, event_id: a.event_id || batch[a.index].event.event_id })), told.revision);
    revision = told.revision;
    const answered = new Set(told.answers.map((a) => a.event_id || batch[a.index]?.event.event_id));
    if (!batch.some((r) => answered.has(r.event.event_id))) throw new Error("no answers");
  }
  await sendPhotos();
  return { offset: met.offset_s, revision, isDoubled: met.is_doubled };
}

/**
 * Send all that waits and fetch the day where it has changed.
 *
 * What is asked for while an exchange is under way is done right after it: a tap is never in vain,
 * and what was written in its last moment does not wait for the next occasion.
 *
 * @param {{isAsked?: boolean}} [options] somebody asks: whatever failed before, now
 */
export function sync({ isAsked = false } = {}) {
  if (journalId() === "" || (!isAsked && Date.now() < notBefore)) return Promise.resolve();
  next = { isAsked: isAsked || (next?.isAsked ?? false) };
  underWay ??= run().finally(() => { underWay = null; });
  return underWay;
}

async function run() {
  while (next !== null) {
    const { isAsked } = next;
    next = null;
    if (isAsked || Date.now() >= notBefore) await navigator.locks.request("tablet-outbox", () => attempt(isAsked));
  }
}

async function attempt(isAsked) {
  clearTimeout(retry);
  link.value = { ...link.value, state: "sending" };
  try {
    const { offset, revision, isDoubled } = await send();
    forget();
    link.value = { state: "idle", at: Date.now(), offset, isDoubled };
    await keep("link", link.value);
    const told = day.value;
    const isOld = told === null || revision > told.revision || told.service_date !== today();
    if (isOld || isAsked) await fetchDay();
  } catch (error) {
    const why = error.status === undefined ? "offline" : "refused";
    vain[why] += 1;
    const most = why === "offline" ? MOST_OFFLINE_MS : MOST_WAIT_MS;
    const wait = Math.min(most, 2 ** Math.min(vain[why], 10) * 5_000 * (0.5 + Math.random()));
    notBefore = Date.now() + wait;
    retry = setTimeout(() => sync(), wait + 1);
    link.value = { ...link.value, state: stateOf(error) };
    // A tablet whose access was taken away forgets its readers.
    if (error.status === 401) await fetchDay();
  }
}

function forget() {
  Object.assign(vain, { offline: 0, refused: 0 });
  notBefore = 0;
}

function stateOf(error) {
  if (error.status === 401) return "unpaired";
  if (error.status !== undefined) return `failed:${error.message}`;
  return "offline";
}

const soon = () => {
  clearTimeout(timer);
  timer = setTimeout(() => sync(), SOON_MS);
};

/** Begin: after each event, on contact, on coming back to the app, and now and then. */
export async function open() {
  const before = await kept("link");
  if (before !== undefined) link.value = { ...before, state: "idle" };
  whenWritten(soon);
  const back = () => {
    forget();
    sync();
  };
  addEventListener("online", back);
  // From one network to another there is no "online": the first may have led nowhere.
  navigator.connection?.addEventListener?.("change", () => { if (navigator.onLine) back(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) sync(); });
  setInterval(() => sync(), EVERY_MS);
  sync();
}
