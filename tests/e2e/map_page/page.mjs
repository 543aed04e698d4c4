// A page as the desk would write it: a map, then what a plan puts on it, told by the address.
import { createMap } from "/static/map/basemap.mjs";
import { fit, select, showPlaces, showRuns, showSettlements, showStops, tell } from "/static/map/overlays.mjs";

const asked = new URLSearchParams(location.search);
const answer = await fetch("/page/overlays.json");
const overlays = answer.ok ? await answer.json() : {};
const said = (what) => { document.body.dataset.said = what; };
try {
  const map = await createMap(document.getElementById("map"), {
    pmtilesUrl: "/basemap.pmtiles",
    lang: asked.get("lang") ?? "ru",
    flavor: asked.get("flavor") ?? "light",
    bounds: asked.get("bounds")?.split(",").map(Number),
    words: overlays.words,
  });
  map.on("error", (event) => console.error(`map: ${event.error?.message}`));
  if (asked.has("plan")) {
    showRuns(map, overlays.runs, { onSelect: (run) => said(`run ${run.id}`) });
    showSettlements(map, overlays.settlements, { onSelect: (s) => said(`settlement ${s.id}`) });
    showStops(map, overlays.stops, {
      onSelect: (stop, at) => { said(`stop ${stop.id}`); tell(map, at.toArray(), stop.name); },
    });
    showPlaces(map, overlays.places);
    select(map, "runs", [overlays.runs[0].id]);
    if (asked.has("tell")) tell(map, [20.5, 54.7], "Калининград");
    if (asked.get("plan") === "fit") fit(map, overlays.runs[0].line, { maxZoom: 12 });
  }
  map.on("idle", () => {
    const [stop] = overlays.stops;
    const spot = map.project([stop.lon, stop.lat]);
    const { lng, lat } = map.getCenter();
    Object.assign(document.body.dataset, {
      ready: "yes",
      layers: [...new Set(map.getStyle().layers.map((l) => l["source-layer"] ?? ""))].join(" "),
      names: [...new Set(map.queryRenderedFeatures({ layers: ["places_locality"] })
        .map((f) => f.properties.name))].join("|"),
      stopAt: `${spot.x} ${spot.y}`,
      zoom: map.getZoom().toFixed(2),
      centre: `${lng.toFixed(4)} ${lat.toFixed(4)}`,
    });
  });
  map.triggerRepaint(); // it may be idle already
} catch (error) {
  document.body.dataset.failed = error.code ?? String(error);
}
