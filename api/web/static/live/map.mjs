// The map beside the list: planned lines, stops of the chosen vehicle, where each vehicle is.

import { effect, signal } from "../vendor/preact/signals.mjs";
import { createMap, MapError } from "../map/basemap.mjs";
import { fit, showPlaces, showRuns, showStops } from "../map/overlays.mjs";
import { vehicleColour } from "../map/symbols.mjs";
import { showTrack } from "../map/track.mjs";
import { showSpot, showVehicles } from "../map/vehicles.mjs";
import { lang, t } from "../words.mjs";
import { geojson } from "./feed.mjs";
import { legsOf } from "./geo.mjs";
import { pointed } from "./pointing.mjs";
import { ageOf, choose, chosen, chosenVehicle, fleet, mayAct, vehicles } from "./state.mjs";
import { STALE_S } from "./telling.mjs";

let map = null;
let drawn = 0;
/** Planned ways by their address. */
const lines = signal(new Map());
const asked = new Set();

/** Show the map in a box; a message stands there where no map can be shown. */
export async function showMap(box, { pmtilesUrl, words }) {
  try {
    map = await createMap(box, { pmtilesUrl, lang, words });
  } catch (error) {
    const note = document.createElement("p");
    note.className = "map-none";
    note.textContent = words[error instanceof MapError ? error.code : "map.no_basemap"] ?? t("live.map.none");
    box.replaceChildren(note);
    return;
  }
  effect(() => {
    void [vehicles.value, chosen.value, lines.value];
    cancelAnimationFrame(drawn);
    drawn = requestAnimationFrame(draw);
  });
  await readLines(vehicles.peek());
  effect(() => { void readLines(vehicles.value); });
  effect(() => showSpot(map, pointed.value));
  effect(() => {
    void chosen.value;
    fitTo(chosenVehicle.peek());
    void drawTrack(chosenVehicle.peek());
  });
  box.dataset.ready = "";
}

const COLOURS = { kept: "#1d6b34", early: "#7a4b00", late: "#7a4b00", skipped: "#a4262c", cancelled: "#a4262c" };

function draw() {
  const one = chosenVehicle.value;
  const shown = one === null ? vehicles.value : [one];
  showRuns(map, shown.flatMap((v) => (lines.value.get(v.line_url) ?? []).map((leg, place) => ({
    id: `${v.vehicle_id}/${place}`, line: leg.line, colour: vehicleColour(v.number), estimated: !leg.isRoad,
  }))));
  showStops(map, shown.flatMap((v) => v.planned.map((stop) => ({
    id: stop.key, lon: stop.lon, lat: stop.lat, name: stop.stop_name,
    label: one === null ? "" : stop.position + 1, colour: COLOURS[stop.state] ?? vehicleColour(v.number),
  }))));
  showPlaces(map, fleet.value.depots.map((d) => ({ id: d.depot_id, lon: d.lon, lat: d.lat, name: d.name })));
  showVehicles(map, vehicles.value.filter((v) => v.fix !== null && v.phase !== "off_duty").map((v) => ({
    id: v.vehicle_id, lon: v.fix.lon, lat: v.fix.lat, name: v.name, colour: vehicleColour(v.number),
    course: moves(v) ? v.fix.course_deg : null, isStale: ageOf(v) > STALE_S && v.phase === "driving", isChosen: v.vehicle_id === chosen.value,
  })), { onSelect: (v) => choose(v.id, { isToggle: false }) });
}

const moves = (vehicle) => (vehicle.fix.speed_mps ?? 0) > 1.5 && vehicle.fix.course_deg !== null;

function fitTo(one) {
  const shown = one === null ? vehicles.peek() : [one];
  const points = shown.flatMap((v) => [
    ...v.planned.map((s) => [s.lon, s.lat]),
    ...(v.fix === null ? [] : [[v.fix.lon, v.fix.lat]]),
  ]);
  const ways = shown.flatMap((v) => (lines.peek().get(v.line_url) ?? []).flatMap(({ line }) => line));
  const depots = fleet.value.depots.map((d) => [d.lon, d.lat]);
  fit(map, one === null || points.length === 0 ? [...points, ...ways, ...depots] : [...points, ...ways], { padding: 72 });
}

/** The planned ways that are not known yet; each is asked for once. */
async function readLines(shown) {
  for (const address of new Set(shown.map((v) => v.line_url).filter(Boolean))) {
    if (asked.has(address)) continue;
    asked.add(address);
    try {
      const told = await geojson(address);
      lines.value = new Map(lines.value).set(address, legsOf(told));
    } catch {
      // The stops are drawn all the same.
      asked.delete(address);
    }
  }
}

async function drawTrack(one) {
  if (one === null || !mayAct.value) {
    showTrack(map, []);
    return;
  }
  try {
    const told = await geojson(one.track_url);
    if (chosen.value === one.vehicle_id) showTrack(map, told.features.map((f) => f.geometry.coordinates));
  } catch {
    showTrack(map, []);
  }
}

/** Tell the map that its box has another size. */
export const resized = () => map?.resize();
