// The style of the basemap: Protomaps' layers over one PMTiles file, with fonts from our own server.

import { layers, namedFlavor } from "../vendor/basemaps/basemaps.mjs";

const FONTS = new URL("../vendor/noto-sans/", import.meta.url).href;
const CYRILLIC = ["U+0301", "U+0400-045F", "U+0490-0491", "U+04B0-04B1", "U+2116"];
const FACES = {
  "Noto Sans Regular": "400-normal",
  "Noto Sans Medium": "500-normal",
  "Noto Sans Italic": "400-italic",
};
const SOURCE = "basemap";

// Quieter water and ground than the flavour's own, so that what a plan draws on them stands out;
// names dark enough to read (4.5:1 and more on the ground).
const TUNED = {
  light: {
    background: "#d2d4d3", water: "#b4d6e6", boundaries: "#8f86a3", city_label: "#3d4349",
    subplace_label: "#666b70", ocean_label: "#3f6383", roads_label_minor: "#6b6366",
    roads_label_major: "#5f585b",
  },
  dark: {
    background: "#2b2d31", water: "#22364a", ocean_label: "#8fa6bd", city_label: "#b3b9bf", subplace_label: "#8d949b", boundaries: "#7d86a0",
  },
};

// Villages as patches of ground: the ready-made style leaves them out.
const BUILT_UP = {
  light: "#d9d4cb", white: "#f2f2f2", grayscale: "#dedede", dark: "#2a2a2a", black: "#1c1c1c",
};

function residential(flavor) {
  return {
    id: "landuse_residential",
    type: "fill",
    source: SOURCE,
    "source-layer": "landuse",
    filter: ["==", ["get", "kind"], "residential"],
    paint: { "fill-color": BUILT_UP[flavor] },
  };
}

const rank = ["coalesce", ["get", "population_rank"], 1];
const bySize = (city, town, village) => ["case", [">=", rank, 9], city, [">=", rank, 6], town, village];
const PLACE_LAYOUT = {
  // Rural maps: a dot for each place, its name beside it, the larger the place the larger the name.
  "icon-image": [
    "step", ["zoom"], ["case", ["==", ["get", "capital"], "yes"], "capital", "townspot"], 13, "",
  ],
  "text-variable-anchor": ["bottom", "left", "right", "top"],
  "text-radial-offset": 0.45,
  "text-font": ["case", [">=", rank, 6], ["literal", ["Noto Sans Medium"]],
    ["literal", ["Noto Sans Regular"]]],
  "text-size": ["interpolate", ["linear"], ["zoom"], 5, bySize(13, 11, 10), 9, bySize(17, 13, 11),
    14, bySize(22, 17, 14)],
};

export const FLAVORS = ["light", "dark", "white", "grayscale", "black"];

function fontFaces() {
  return Object.fromEntries(
    Object.entries(FACES).map(([name, file]) => [
      name,
      [
        { url: `${FONTS}noto-sans-cyrillic-${file}.woff2`, "unicode-range": CYRILLIC },
        { url: `${FONTS}noto-sans-latin-${file}.woff2` },
      ],
    ]),
  );
}

/**
 * The style for a file.
 *
 * @param {string} url address of the PMTiles file
 * @param {{lang: string, flavor: string, sourceLayers: string[]}} choice names of the layers that
 *   the file has; a style layer of any other would be reported as an error
 */
export function basemapStyle(url, { lang, flavor, sourceLayers }) {
  const colours = { ...namedFlavor(flavor), ...TUNED[flavor] };
  const ready = layers(SOURCE, colours, { lang });
  ready.splice(ready.findIndex((layer) => layer["source-layer"] === "landuse"), 0,
    residential(flavor));
  const drawn = ready.filter(
    (layer) => !("source-layer" in layer) || sourceLayers.includes(layer["source-layer"]),
  );
  for (const layer of drawn) {
    if (layer.id === "places_locality") Object.assign(layer.layout, PLACE_LAYOUT);
    if (layer.id === "boundaries") layer.paint["line-width"] = 0.8;
    if (layer.id === "boundaries_country") layer.paint["line-width"] = 1.4;
  }
  return {
    version: 8,
    "font-faces": fontFaces(),
    sources: { [SOURCE]: { type: "vector", url: `pmtiles://${url}` } },
    layers: drawn,
  };
}
