// The map beside the grid: runs of the week or of one run, stops, stops left out. What is pointed
// at on one side is marked on the other.

import { effect } from "../vendor/preact/signals.mjs";
import { createMap, MapError } from "../map/basemap.mjs";
import { fit, select, showPlaces, showRuns, showSettlements, showStops } from "../map/overlays.mjs";
import { VEHICLE_COLOURS } from "../map/symbols.mjs";
import { lang, t } from "../words.mjs";
import {
  dialog, frame, mayEdit, point, pointed, shownRun, splitKey, state, stops, vehicles, visitsOf, week,
} from "./state.mjs";

const POINTED = "pointed";

let map = null;
let isPlacing = false;
let drawn = 0;

/** Show the map in a box; a message stands there where no map can be shown. */
export async function showMap(box, { pmtilesUrl, words }) {
  try {
    map = await createMap(box, { pmtilesUrl, lang, words });
  } catch (error) {
    const code = error instanceof MapError ? error.code : "map.no_basemap";
    const note = document.createElement("p");
    note.className = "map-none";
    note.textContent = words[code] ?? t("board.map.none");
    box.replaceChildren(note);
    return;
  }
  map.addSource(POINTED, { type: "geojson", data: nothing() });
  draw();
  map.setPaintProperty("settlements", "icon-opacity", 0.6);
  map.addLayer({
    id: POINTED, type: "circle", source: POINTED,
    paint: {
      "circle-radius": 13, "circle-color": "rgba(0,0,0,0)",
      "circle-stroke-color": "#111111", "circle-stroke-width": 3,
    },
  });
  for (const layer of ["stops", "settlements"]) {
    map.on("mousemove", layer, (event) => point(event.features[0].properties.id));
    map.on("mouseleave", layer, () => point(null));
  }
  map.on("click", place);
  fitAll();
  effect(() => {
    void [state.value, week.value, shownRun.value];
    cancelAnimationFrame(drawn);
    drawn = requestAnimationFrame(draw);
  });
  effect(() => markOnMap(pointed.value));
  box.dataset.ready = "";
}

const nothing = () => ({ type: "FeatureCollection", features: [] });

function runsShown() {
  if (shownRun.value !== null) {
    const [vehicleId, day] = splitKey(shownRun.value);
    const alone = state.value.runs.filter((r) => r.vehicle_id === vehicleId && r.day === day);
    if (alone.length > 0) return alone;
  }
  return state.value.runs.filter((r) => week.value < 0 || Math.floor(r.day / 7) === week.value);
}

const colourOf = (vehicleId) => VEHICLE_COLOURS[(vehicles.value.get(vehicleId)?.number ?? 0) % VEHICLE_COLOURS.length];

function draw() {
  if (map === null || state.value === null) return;
  const runs = runsShown();
  const isAlone = runs.length === 1 && shownRun.value !== null;
  const places = new Map(frame.value.depots.map((d) => [d.depot_id, d]));
  const at = (p) => [p.lon, p.lat];
  showRuns(map, runs.map((run) => {
    const visited = run.visits.map((v) => stops.value.get(v.stop_id)).filter(Boolean);
    const ends = [places.get(run.start_depot_id), places.get(run.end_depot_id)];
    const line = [ends[0], ...visited, ends[1]].filter(Boolean).map(at);
    // Straight from stop to stop: the dashes say that this is no road.
    return { id: `${run.vehicle_id}/${run.day}`, line, colour: colourOf(run.vehicle_id), estimated: true };
  }));
  const out = state.value.unserved.map((u) => stops.value.get(u.stop_id)).filter(Boolean);
  showSettlements(map, out.map((s) => ({ id: s.stop_id, lon: s.lon, lat: s.lat, name: s.name, status: "unserved" })), {
    onSelect: (s) => { if (!isPlacing) dialog.value = { kind: "stop", stop_id: s.id }; },
  });
  const shown = new Map();
  for (const run of runs) {
    run.visits.forEach((visit, place) => {
      const stop = stops.value.get(visit.stop_id);
      if (stop) shown.set(stop.stop_id, { id: stop.stop_id, lon: stop.lon, lat: stop.lat, name: stop.name, label: isAlone ? place + 1 : "", colour: colourOf(run.vehicle_id), day: run.day, vehicle: run.vehicle_id });
    });
  }
  showStops(map, [...shown.values()], {
    onSelect: (s) => {
      if (!isPlacing) dialog.value = { kind: "visit", stop_id: s.id, day: s.day, vehicle_id: s.vehicle };
    },
  });
  showPlaces(map, frame.value.depots.map((d) => ({ id: d.depot_id, lon: d.lon, lat: d.lat, name: d.name })));
  if (isAlone) fit(map, [...shown.values(), ...runs.flatMap((r) => [places.get(r.start_depot_id)])].filter(Boolean).map(at));
}

function fitAll() {
  const served = state.value.runs.flatMap((r) => r.visits.map((v) => stops.value.get(v.stop_id)));
  fit(map, [...served, ...frame.value.depots].filter(Boolean).map((p) => [p.lon, p.lat]), { padding: 24 });
}

let marked = null;

/** Mark a stop; the map is drawn anew only where that changes something. */
function markOnMap(id) {
  if (id === marked) return;
  const isVisited = (stopId) => stopId !== null && visitsOf(stopId).length > 0;
  const [was, is] = [isVisited(marked), isVisited(id)];
  if (was || is) select(map, "stops", is ? [id] : []);
  if ((marked !== null && !was) || (id !== null && !is)) {
    const stop = id === null || is ? undefined : stops.value.get(id);
    const geometry = stop && { type: "Point", coordinates: [stop.lon, stop.lat] };
    map.getSource(POINTED).setData(
      stop ? { type: "Feature", geometry, properties: {} } : nothing(),
    );
  }
  marked = id;
}

/** The next click on the map chooses a new point. */
export function choosePoint(flag) {
  isPlacing = flag && mayEdit.value;
  if (map !== null) map.getCanvas().style.cursor = isPlacing ? "crosshair" : "";
}

function place(event) {
  if (!isPlacing) return;
  choosePoint(false);
  document.dispatchEvent(new CustomEvent("board:placed"));
  const { lng, lat } = event.lngLat;
  dialog.value = {
    kind: "spot", lon: Math.round(lng * 1e6) / 1e6, lat: Math.round(lat * 1e6) / 1e6,
    id: `spot-${crypto.randomUUID().replaceAll("-", "").slice(0, 12)}`,
  };
}

/** Tell the map that its box has another size. */
export const resized = () => map?.resize();
