// Own position, and by it when we came near a stop and left it again: a proposal for the tap.

import { signal } from "../vendor/preact/signals.mjs";
import { day } from "./day.mjs";
import { stops } from "./state.mjs";
import { keep, kept } from "./store.mjs";

const NEAR_M = 150;
const LEFT_M = 250;
const MOST_ERROR_M = 100;
const EARTH_M = 6_371_000;
const OLD_MS = 60_000;
/** Of the way that is added up: nearer fixes and poorer ones say more of the receiver than of us. */
const STEP_M = 50;
const STEP_ERROR_M = 50;
const MOST_MPS = 50;
const KEEP_EVERY_M = 500;

/** The last good position, `{lon, lat, accuracy, course, at}`; null without one. */
export const here = signal(null);
/** "", "denied" or "unavailable". */
export const gpsTrouble = signal("");
const near = new Map();
/**
 * Metres driven on the day as this tablet saw them: straight between fixes and nothing while it
 * slept, so the true way is longer.
 */
export const driven = signal(0);
let way = { on: "", m: 0, at: null };
let keptM = 0;

const radians = (degrees) => (degrees * Math.PI) / 180;

export function metresBetween(a, b) {
  const x = radians(b.lon - a.lon) * Math.cos(radians((a.lat + b.lat) / 2));
  return Math.hypot(x, radians(b.lat - a.lat)) * EARTH_M;
}

/** Add a fix to the way of the day. */
function add(position) {
  const on = day.value?.service_date ?? "";
  if (on === "" || position.accuracy > STEP_ERROR_M) return;
  if (way.on !== on) way = { on, m: 0, at: null };
  const { lon, lat, at } = position;
  const before = way.at;
  const metres = before === null ? 0 : metresBetween(before, position);
  if (before !== null && metres < STEP_M) return;
  // A jump is left out until somebody could have driven it.
  if (before !== null && metres > (Math.max(1_000, at - before.at) / 1_000) * MOST_MPS) return;
  way = { on, m: way.m + metres, at: { lon, lat, at } };
  driven.value = way.m;
  if (Math.abs(way.m - keptM) < KEEP_EVERY_M) return;
  keptM = way.m;
  keep("way", way).catch((error) => console.info("way:", error.message));
}

/** What was driven before the app was closed. */
async function recall() {
  const before = await kept("way");
  if (before === undefined || before.on !== day.value?.service_date || way.m > 0) return;
  way = before;
  keptM = way.m;
  driven.value = way.m;
}

function take({ coords }) {
  if (coords.accuracy > MOST_ERROR_M) return;
  // By the clock that the journal is written by; a fix is at most some seconds old.
  const timestamp = Date.now();
  const position = { lon: coords.longitude, lat: coords.latitude, accuracy: coords.accuracy, course: coords.heading, at: timestamp };
  here.value = position;
  add(position);
  for (const stop of stops.value) {
    if (stop.lon === undefined || stop.lon === null) continue;
    const metres = metresBetween(position, stop);
    const known = near.get(stop.visit_id);
    if (metres <= NEAR_M) {
      // Driving through and coming back later is another arrival.
      if (known === undefined || known.isLeft) near.set(stop.visit_id, { from: timestamp, until: timestamp, isLeft: false });
      else known.until = timestamp;
    } else if (known && metres > LEFT_M) known.isLeft = true;
  }
}

/** Begin to watch; without leave from the browser there is no proposal, and everything else works. */
export function open() {
  if (!("geolocation" in navigator)) {
    gpsTrouble.value = "unavailable";
    return;
  }
  recall();
  navigator.geolocation.watchPosition(
    (position) => {
      gpsTrouble.value = "";
      take(position);
    },
    (error) => { gpsTrouble.value = error.code === error.PERMISSION_DENIED ? "denied" : "unavailable"; },
    { enableHighAccuracy: true, maximumAge: 5_000, timeout: 30_000 },
  );
}

/** When GPS says that we arrived or left, in ms; null where it says nothing or only "now". */
export function proposed(kind, visitId) {
  const known = near.get(visitId);
  if (known === undefined) return null;
  if (kind === "arrive" && Date.now() - known.from > OLD_MS) return known.from;
  if (kind === "depart" && known.isLeft && Date.now() - known.until > OLD_MS) return known.until;
  return null;
}

/** Whether we stand at a stop by the last position; null where that is not known. */
export function isAt(stop) {
  if (here.value === null || Date.now() - here.value.at > 5 * OLD_MS || stop.lon === undefined || stop.lon === null) return null;
  return metresBetween(here.value, stop) <= LEFT_M;
}
