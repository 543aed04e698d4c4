// The day that the tablet took along: kept encrypted, read at the start, fetched again when there is
// a network, wiped when it is over.

import { signal } from "../vendor/preact/signals.mjs";
import { forget, keep, kept, lockAway, unlocked } from "./store.mjs";

const ADDRESS = "/api/v1/tablet/day";
const PATIENCE_MS = 30_000;

/** The day with its indices, or null before one was fetched. */
export const day = signal(null);
/** What the last attempt to fetch came to: "", "offline", "unpaired", "refused:<message>". */
export const dayTrouble = signal("");
/** Until when the day was kept that is over and was wiped; null where none was. */
export const overSince = signal(null);

const index = (things, key) => new Map(things.map((one) => [one[key], one]));

/** A day as the server told it, with what is needed to find things fast. */
export function indexed(told) {
  return {
    ...told,
    told,
    stopOf: index(told.run.stops, "visit_id"),
    patronOf: index(told.patrons, "patron_id"),
    patronByCard: new Map(told.patrons.filter((p) => p.card_hash).map((p) => [p.card_hash, p])),
    titleOf: index(told.titles, "title_id"),
    itemOf: index(told.items, "item_id"),
    itemByNumber: new Map(told.items.filter((i) => i.inventory_no).map((i) => [i.inventory_no, i])),
    loanOf: index(told.loans, "loan_id"),
    holdOf: index(told.holds, "hold_id"),
  };
}

const isOver = (told) => Date.parse(told.expires_at) <= Date.now();

/** Today by the region's clocks. */
export const today = () => new Intl.DateTimeFormat("sv-SE", { timeZone: day.value?.region.time_zone }).format(new Date());

/** Read the day of before; one that is over is wiped. */
export async function open() {
  const told = await unlocked("day");
  if (told === null) overSince.value = (await kept("over")) ?? null;
  else if (isOver(told)) await end(told);
  else day.value = indexed(told);
}

/** Wipe a day that is over, and remember that there was one. */
async function end(told) {
  await wipe();
  overSince.value = told.expires_at;
  await keep("over", told.expires_at);
}

/** Take a day of the second copy; none, and one that is over, is left. */
export async function takeDay(told) {
  if (told === null || told.v !== 1 || isOver(told)) return;
  await lockAway("day", told);
  day.value = indexed(told);
}

/** Forget the day and everybody in it. */
export async function wipe() {
  await forget("day");
  day.value = null;
}

/** Keep what memory holds, where the storage was emptied. */
export const keepAgain = () => (day.value === null ? null : lockAway("day", day.value.told));

/** Wipe the day once it is over, also while the app is open. */
export async function wipeWhenOver() {
  if (day.value !== null && isOver(day.value)) await end(day.value);
}

/**
 * Fetch the day.
 *
 * @param {string} [date] another service date than today
 * @returns {Promise<boolean>} whether another day than before is here now
 */
export async function fetchDay(date = "") {
  const before = day.value;
  const headers = { accept: "application/json" };
  if (before !== null && (date === "" || date === before.service_date)) headers["if-none-match"] = `"${before.version}"`;
  let answer;
  try {
    const address = date === "" ? ADDRESS : `${ADDRESS}?date=${encodeURIComponent(date)}`;
    answer = await fetch(address, { headers, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    dayTrouble.value = "offline";
    return false;
  }
  if (answer.status === 304) {
    dayTrouble.value = "";
    return false;
  }
  if (!answer.ok) {
    const problem = await answer.json().catch(() => null);
    dayTrouble.value = answer.status === 401 ? "unpaired" : `refused:${problem?.message ?? answer.status}`;
    // A device that lost its right must not go on showing readers.
    if (answer.status === 401 && before !== null) await wipe();
    return false;
  }
  const told = await answer.json();
  await lockAway("day", told);
  day.value = indexed(told);
  dayTrouble.value = "";
  overSince.value = null;
  await forget("over");
  return true;
}

const hex = (bytes) => Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");

/** The reader of the day whose card was scanned. */
export async function patronOfCard(card) {
  const text = new TextEncoder().encode(day.value.cards.salt + card);
  return day.value.patronByCard.get(hex(await crypto.subtle.digest("SHA-256", text))) ?? null;
}

/** The item of a code as it was scanned: its barcode, else its inventory number. */
export const itemOfCode = (code) => day.value.itemOf.get(code) ?? day.value.itemByNumber.get(code) ?? null;
