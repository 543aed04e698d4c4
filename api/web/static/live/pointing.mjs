// What is pointed at in a list is marked on the map.

import { signal } from "../vendor/preact/signals.mjs";

/** The place pointed at, {lon, lat}, or null. */
export const pointed = signal(null);

/** Point at a stop, or with null at none. */
export function pointAt(stop) {
  pointed.value = stop === null ? null : { lon: stop.lon, lat: stop.lat };
}
