// Lending: what speaks against it (the same rules as fleet/circulation_limits.py), until when, and
// the events that are written.

import { day } from "./day.mjs";
import { records, write } from "./journal.mjs";
import { daysAfter, loansOf, now, patronNow } from "./state.mjs";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const daysBetween = (from, to) => Math.round((Date.parse(`${to}T00:00Z`) - Date.parse(`${from}T00:00Z`)) / DAY_MS);

/** Until when something lent at a stop is due: its next visit within the least and most days. */
export function dueAt(stop) {
  const { rules, service_date: on } = day.value;
  if (stop?.due) return { due_date: stop.due.due_date, due_visit_id: stop.due.due_visit_id };
  const earliest = daysAfter(on, rules.least_days);
  const latest = daysAfter(on, rules.most_days);
  const visit = (stop?.coming ?? []).find((v) => v.opens_date >= earliest && v.opens_date <= latest);
  return visit ? { due_date: visit.opens_date, due_visit_id: visit.visit_id } : { due_date: latest, due_visit_id: "" };
}

/** By how many hours the copy of readers is older than the rules allow; 0 where it is not. */
export function staleHours() {
  const age = (Date.now() - Date.parse(day.value.made_at)) / HOUR_MS;
  return age > day.value.rules.snapshot_hours ? Math.round(age) : 0;
}

function ofPatron(patron) {
  const { rules, service_date: on } = day.value;
  const found = [];
  const blocks = patron.blocks.filter((b) => b.until_date === null || on <= b.until_date);
  if (blocks.length > 0) found.push({ rule: "blocked", reasons: blocks.map((b) => b.reason) });
  if (patron.expires_date !== null && patron.expires_date < on) found.push({ rule: "expired", date: patron.expires_date });
  const loans = loansOf(patron.patron_id);
  const worst = Math.max(0, ...loans.map(({ loan }) => daysBetween(loan.due_date, on)));
  if (worst > rules.overdue_days) found.push({ rule: "overdue", days: worst, limit: rules.overdue_days });
  const most = rules.most_loans[patron.kind];
  if (most !== undefined && loans.length >= most) found.push({ rule: "over_limit", count: loans.length + 1, limit: most });
  return found;
}

/** What is to be told of a reader before anything is scanned. */
export const warningsOf = (patron) => ofPatron(patron);

/** The hold that lending an item to a reader hands over. */
function holdOf(patron, item) {
  return [...now().holds.values()].find(
    (h) => ["waiting", "ready"].includes(h.state) && h.patron_id === patron.patron_id && h.title_id === item.title_id &&
      (h.item_id === "" || h.item_id === item.item_id),
  );
}

/**
 * What speaks against lending.
 *
 * @returns {{rule: string, isFirm?: boolean}[]}
 */
export function objections(patron, item) {
  const { rules } = day.value;
  const found = [];
  if (!item.is_for_loan) found.push({ rule: "not_for_loan", isFirm: true });
  const other = now().loanOfItem.get(item.item_id);
  if (other && other.patron_id !== patron.patron_id) found.push({ rule: "lent_to_other", patron_id: other.patron_id });
  found.push(...ofPatron(patron));
  const mark = Number.parseInt(day.value.titleOf.get(item.title_id)?.age_mark ?? "", 10) || 0;
  if (patron.age_years !== null && patron.age_years < mark) {
    found.push({ rule: "age_mark", mark: `${mark}+`, age: patron.age_years, isFirm: mark >= rules.firm_mark_years });
  }
  const own = holdOf(patron, item);
  const held = [...now().holds.values()].find((h) => h.state === "ready" && h.item_id === item.item_id && h.patron_id !== patron.patron_id);
  if (held && !own) found.push({ rule: "held_for_other" });
  return found;
}

/** What speaks against making a loan longer. */
export function renewalObjections(loan) {
  const { rules, service_date: on } = day.value;
  const found = [];
  if (loan.num_renewals >= rules.most_renewals) found.push({ rule: "renewal_limit", count: loan.num_renewals + 1, limit: rules.most_renewals });
  const patron = patronNow(loan.patron_id);
  const blocks = (patron?.blocks ?? []).filter((b) => b.until_date === null || on <= b.until_date);
  if (blocks.length > 0) found.push({ rule: "blocked", reasons: blocks.map((b) => b.reason) });
  const item = day.value.itemOf.get(loan.item_id);
  const waits = item && [...now().holds.values()].some((h) => ["waiting", "ready"].includes(h.state) && h.title_id === item.title_id && h.patron_id !== loan.patron_id && (h.item_id === "" || h.item_id === item.item_id));
  const isSpare = item && day.value.items.some((i) => i.title_id === item.title_id && i.item_id !== item.item_id && !now().loanOfItem.has(i.item_id));
  if (waits && !isSpare) found.push({ rule: "held_for_other" });
  return found;
}

/** What every event says of where and when. */
export const at = (stop) => ({
  place: day.value.vehicle.place,
  service_date: day.value.service_date,
  snapshot_id: day.value.version,
  visit_id: stop?.visit_id ?? "",
  stop_id: stop?.stop_id ?? "",
});

/**
 * Lend an item to a reader.
 *
 * @param {{patron_id?: string, card?: string}} reader one whom the tablet does not know by the card alone
 * @param {string[]} overrides rules that the crew was warned of
 */
export async function lend(stop, reader, itemId, overrides = []) {
  const item = day.value.itemOf.get(itemId);
  const hold = reader.patron_id && item ? holdOf(reader, item) : undefined;
  const due = dueAt(stop);
  const [event] = (await write({
    kind: "loan",
    ...at(stop),
    body: {
      item_id: itemId, patron_id: reader.patron_id, card: reader.patron_id ? "" : reader.card, ...due, hold_id: hold?.hold_id,
      overrides: overrides.length > 0 ? overrides : undefined,
    },
  })).slice(-1);
  return { event, due, hold };
}

/** Take an item back, whoever had it. */
export async function takeBack(stop, itemId, note = "") {
  const loan = now().loanOfItem.get(itemId);
  const [event] = (await write({ kind: "return", ...at(stop), body: { item_id: itemId, loan_id: loan?.loan_id, note } })).slice(-1);
  return { event, loan };
}

/** Make a loan longer, to the next visit. */
export async function renew(stop, itemId, overrides = []) {
  const loan = now().loanOfItem.get(itemId);
  const due = dueAt(stop);
  const [event] = (await write({
    kind: "renewal",
    ...at(stop),
    body: { item_id: itemId, loan_id: loan?.loan_id, patron_id: loan?.patron_id, ...due, overrides: overrides.length > 0 ? overrides : undefined },
  })).slice(-1);
  return { event, due, loan };
}

/** The number that the next new reader's card has, where no card is at hand. */
export function nextCard() {
  const { prefix, next_number } = day.value.cards;
  const used = records.value
    .map(({ event }) => event.body.card ?? "")
    .filter((card) => card.startsWith(prefix) && /^\d{1,9}$/.test(card.slice(prefix.length)))
    .map((card) => Number(card.slice(prefix.length)) + 1);
  return `${prefix}${Math.max(next_number, ...used)}`;
}

/** Write a new reader down; the reader as they are from now on. */
export async function register(stop, { name, birth_date, phone, kind, is_disabled, card }) {
  const patron_id = `t-${crypto.randomUUID().replaceAll("-", "")}`;
  const body = {
    patron_id, card, name, birth_date, phone, kind: kind === "person" ? undefined : kind, is_disabled: is_disabled || undefined,
    consent_at: new Date().toISOString(),
  };
  const [event] = (await write({ kind: "registration", ...at(stop), body })).slice(-1);
  return { event, patron: patronNow(patron_id) };
}

/** Until when a registration that is renewed today lasts. */
export const renewedUntil = () => daysAfter(day.value.service_date, day.value.rules.registration_days);

/** Renew a reader's registration, with another card where one is given. */
export async function reregister(stop, patron, card = "") {
  const body = { patron_id: patron.patron_id, expires_date: renewedUntil(), card };
  const [event] = (await write({ kind: "reregistration", ...at(stop), body })).slice(-1);
  return { event, patron: patronNow(patron.patron_id) };
}

/** Put items somewhere: on the shelves, in the vehicle's store, at a point (there perhaps in a box). */
export async function move(stop, itemIds, place, boxId = "") {
  const body = { item_ids: itemIds, to_place: place, box_id: boxId };
  const [event] = (await write({ kind: "move", ...at(stop), body })).slice(-1);
  return event;
}

/** Take a slip back. */
export const voidEvent = (event) =>
  write({ kind: "void", place: event.place, service_date: event.service_date, visit_id: event.visit_id, stop_id: event.stop_id, snapshot_id: day.value?.version, body: { event_id: event.event_id } });
