// The map of the run: its way, its stops, our own position; from the kept file, with no network.

import { useEffect, useRef, useState } from "../vendor/preact/hooks.mjs";
import { createMap, maplibre } from "../map/basemap.mjs";
import { fit, showPlaces, showRuns, showStops } from "../map/overlays.mjs";
import { showVehicles } from "../map/vehicles.mjs";
import { lang, t } from "../words.mjs";
import { day } from "./day.mjs";
import { here } from "./gps.mjs";
import { downloadMap, KeptMap, mapState } from "./map_store.mjs";
import { html } from "./parts.mjs";
import { go, place } from "./shell.mjs";
import { current, nextMoment, revision, stops } from "./state.mjs";

const COLOUR = { done: "#4f6b60", skipped: "#8f1a10", ahead: "#1f5fbf", here: "#b35c00" };
const OWN = "#c2185b";
// A worker's own file is not asked of the service worker, for it lies outside of its scope; what a
// worker of this page imports is. So the map's worker is a line that imports it.
const WORKER = new URL("../vendor/maplibre/maplibre-gl-worker.mjs", import.meta.url).href;
maplibre.setWorkerUrl(URL.createObjectURL(new Blob([`import ${JSON.stringify(WORKER)};`], { type: "text/javascript" })));
const isPlaced = (s) => Number.isFinite(s.lon) && Number.isFinite(s.lat);

function colourOf(stop) {
  const next = nextMoment(stop.visit_id);
  if (stop === current.value) return COLOUR.here;
  return COLOUR[next === "done" || next === "skipped" ? next : "ahead"];
}

function drawStops(map) {
  const list = stops.value.map((s, k) => ({ id: s.visit_id, lon: s.lon, lat: s.lat, name: s.name, label: k + 1, colour: colourOf(s) })).filter(isPlaced);
  showStops(map, list, { onSelect: (stop) => go("stop", stop.id) });
}

function drawOwn(map) {
  const at = here.value;
  if (at === null) return;
  showVehicles(map, [{ id: "own", lon: at.lon, lat: at.lat, name: "", colour: OWN, course: at.course, isStale: Date.now() - at.at > 60_000, isChosen: true }]);
}

function words() {
  return {
    title: t("tablet.view.map"), zoom_in: t("tablet.map.zoom_in"), zoom_out: t("tablet.map.zoom_out"), close: t("tablet.close"),
    attribution: t("tablet.map.sources"), metres: t("tablet.map.m"), kilometres: t("tablet.map.km"), osm: t("tablet.map.osm"),
  };
}

const isDark = () => {
  const { look } = document.documentElement.dataset;
  return look === "night" || (look === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
};

/** Stops as large as gloves and sunlight ask for. */
function enlarge(map) {
  map.setPaintProperty("stops", "circle-radius", 18);
  map.setPaintProperty("stops", "circle-stroke-width", 3);
  map.setLayoutProperty("stops-label", "text-size", 18);
  map.setLayoutProperty("stops-name", "text-size", 16);
  map.setLayoutProperty("stops-name", "text-offset", [1.5, 0]);
  map.setLayerZoomRange("stops-name", 9, 24);
}

async function draw(element, told) {
  const url = new URL(told.map.url, document.baseURI).href;
  const map = await createMap(element, {
    pmtilesUrl: url, source: new KeptMap(url, mapState.value), lang, flavor: isDark() ? "dark" : "light", words: words(),
  });
  const legs = told.run.line.filter((leg) => leg.length > 1);
  const placed = stops.value.filter(isPlaced);
  const straight = [told.run.start_depot, ...placed, told.run.end_depot].filter(Boolean).map(({ lon, lat }) => [lon, lat]);
  const lines = legs.length > 0 ? legs.map((line, k) => ({ id: `leg-${k}`, line, colour: "#1f5fbf" })) : [{ id: "way", line: straight, colour: "#1f5fbf", estimated: true }];
  showRuns(map, lines.filter(({ line }) => line.length > 1));
  const depots = [told.run.start_depot, told.run.end_depot].filter(Boolean);
  showPlaces(map, depots.map((d, k) => ({ id: `${d.depot_id}-${k}`, lon: d.lon, lat: d.lat, name: "" })));
  drawStops(map);
  enlarge(map);
  drawOwn(map);
  const chosen = placed.find((s) => s.visit_id === place.value.id);
  fit(map, chosen ? [[chosen.lon, chosen.lat]] : [...straight, ...legs.flat()], { maxZoom: 14 });
  element.dataset.ready = "";
  return map;
}

function Missing({ told }) {
  if (told.map === null) return html`<div class="t-empty"><p>${t("tablet.map.none")}</p></div>`;
  const { state } = mapState.value;
  return html`<div class="t-empty"><p>${t(state === "loading" ? "tablet.map.loading" : "tablet.map.missing")}</p>
    ${state === "loading" ? html`<progress max=${mapState.value.size || 1} value=${mapState.value.have}></progress>` : html`<button type="button" class="t-main-button" onClick=${() => downloadMap(told.map)}>${t("tablet.map.fetch")}</button>`}</div>`;
}

function MapView() {
  const box = useRef(null);
  const [map, setMap] = useState(null);
  const [problem, setProblem] = useState("");
  const told = day.value;
  const isWhole = mapState.value.state === "whole" && told.map !== null;
  useEffect(() => {
    if (!isWhole) return undefined;
    let made = null;
    let isGone = false;
    draw(box.current, told).then((drawn) => {
      made = drawn;
      if (isGone) made.remove();
      else setMap(made);
    }).catch((error) => setProblem(error.code ?? "map.no_basemap"));
    return () => {
      isGone = true;
      made?.remove();
    };
  }, [isWhole, told.version]);
  useEffect(() => { if (map) drawOwn(map); }, [map, here.value]);
  useEffect(() => { if (map) drawStops(map); }, [map, revision.value]);
  const own = here.value;
  return html`<h1 class="sr">${t("tablet.view.map")}</h1>
    ${isWhole ? html`<div class="t-map" ref=${box}></div>` : html`<${Missing} told=${told} />`}
    ${problem && html`<p class="note note-bad" role="alert">${t(`tablet.${problem}`)}</p>`}
    ${map && html`<div class="t-map-tools">${own && html`<button type="button" class="t-button" onClick=${() => map.easeTo({ center: [own.lon, own.lat], zoom: 14 })}>${t("tablet.map.me")}</button>`}
      <button type="button" class="t-button" onClick=${() => fit(map, stops.value.filter(isPlaced).map((s) => [s.lon, s.lat]))}>${t("tablet.map.all")}</button></div>`}`;
}

export const view = MapView;
