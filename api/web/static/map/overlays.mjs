// What a plan puts on the basemap: settlements, stops, runs. Calling one again changes what it shows.

import { maplibre } from "./basemap.mjs";
import { SYMBOLS } from "./symbols.mjs";

export const BOLD = ["Noto Sans Medium"];
const EMPTY = { type: "FeatureCollection", features: [] };

export const pointOf = ({ lon, lat, ...properties }) => ({
  type: "Feature",
  geometry: { type: "Point", coordinates: [lon, lat] },
  properties,
});

export const lineOf = ({ line, ...properties }) => ({
  type: "Feature",
  geometry: { type: "LineString", coordinates: line },
  properties,
});

const chosen = (value, otherwise) => [
  "case", ["boolean", ["feature-state", "selected"], false], value, otherwise,
];

/** Put features on a source of a name; layers come with the first ones. */
export function put(map, name, features, layers, before) {
  const data = { type: "FeatureCollection", features };
  const source = map.getSource(name);
  if (source !== undefined) {
    source.setData(data);
    return false;
  }
  map.addSource(name, { type: "geojson", data, promoteId: "id" });
  for (const layer of layers) map.addLayer({ source: name, ...layer }, before);
  return true;
}

const handlers = new WeakMap();

/** Let a layer tell what is clicked; the last handler given holds. */
export function handle(map, layer, isNew, onSelect) {
  if (!handlers.has(map)) handlers.set(map, {});
  handlers.get(map)[layer] = onSelect;
  if (!isNew) return;
  const canSelect = () => handlers.get(map)[layer] !== undefined;
  map.on("mouseenter", layer, () => { if (canSelect()) map.getCanvas().style.cursor = "pointer"; });
  map.on("mouseleave", layer, () => { map.getCanvas().style.cursor = ""; });
  map.on("click", layer, (event) => {
    handlers.get(map)[layer]?.(event.features[0].properties, event.lngLat);
  });
}

export const firstLabel = (map) => map.getStyle().layers.find((layer) => layer.type === "symbol")?.id;

/**
 * Settlements, one symbol each; the fewer people, the later the symbol appears.
 *
 * @param {object[]} settlements `{id, lon, lat, name, status}`; status is a key of SYMBOLS
 *   ("served", "unserved", …), "not_judged" without one
 * @param {{onSelect?: (settlement: object, at: maplibre.LngLat) => void}} [options]
 */
export function showSettlements(map, settlements, { onSelect } = {}) {
  const features = settlements.map((s) =>
    pointOf({ ...s, status: s.status in SYMBOLS ? s.status : "not_judged" }),
  );
  const isNew = put(map, "settlements", features, [
    {
      id: "settlements",
      type: "symbol",
      layout: {
        "icon-image": ["concat", "symbol|", ["get", "status"]],
        "icon-size": ["interpolate", ["linear"], ["zoom"], 6, 0.7, 10, 1, 14, 1.4],
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
      },
    },
  ]);
  handle(map, "settlements", isNew, onSelect);
}

/**
 * Stops with an optional number or letter inside, and their names from zoom 11.
 *
 * @param {object[]} stops `{id, lon, lat, name, label?, colour?}`
 * @param {{onSelect?: (stop: object, at: maplibre.LngLat) => void}} [options]
 */
export function showStops(map, stops, { onSelect } = {}) {
  const features = stops.map((s) =>
    pointOf({ ...s, label: String(s.label ?? ""), colour: s.colour ?? SYMBOLS.stop.fill }),
  );
  const isNew = put(map, "stops", features, [
    {
      id: "stops",
      type: "circle",
      paint: {
        "circle-color": ["get", "colour"],
        "circle-radius": [
          "case", ["==", ["get", "label"], ""], chosen(9, 6), chosen(12, 9),
        ],
        "circle-stroke-color": chosen("#111111", "#ffffff"),
        "circle-stroke-width": chosen(2.5, 1.5),
      },
    },
    {
      id: "stops-label",
      type: "symbol",
      layout: {
        "text-field": ["get", "label"],
        "text-font": BOLD,
        "text-size": 11,
        "text-allow-overlap": true,
        "text-ignore-placement": true,
      },
      paint: { "text-color": "#ffffff" },
    },
    {
      id: "stops-name",
      type: "symbol",
      minzoom: 11,
      layout: {
        "text-field": ["get", "name"],
        "text-font": BOLD,
        "text-size": 12,
        "text-anchor": "left",
        "text-offset": [1.1, 0],
      },
      paint: { "text-color": "#10243e", "text-halo-color": "#ffffff", "text-halo-width": 1.5 },
    },
  ]);
  handle(map, "stops", isNew, onSelect);
}

/**
 * Runs as lines under the names of the basemap.
 *
 * @param {object[]} runs `{id, line: [[lon, lat], …], colour, estimated?}`; an estimated way is
 *   dashed, for it follows no road
 * @param {{onSelect?: (run: object, at: maplibre.LngLat) => void}} [options]
 */
export function showRuns(map, runs, { onSelect } = {}) {
  const features = runs.map((r) => lineOf({ ...r, estimated: Boolean(r.estimated) }));
  const width = ["interpolate", ["linear"], ["zoom"], 6, chosen(4, 2), 12, chosen(7, 4)];
  const wider = ["interpolate", ["linear"], ["zoom"], 6, chosen(7, 4), 12, chosen(11, 7)];
  const round = { "line-cap": "round", "line-join": "round" };
  const line = { type: "line", layout: round };
  const isNew = put(
    map,
    "runs",
    features,
    [
      { id: "runs-edge", ...line, paint: { "line-color": "#ffffff", "line-width": wider } },
      {
        id: "runs",
        ...line,
        filter: ["!", ["get", "estimated"]],
        paint: { "line-color": ["get", "colour"], "line-width": width },
      },
      {
        id: "runs-estimated",
        ...line,
        layout: { ...round, "line-cap": "butt" },
        filter: ["get", "estimated"],
        paint: { "line-color": ["get", "colour"], "line-width": width, "line-dasharray": [3, 1.2] },
      },
    ],
    firstLabel(map),
  );
  handle(map, "runs", isNew, onSelect);
  handle(map, "runs-estimated", isNew, onSelect);
}

/**
 * Depots, or other single places drawn by a symbol of SYMBOLS.
 *
 * @param {object[]} places `{id, lon, lat, name, symbol}`; symbol is "depot" without one
 */
export function showPlaces(map, places, { onSelect } = {}) {
  const features = places.map((p) =>
    pointOf({ ...p, symbol: p.symbol in SYMBOLS ? p.symbol : "depot" }),
  );
  const isNew = put(map, "places", features, [
    {
      id: "places",
      type: "symbol",
      layout: {
        "icon-image": ["concat", "symbol|", ["get", "symbol"]],
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
      },
    },
  ]);
  handle(map, "places", isNew, onSelect);
}

/** Mark the things of an overlay ("stops", "runs") that have these ids, and no others. */
export function select(map, overlay, ids) {
  if (map.getSource(overlay) === undefined) return;
  map.removeFeatureState({ source: overlay });
  for (const id of ids) map.setFeatureState({ source: overlay, id }, { selected: true });
}

/** Take everything off an overlay. */
export function clear(map, overlay) {
  map.getSource(overlay)?.setData(EMPTY);
}

/**
 * Show all of some positions.
 *
 * @param {number[][]} positions `[lon, lat]` pairs; nothing moves without any
 */
export function fit(map, positions, { padding = 48, maxZoom = 13 } = {}) {
  if (positions.length === 0) return;
  const box = new maplibre.LngLatBounds(positions[0], positions[0]);
  for (const position of positions) box.extend(position);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  map.fitBounds(box, { padding, maxZoom, animate: !still });
}

/** A bubble of plain text at a position; text from people is never read as HTML. */
export function tell(map, [lon, lat], text) {
  return new maplibre.Popup({ closeButton: true, maxWidth: "280px" })
    .setLngLat([lon, lat])
    .setText(text)
    .addTo(map);
}
