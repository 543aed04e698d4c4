// The map of the needs page: the settlements of the table as points, a click tells the verdict.

import { createMap, maplibre, MapError } from "../map/basemap.mjs";
import { showSettlements } from "../map/overlays.mjs";

const holder = document.getElementById("need-map");
const verdict = document.getElementById("need-verdict");
const RETRY_MS = 1500;

let map;
let marker;

function show(id) {
  const address = new URL(holder.dataset.detail, location.href);
  address.searchParams.set("settlement", id);
  window.htmx.ajax("GET", address.pathname + address.search, { target: verdict, swap: "innerHTML" });
}

async function points() {
  const address = document.getElementById("need-points")?.dataset.points;
  if (address === undefined) return [];
  const answer = await fetch(address);
  if (answer.status === 202) {
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    return points();
  }
  if (!answer.ok) return [];
  const { features } = await answer.json();
  return features.map(({ id, geometry, properties }) => ({
    id, lon: geometry.coordinates[0], lat: geometry.coordinates[1],
    name: properties.name, status: properties.status,
  }));
}

async function draw() {
  if (map === undefined) return;
  showSettlements(map, await points(), { onSelect: (place) => show(place.id) });
  holder.dataset.ready = "";
}

function markPlace(article) {
  for (const row of document.querySelectorAll("tr[data-now]")) delete row.dataset.now;
  const id = article.dataset.settlement;
  const row = [...document.querySelectorAll("tr[data-settlement]")].find((r) => r.dataset.settlement === id);
  if (row !== undefined) row.dataset.now = "";
  article.focus({ preventScroll: true });
  article.scrollIntoView({ block: "nearest" });
  if (map === undefined) return;
  const place = article.dataset.place.split(",").map(Number);
  marker ??= new maplibre.Marker({ color: "#0b6157" });
  marker.setLngLat(place).addTo(map);
  marker.getElement().setAttribute("aria-label", article.querySelector("h2").textContent);
  map.easeTo({ center: place, zoom: Math.max(map.getZoom(), 9) });
}

// Whatever brought a new table or a new verdict, the map follows.
new MutationObserver(() => {
  const article = verdict.querySelector("article");
  if (article !== null) markPlace(article);
}).observe(verdict, { childList: true });
new MutationObserver((changes) => {
  const isNew = changes.some((change) =>
    [...change.addedNodes].some((node) => node.id === "need-table"));
  if (isNew) draw();
}).observe(document.querySelector(".need-cols"), { childList: true });

async function begin() {
  const words = JSON.parse(holder.dataset.words);
  try {
    map = await createMap(holder, {
      pmtilesUrl: holder.dataset.tiles,
      lang: holder.dataset.lang,
      flavor: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light",
      words,
      cooperative: true,
    });
  } catch (error) {
    holder.textContent = words[error instanceof MapError ? error.code : "map.no_basemap"] ?? String(error);
    return;
  }
  await draw();
}

await begin();
