// What the live board knows: vehicles as the server told them last, alerts, what is chosen.

import { computed, signal } from "../vendor/preact/signals.mjs";

/** Vehicles of the region in the order of its fleet. */
export const vehicles = signal([]);
/** Alerts that are not over, the newest first. */
export const alerts = signal([]);
/** What the crews told of today, the newest first: stops left out, others, defects. */
export const crewNotes = signal([]);
/** What the page knows of the region: time zone, depots, each vehicle's place in the fleet. */
export const fleet = signal({ time_zone: "UTC", depots: [], vehicles: {} });
export const zone = computed(() => fleet.value.time_zone);
/** Id of the vehicle that is shown whole, or null. */
export const chosen = signal(null);
/** The present moment by the server's clock, in milliseconds; moves on every second. */
export const now = signal(Date.now());
/** Whether events come in: "on", "waiting" or "lost". */
export const link = signal("waiting");
/** Whether whoever looks may acknowledge. */
export const mayAct = signal(false);

let aheadMs = 0;

/** Set the clock by what the server says it is. */
export function setClock(at) {
  aheadMs = Date.parse(at) - Date.now();
  tick();
}

function tick() {
  now.value = Date.now() + aheadMs;
}

/** Let the clock run. */
export function run() {
  setInterval(tick, 1000);
}

/** Age of a vehicle's position in seconds, or null without one. */
export const ageOf = (vehicle) =>
  vehicle.fix === null ? null : Math.max(0, (now.value - Date.parse(vehicle.fix.fix_at)) / 1000);

export const open = computed(() => alerts.value.filter((alert) => alert.acknowledged_at === null));

/** The open alerts of a vehicle. */
export const alertsOf = (vehicleId) => alerts.value.filter((alert) => alert.vehicle_id === vehicleId);

/** Why a crew left a stop out, by the visit; null where it did not. */
export const skipOf = (visitId) =>
  crewNotes.value.find((note) => note.kind === "skip" && note.visit_id !== null && note.visit_id === visitId) ?? null;

export const chosenVehicle = computed(() => vehicles.value.find((v) => v.vehicle_id === chosen.value) ?? null);

/** Choose a vehicle; once more takes the choice back. */
export function choose(vehicleId, { isToggle = true } = {}) {
  chosen.value = isToggle && chosen.value === vehicleId ? null : vehicleId;
  const address = new URL(location.href);
  if (chosen.value === null) address.searchParams.delete("vehicle");
  else address.searchParams.set("vehicle", chosen.value);
  history.replaceState(null, "", address);
}
