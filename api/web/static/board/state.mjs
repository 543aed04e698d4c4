// What the board knows: the plan as the server told it last, and what is chosen on the page.
// Every cell (vehicle and day) has a signal of its own, so that a step draws two cells, not sixty.

import { batch, computed, signal } from "../vendor/preact/signals.mjs";

/** What stays while a plan is edited: days, vehicles, depots, stops. */
export const frame = signal(null);
/** The plan's present state. */
export const state = signal(null);
/** Week shown, from 0; -1 shows all weeks. */
export const week = signal(0);
/** Stop pointed at on board or map, or null. */
export const pointed = signal(null);
/** Whether something is in the hand. */
export const isHolding = { now: false };
/** Point at a stop, or with null at none; not while something is dragged past it. */
export function point(stopId) {
  if (!isHolding.now) pointed.value = stopId;
}
/** Run shown alone on the map, as `vehicle/day`, or null. */
export const shownRun = signal(null);
/** Steps that are on their way to the server. */
export const waiting = signal(0);
/** What a step would do while it is tried: {tone, text, rules} or null. */
export const verdict = signal(null);
/** Dialog that is open: {kind, …} or null. */
export const dialog = signal(null);
/** A job of this plan that runs: {job_id, kind, fraction, text} or null. */
export const job = signal(null);
/** Whether whoever looks may change the plan. */
export const mayEdit = signal(false);

export const stops = computed(() => new Map((frame.value?.stops ?? []).map((s) => [s.stop_id, s])));
export const vehicles = computed(() => new Map((frame.value?.vehicles ?? []).map((v, i) => [v.vehicle_id, { ...v, number: i }])));

export const keyOf = (vehicleId, day) => `${vehicleId}/${day}`;
export const splitKey = (key) => {
  const at = key.lastIndexOf("/");
  return [key.slice(0, at), Number(key.slice(at + 1))];
};

const cells = new Map();

const EMPTY = Object.freeze({ run: null, isPinned: false, pinned: [], faults: [], visits: {}, isLate: false });

/** The signal of a cell: its run, its pins and what is wrong with it. */
export function cell(key) {
  let found = cells.get(key);
  if (found === undefined) {
    found = signal(EMPTY);
    found.text = JSON.stringify(EMPTY);
    cells.set(key, found);
  }
  return found;
}

/** Visits of a stop as {key, visit}, in order of days. */
export function visitsOf(stopId) {
  const found = [];
  for (const run of state.value?.runs ?? []) {
    for (const visit of run.visits) {
      if (visit.stop_id === stopId) found.push({ key: keyOf(run.vehicle_id, run.day), run, visit });
    }
  }
  return found.sort((a, b) => a.run.day - b.run.day);
}

export const findRun = (vehicleId, day) =>
  (state.value?.runs ?? []).find((r) => r.vehicle_id === vehicleId && r.day === day) ?? null;

/** Take over a state; only cells that differ are drawn anew. */
export function show(next) {
  batch(() => {
    state.value = next;
    const views = viewsOf(next);
    for (const [key, held] of cells) {
      if (!views.has(key)) views.set(key, EMPTY);
      void held;
    }
    for (const [key, view] of views) {
      const held = cell(key);
      const text = JSON.stringify(view);
      if (held.text !== text) {
        held.text = text;
        held.value = view;
      }
    }
  });
}

function viewsOf(next) {
  const views = new Map();
  const view = (key) => {
    let found = views.get(key);
    if (found === undefined) {
      found = { run: null, isPinned: false, pinned: [], faults: [], visits: {}, isLate: false };
      views.set(key, found);
    }
    return found;
  };
  const days = new Map();
  for (const run of next.runs) {
    const key = keyOf(run.vehicle_id, run.day);
    view(key).run = run;
    for (const visit of run.visits) {
      const held = days.get(visit.stop_id) ?? [];
      held.push([run.day, key]);
      days.set(visit.stop_id, held);
    }
  }
  for (const kept of next.pins.runs) view(keyOf(kept.vehicle_id, kept.day)).isPinned = true;
  for (const pin of next.pins.visits) {
    for (const [day, key] of days.get(pin.stop_id) ?? []) {
      if (day === pin.day) view(key).pinned.push(pin.stop_id);
    }
  }
  for (const fault of next.violations) place(fault, view, days, views);
  return views;
}

/** Whether a rule is about a vehicle's whole week: it is told at the vehicle, not at each run. */
export const isOfWeek = (fault) => fault.vehicle_id !== null && fault.stop_id === null && fault.days.length > 2;

function place(fault, view, days, views) {
  if (fault.stop_id !== null) {
    for (const [day, key] of days.get(fault.stop_id) ?? []) {
      const isThere = fault.vehicle_id === null || key === keyOf(fault.vehicle_id, day);
      if (!isThere || (fault.days.length > 0 && !fault.days.includes(day))) continue;
      const found = view(key);
      (found.visits[fault.stop_id] ??= []).push(fault.text);
      found.isLate ||= fault.is_late && fault.vehicle_id !== null;
    }
  } else if (fault.vehicle_id !== null && !isOfWeek(fault)) {
    for (const day of fault.days) {
      const key = keyOf(fault.vehicle_id, day);
      if (views.get(key)?.run == null) continue;
      view(key).faults.push(fault.text);
      view(key).isLate ||= fault.is_late;
    }
  }
}

/** The days of a week that have a column: those with service, and those with runs. */
export function daysShown(number) {
  const all = frame.value.days.filter((d) => d.week === number);
  const used = new Set(frame.value.vehicles.flatMap((v) => v.working_days));
  for (const run of state.value.runs) used.add(run.day);
  const shown = all.filter((d) => used.has(d.day) || (d.day % 7 < 5 && d.date >= frame.value.first_date && d.date <= frame.value.last_date));
  return shown.length > 0 ? shown : all;
}

/** A state in which a step is already drawn, with the times of before, until the server answers. */
export function drawnAhead(held, step) {
  const runs = held.runs.map((r) => ({ ...r, visits: [...r.visits] }));
  const runAt = (vehicleId, day) => {
    let run = runs.find((r) => r.vehicle_id === vehicleId && r.day === day);
    if (run === undefined) {
      run = { vehicle_id: vehicleId, day, sign_on_s: 0, depart_s: 0, return_s: 0, sign_off_s: 0, drive_s: 0, drive_m: 0, work_s: 0, return_drive_s: 0, meal: null, start_depot_id: "", end_depot_id: "", specialists: [], visits: [], isAhead: true };
      runs.push(run);
    }
    return run;
  };
  const put = (visit, vehicleId, day, position) => {
    const run = runAt(vehicleId, day);
    run.visits.splice(position ?? run.visits.length, 0, { ...visit, isAhead: true });
  };
  let unserved = held.unserved;
  switch (step.kind) {
    case "move": {
      const from = runs.find((r) => r.day === step.from_day && r.visits.some((v) => v.stop_id === step.stop_id));
      if (from === undefined) return held;
      const at = from.visits.findIndex((v) => v.stop_id === step.stop_id);
      const [visit] = from.visits.splice(at, 1);
      put(visit, step.vehicle_id, step.day, step.position);
      break;
    }
    case "add": {
      put({ stop_id: step.stop_id, arrival_s: 0, start_s: 0, end_s: 0, departure_s: 0, drive_s: 0, drive_m: 0 }, step.vehicle_id, step.day, step.position);
      unserved = unserved.filter((u) => u.stop_id !== step.stop_id);
      break;
    }
    case "remove": {
      for (const run of runs) {
        if (step.day == null || run.day === step.day) run.visits = run.visits.filter((v) => v.stop_id !== step.stop_id);
      }
      break;
    }
    case "move_run": {
      const here = runs.find((r) => r.vehicle_id === step.vehicle_id && r.day === step.day);
      const there = runs.find((r) => r.vehicle_id === step.to_vehicle_id && r.day === step.to_day);
      if (here) Object.assign(here, { vehicle_id: step.to_vehicle_id, day: step.to_day });
      if (there) Object.assign(there, { vehicle_id: step.vehicle_id, day: step.day });
      break;
    }
    default:
      return held;
  }
  return { ...held, unserved, runs: runs.filter((r) => r.visits.length > 0) };
}
