// The vehicle's own computer, where there is one: it keeps what was written as a second copy, brings it
// to the server when it has a network, and hands the server's answers back. Its address and secret are
// a cookie of this page: it often outlives a storage that the browser has emptied.

import { signal } from "../vendor/preact/signals.mjs";
import { day, takeDay } from "./day.mjs";
import { journalId, lastSequence, noteAnswers, records, takeIn, whenWritten } from "./journal.mjs";
import { sealed, unsealed } from "./seal.mjs";
import { keep, kept } from "./store.mjs";

const COOKIE = /(?:^|; )tablet_relay=([\w-]+)/;
const YEAR_S = 31_536_000;
const AT_ONCE = 200;
const SOON_MS = 1_000;
const EVERY_MS = 15_000;
const PATIENCE_MS = 15_000;
const PAIRING = "#relay/";

/** How things stand: state "none", "on", "sending", "away", "blocked", "key" or "refused". */
export const relay = signal({ state: "none", url: "", at: null, count: 0, why: "" });

let known = null;
let after = 0;
let dayVersion = "";
let timer = null;
let underWay = null;
let isWanted = false;
/** Events that it has, by id. */
const there = new Set();

const toText = (told) => btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(told)))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
const fromText = (text) => JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0))));

function remembered() {
  try {
    return fromText(document.cookie.match(COOKIE)[1]);
  } catch {
    return null;
  }
}

function remember() {
  const safe = location.protocol === "https:" ? "; secure" : "";
  const told = known === null ? "" : toText(known);
  document.cookie = `tablet_relay=${told}; path=/tablet; max-age=${known === null ? 0 : YEAR_S}; samesite=strict${safe}`;
}

/** The device whose journal it keeps, as it was before a storage was emptied. */
export const deviceBefore = () => known?.device ?? "";

/** Take up a pairing code from the address; it is shown no longer. */
export function pairByAddress() {
  if (!location.hash.startsWith(PAIRING)) return false;
  try {
    const { url, secret } = fromText(location.hash.slice(PAIRING.length));
    pair(url, secret);
  } catch {
    return false;
  } finally {
    // In place of the code, and told to the screens, which history.replaceState is not.
    location.replace("#keep");
  }
  return known !== null;
}

/** Connect to one by its address and secret; whether the address is one. */
export function pair(url, secret) {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol) || !secret) return false;
  known = { url: new URL(url).origin, secret, device: journalId().split(".")[0] };
  there.clear();
  after = 0;
  remember();
  relay.value = { state: "away", url: known.url, at: null, count: 0, why: "" };
  soon();
  return true;
}

/** Know it no longer. */
export function forgetRelay() {
  known = null;
  remember();
  relay.value = { state: "none", url: "", at: null, count: 0, why: "" };
}

async function call(method, path, body) {
  const answer = await fetch(`${known.url}/relay/v1/${path}`, {
    method, credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS),
    headers: { authorization: `Bearer ${known.secret}`, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!answer.ok) throw Object.assign(new Error(`${answer.status}`), { status: answer.status });
  return answer.json();
}

/** Notes the server's answers that came by it. */
async function take(answers) {
  for (const revision of new Set(answers.map((a) => a.revision))) {
    await noteAnswers(answers.filter((a) => a.revision === revision), revision);
  }
  // Refused ones may be sent once more, by a tap.
  for (const one of answers) if (one.answer === "refused") there.delete(one.event_id);
}

async function exchange() {
  let isMore = true;
  let why = "";
  while (isMore) {
    const events = records.value.filter((r) => r.state === "waiting" && !there.has(r.event.event_id)).slice(0, AT_ONCE).map((r) => r.event);
    const told = await call("POST", "events", {
      journal: journalId(), device_now: new Date().toISOString(), last_sequence: lastSequence(), events, answers_after: after,
    });
    for (const id of [...told.kept, ...Object.keys(told.refused)]) there.add(id);
    why = Object.values(told.refused)[0] ?? why;
    await take(told.answers);
    if (told.answers_until !== after) {
      after = told.answers_until;
      await keep("relay_after", { url: known.url, after });
    }
    isMore = events.length === AT_ONCE || told.answers.length > 0;
    relay.value = { state: why === "" ? "on" : "refused", url: known.url, at: Date.now(), count: told.count, why };
  }
  const told = day.value;
  if (told !== null && told.version !== dayVersion) {
    await call("PUT", "day", { device: journalId().split(".")[0], box: await sealed(told.told) });
    dayVersion = told.version;
  }
}

async function run() {
  while (isWanted) {
    isWanted = false;
    try {
      await exchange();
    } catch (error) {
      const before = relay.value.state;
      const state = error.status === 401 ? "key" : error.status !== undefined ? "refused" : before === "blocked" ? "blocked" : "away";
      relay.value = { ...relay.value, state, why: error.status === undefined ? "" : error.message };
    }
  }
}

/** Send what it has not yet, and fetch the answers that wait. */
export function relayNow() {
  if (known === null || journalId() === "") return Promise.resolve();
  const device = journalId().split(".")[0];
  if (known.device !== device) {
    known = { ...known, device };
    remember();
  }
  isWanted = true;
  underWay ??= run().finally(() => { underWay = null; });
  return underWay;
}

const soon = () => {
  clearTimeout(timer);
  timer = setTimeout(relayNow, SOON_MS);
};

/** Take the journal that it keeps in; gives how many events there are and how many were new. */
export async function restoreFromRelay() {
  const told = await call("GET", `journal?device=${encodeURIComponent(known.device)}`);
  const fresh = await takeIn(told.events);
  for (const event of told.events) there.add(event.event_id);
  if (day.value === null && told.day !== null) await takeDay(await unsealed(told.day));
  relay.value = { ...relay.value, state: "on", at: Date.now(), count: told.events.length, why: "" };
  return { all: told.events.length, fresh };
}

/** Take up what is known of it; a storage that is new gets its journal back from it. */
export async function open(isNewStorage) {
  known = remembered();
  pairByAddress();
  if (known === null) return;
  relay.value = { ...relay.value, state: "away", url: known.url };
  const before = await kept("relay_after");
  after = before?.url === known.url ? before.after : 0;
  if (isNewStorage && known.device) await restoreFromRelay().catch((error) => console.info("relay:", error.message));
}

/** Begin to send: after each event, and now and then. */
export function begin() {
  document.addEventListener("securitypolicyviolation", ({ blockedURI }) => {
    if (known !== null && blockedURI.startsWith(known.url)) relay.value = { ...relay.value, state: "blocked" };
  });
  addEventListener("hashchange", () => { if (pairByAddress()) soon(); });
  whenWritten(soon);
  addEventListener("online", soon);
  setInterval(relayNow, EVERY_MS);
  relayNow();
}
