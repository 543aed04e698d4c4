// What comes from the server: the whole once, then whatever has changed.

import { batch } from "../vendor/preact/signals.mjs";
import { call } from "../board/calls.mjs";
import { alerts, crewNotes, fleet, link, setClock, vehicles } from "./state.mjs";

/** Without events the whole is read anew so often. */
const POLL_MS = 20_000;
/** Events within it are answered by one question. */
const GATHER_MS = 200;

let root = "";
let revision = 0;
let gathering = 0;
let asking = null;
let today = "";
let askingNotes = null;
let wantsNotes = false;

/** Read a region's live state and keep it fresh. */
export async function begin(regionId) {
  root = `/regions/${encodeURIComponent(regionId)}`;
  await read();
  await notes();
  listen(regionId);
  setInterval(() => { if (link.value !== "on") void again(); }, POLL_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) void again(); });
}

/** Read the whole, or what is newer than a revision; vehicles that did not change stay as they are. */
async function read(since = null) {
  const told = await call("GET", `${root}/live${since === null ? "" : `?since=${since}`}`);
  batch(() => {
    setClock(told.at);
    revision = told.revision;
    today = told.service_date;
    const fresh = new Map(told.vehicles.map((v) => [v.vehicle_id, shaped(v)]));
    const held = since === null ? [] : vehicles.value.filter((v) => !fresh.has(v.vehicle_id));
    vehicles.value = [...held, ...fresh.values()].sort((a, b) => a.number - b.number);
    alerts.value = told.alerts;
  });
}

/** A vehicle as the page shows it: with its place in the fleet, planned and other stops apart. */
function shaped(vehicle) {
  const own = fleet.value.vehicles[vehicle.vehicle_id] ?? { number: 0, part: encodeURIComponent(vehicle.vehicle_id) };
  return {
    ...vehicle,
    ...own,
    name: vehicle.vehicle_name,
    isFollowed: vehicle.fix !== null,
    planned: vehicle.stops.filter((stop) => stop.state !== "unplanned"),
    unplanned: vehicle.stops.filter((stop) => stop.state === "unplanned"),
  };
}

/** Read what the crews told of today; the board stands without it, too. */
async function notes() {
  wantsNotes = true;
  askingNotes ??= readNotes().finally(() => { askingNotes = null; });
  return askingNotes;
}

/** What is told while a question is under way is asked for once more. */
async function readNotes() {
  while (wantsNotes) {
    wantsNotes = false;
    try {
      crewNotes.value = await call("GET", `${root}/crew-notes?date=${today}`);
    } catch (error) {
      console.info("crew notes:", error.message);
    }
  }
}

/** Ask once more; of questions at the same time one goes out. */
function again() {
  asking ??= read().then(notes).catch(() => { link.value = "lost"; }).finally(() => { asking = null; });
  return asking;
}

function listen(regionId) {
  const stream = new EventSource("/api/v1/events");
  let wasLost = false;
  stream.addEventListener("open", () => {
    link.value = "on";
    if (wasLost) void again();
    wasLost = false;
  });
  stream.addEventListener("error", () => {
    wasLost = true;
    link.value = "lost";
  });
  const isOurs = (event) => JSON.parse(event.data).region_id === regionId;
  const heard = (event) => { if (isOurs(event)) gather(); };
  stream.addEventListener("vehicle", heard);
  stream.addEventListener("alert", heard);
  // A tablet has sent something; and what it said is on record.
  stream.addEventListener("circulation", (event) => { if (isOurs(event)) void notes(); });
  stream.addEventListener("records", (event) => { if (isOurs(event)) void again(); });
  addEventListener("pagehide", () => stream.close());
}

function gather() {
  if (gathering !== 0) return;
  gathering = setTimeout(async () => {
    gathering = 0;
    try {
      await read(revision);
    } catch {
      void again();
    }
  }, GATHER_MS);
}

/** Take an alert on; the list shows it at once. */
export async function acknowledge(alertId, note) {
  const told = await call("POST", `${root}/alerts/${encodeURIComponent(alertId)}/acknowledgement`, { body: { note } });
  alerts.value = alerts.value.map((held) => (held.alert_id === alertId ? { ...held, ...told } : held));
}

/** GeoJSON at an address that the server has told, from the region's own on. */
export const geojson = (address) => call("GET", `${root}/${address}`);
