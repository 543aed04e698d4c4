// A map beside a form: it shows the place of the fields "lon" and "lat", and a click sets them.

import { createMap, maplibre, MapError } from "../map/basemap.mjs";

const DIGITS = 5;
const NEAR_DEG = 0.05;

const holder = document.querySelector("[data-place-map]");
const fields = ["lon", "lat"].map((name) => document.getElementById(`f-${name}`));
const read = () => fields.map((field) => Number.parseFloat(field.value.replace(",", ".")));
const isPlace = ([lon, lat]) => Math.abs(lon) <= 180 && Math.abs(lat) <= 85;

async function begin() {
  const words = JSON.parse(holder.dataset.words);
  const place = read();
  const [lon, lat] = isPlace(place) ? place : holder.dataset.middle.split(",").map(Number);
  const reach = isPlace(place) ? NEAR_DEG : 0.6;
  let map;
  try {
    map = await createMap(holder, {
      pmtilesUrl: holder.dataset.tiles,
      lang: holder.dataset.lang,
      flavor: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light",
      bounds: [lon - reach, lat - reach / 2, lon + reach, lat + reach / 2],
      words,
      cooperative: true,
    });
  } catch (error) {
    holder.textContent = words[error instanceof MapError ? error.code : "map.no_basemap"] ?? String(error);
    return;
  }
  const marker = new maplibre.Marker({ color: "#0b6157", draggable: "editable" in holder.dataset });
  marker.getElement().setAttribute("aria-label", holder.dataset.marker);
  const show = () => {
    const now = read();
    if (isPlace(now)) marker.setLngLat(now).addTo(map);
    else marker.remove();
  };
  const set = ({ lng, lat: north }) => {
    fields[0].value = lng.toFixed(DIGITS);
    fields[1].value = north.toFixed(DIGITS);
    show();
  };
  show();
  for (const field of fields) {
    field.addEventListener("change", () => { show(); if (isPlace(read())) map.easeTo({ center: read() }); });
  }
  if ("editable" in holder.dataset) {
    map.on("click", (event) => set(event.lngLat));
    marker.on("dragend", () => set(marker.getLngLat()));
  }
  holder.dataset.ready = "";
}

await begin();
