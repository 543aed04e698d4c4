// How things stand: the day as it was taken along with the journal on top. Events are taken in
// order, each by one small step; a slip that is taken back has everything reckoned anew.

import { computed, signal } from "../vendor/preact/signals.mjs";
import { day } from "./day.mjs";
import { records, whenWritten } from "./journal.mjs";

/** Raised with every change. */
export const revision = signal(0);
/** @type {ReturnType<typeof fresh> | null} */
let state = null;

const DAY_MS = 86_400_000;
export const daysAfter = (iso, days) => new Date(Date.parse(`${iso}T00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);

/** Full years of age on a date. */
export const yearsBetween = (born, on) => Number(on.slice(0, 4)) - Number(born.slice(0, 4)) - (on.slice(5) < born.slice(5) ? 1 : 0);

const visit = () => ({ moments: {}, told: {}, skip: null, skipped: null, counts: {}, loans: 0, returns: 0, renewals: 0, readers: new Set(), notes: [] });

function fresh(told) {
  const made = {
    version: told?.version ?? "",
    visits: new Map(),
    unplanned: [],
    loanOfItem: new Map(),
    itemsOf: new Map(),
    holds: new Map((told?.holds ?? []).map((h) => [h.hold_id, h])),
    patrons: new Map(),
    cards: new Map(),
    places: new Map(),
    way: { out: null, in: null },
    log: [],
  };
  for (const loan of told?.loans ?? []) lendTo(made, loan);
  return made;
}

function lendTo(s, loan) {
  s.loanOfItem.set(loan.item_id, loan);
  if (!loan.patron_id) return;
  if (!s.itemsOf.has(loan.patron_id)) s.itemsOf.set(loan.patron_id, new Set());
  s.itemsOf.get(loan.patron_id).add(loan.item_id);
}

function takeBack(s, itemId) {
  const loan = s.loanOfItem.get(itemId);
  s.loanOfItem.delete(itemId);
  if (loan?.patron_id) s.itemsOf.get(loan.patron_id)?.delete(itemId);
  return loan;
}

const visitOf = (s, id) => {
  if (!s.visits.has(id)) s.visits.set(id, visit());
  return s.visits.get(id);
};

const DO = {
  loan(s, event, v) {
    const { body } = event;
    const before = takeBack(s, body.item_id);
    const patron = body.patron_id ?? "";
    lendTo(s, {
      loan_id: event.event_id, item_id: body.item_id, patron_id: patron, stop_id: event.stop_id ?? "", due_date: body.due_date,
      due_visit_id: body.due_visit_id ?? "", num_renewals: 0, card: body.card ?? "", is_own: true,
    });
    const hold = s.holds.get(body.hold_id ?? "");
    if (hold) s.holds.set(hold.hold_id, { ...hold, state: "handed" });
    if (v) {
      v.loans += 1;
      v.readers.add(patron || body.card);
    }
    s.log.push({ event, before });
  },
  return(s, event, v) {
    const before = takeBack(s, event.body.item_id);
    if (v) v.returns += 1;
    s.log.push({ event, before });
  },
  renewal(s, event, v) {
    const before = s.loanOfItem.get(event.body.item_id);
    if (before) lendTo(s, { ...before, due_date: event.body.due_date, due_visit_id: event.body.due_visit_id ?? "", num_renewals: before.num_renewals + 1 });
    if (v) v.renewals += 1;
    s.log.push({ event, before });
  },
  registration(s, event) {
    const { patron_id, name = "", kind = "person", card = "", birth_date } = event.body;
    const on = event.service_date;
    s.patrons.set(patron_id, {
      patron_id, name, kind, card, card_hash: "", card_end: card.slice(-3), age_years: birth_date ? yearsBetween(birth_date, on) : null,
      stop_ids: event.stop_id ? [event.stop_id] : [], expires_date: daysAfter(on, day.value?.rules.registration_days ?? 365), blocks: [], is_own: true,
    });
    if (card) s.cards.set(card, patron_id);
  },
  reregistration(s, event) {
    const { patron_id, expires_date, card } = event.body;
    const before = s.patrons.get(patron_id) ?? day.value?.patronOf.get(patron_id);
    if (!before) return;
    s.patrons.set(patron_id, { ...before, expires_date, card_end: card ? card.slice(-3) : before.card_end });
    if (card) s.cards.set(card, patron_id);
  },
  move(s, event) {
    const { item_ids, to_place, box_id = "" } = event.body;
    for (const itemId of item_ids) s.places.set(itemId, { place: to_place, box_id });
  },
  count(s, event, v) {
    for (const [name, n] of Object.entries(event.body.counts)) v.counts[name] = (v.counts[name] ?? 0) + n;
  },
  odometer(s, event) { s.way[event.body.end] = event; },
  skip(s, event, v) {
    v.skip = event.body;
    v.skipped = event;
  },
  unplanned_stop(s, event, v) {
    s.unplanned.push({ visit_id: event.visit_id, stop_id: "", ...event.body, is_unplanned: true, at: event.device_at });
    v.notes.push(event);
  },
  consultation(s, event, v) { v.notes.push(event); },
  gathering(s, event, v) { v.notes.push(event); },
  defect(s, event, v) { v?.notes.push(event); },
};
for (const kind of ["arrive", "open", "close", "depart"]) {
  DO[kind] = (s, event, v) => {
    const at = event.body.moment_at ?? event.device_at;
    // As the server takes it: of arrivals and openings the first, of the others the last.
    const isFirst = kind === "arrive" || kind === "open";
    if (isFirst && v.moments[kind]) return;
    v.moments[kind] = at;
    v.told[kind] = event;
  };
}

function apply(s, event) {
  const v = event.visit_id ? visitOf(s, event.visit_id) : null;
  DO[event.kind]?.(s, event, v);
}

const LENDING = new Set(["loan", "return", "renewal", "registration", "reregistration", "move"]);
const COUNTED = new Set(["loan", "return", "renewal"]);

/** Reckon everything anew. */
export function rebuild() {
  const told = day.value;
  const made = fresh(told);
  const all = records.value;
  const voided = new Set(all.filter((r) => r.event.kind === "void").map((r) => r.event.body.event_id));
  for (const record of all) {
    const { event } = record;
    if (voided.has(event.event_id)) continue;
    const isLending = LENDING.has(event.kind);
    const isToday = told === null || event.service_date === told.service_date;
    // What the server knew when it told the day is in the day already.
    const isInDay = told !== null && record.state === "answered" && record.revision <= told.revision;
    if (isLending && isInDay) {
      if (isToday) note(made, event);
    } else if (isLending || isToday) apply(made, event);
  }
  state = made;
  revision.value += 1;
}

/** Of a loan that the day holds already: only what is counted. */
function note(s, event) {
  if (!COUNTED.has(event.kind)) return;
  const v = event.visit_id ? visitOf(s, event.visit_id) : null;
  if (v && event.kind === "loan") {
    v.loans += 1;
    v.readers.add(event.body.patron_id ?? event.body.card);
  }
  if (v && event.kind === "return") v.returns += 1;
  if (v && event.kind === "renewal") v.renewals += 1;
  s.log.push({ event, before: null });
}

/** The state now. Whoever draws by it is drawn again with every change. */
export const now = () => {
  if (state === null) rebuild();
  void revision.value;
  return state;
};

whenWritten((events) => {
  if (state === null) return;
  const isPlain = events.length > 0 && events.every((e) => e.kind !== "void");
  if (!isPlain) return rebuild();
  for (const event of events) apply(state, event);
  revision.value += 1;
});

day.subscribe(() => { if (state !== null) rebuild(); });

/** A reader as they are now, new ones and renewed ones too. */
export const patronNow = (patronId) => now().patrons.get(patronId) ?? day.value.patronOf.get(patronId);

/** Readers of a stop by kind, new ones too. */
export function patronsAt(stopId) {
  const all = new Map(day.value.patrons.map((p) => [p.patron_id, p]));
  for (const [id, one] of now().patrons) all.set(id, one);
  return [...all.values()].filter((p) => p.stop_ids.includes(stopId));
}

/** Where an item is by what the tablet knows: `{place, box_id}`; null for one that it does not. */
export function placeNow(itemId) {
  const item = day.value.itemOf.get(itemId);
  return now().places.get(itemId) ?? (item ? { place: item.place, box_id: item.box_id } : null);
}

const EMPTY = Object.freeze(visit());

/** What was written of a stop visit. */
export const visitNow = (id) => now().visits.get(id) ?? EMPTY;

/** The stops of the day in order, those that nobody planned where they happened. */
export const stops = computed(() => {
  void revision.value;
  const planned = (day.value?.run.stops ?? []).filter((s) => s.state !== "withdrawn");
  return [...planned, ...now().unplanned];
});

/** Which of a visit's moments comes next; "done" after the departure. */
export function nextMoment(id) {
  const { moments, skip } = visitNow(id);
  if (skip && !moments.open) return "skipped";
  if (moments.depart) return "done";
  if (moments.close) return "depart";
  if (moments.open) return "close";
  return moments.arrive ? "open" : "arrive";
}

/** The stop at which we are, else the first that is still to come, else the last. */
export const current = computed(() => {
  const open = stops.value.filter((s) => s.state !== "cancelled" && !["done", "skipped"].includes(nextMoment(s.visit_id)));
  return open.find((s) => visitNow(s.visit_id).moments.arrive) ?? open[0] ?? stops.value.at(-1) ?? null;
});

/** Readers' open loans, as `{item, title, loan}`, soonest due first. */
export function loansOf(patronId) {
  const s = now();
  const told = day.value;
  return [...(s.itemsOf.get(patronId) ?? [])]
    .map((itemId) => {
      const item = told.itemOf.get(itemId);
      return { item_id: itemId, item, title: item && told.titleOf.get(item.title_id), loan: s.loanOfItem.get(itemId) };
    })
    .sort((a, b) => a.loan.due_date.localeCompare(b.loan.due_date));
}

const BANDS = ["", ".children", ".youth", ".adult", ".senior"];
export const totalOf = (counts, name) => BANDS.reduce((sum, band) => sum + (counts[name + band] ?? 0), 0);

/** What cannot be right in a visit's sums (data/model/stop_counts.py), as codes with facts. */
export function faults(id) {
  const { counts, loans, moments } = visitNow(id);
  const visits = totalOf(counts, "visits_service");
  const events = totalOf(counts, "visits_event");
  const found = [];
  if (loans > 0 && visits <= 0) found.push(["tablet.fault.loans_without_visits", { loans }]);
  if (events > 0 && (counts.events_count ?? 0) <= 0) found.push(["tablet.fault.visits_without_event", { visits: events }]);
  if ((counts.events_count ?? 0) > 0 && events <= 0) found.push(["tablet.fault.event_without_visits", {}]);
  if ((counts.references_virtual ?? 0) > (counts.references_total ?? 0)) {
    found.push(["tablet.fault.virtual_above_references", { part: counts.references_virtual, whole: counts.references_total ?? 0 }]);
  }
  if ((counts.visits_disabled ?? 0) > visits + events) {
    found.push(["tablet.fault.disabled_above_visits", { part: counts.visits_disabled, whole: visits + events }]);
  }
  if (moments.open && moments.close && visits + events === 0) found.push(["tablet.fault.nobody", {}]);
  return found;
}
