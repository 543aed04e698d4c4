// A map that works with no server but ours: tiles, fonts, icons and words all come from here.

import * as maplibre from "../vendor/maplibre/maplibre-gl.mjs";
import { PMTiles, Protocol } from "../vendor/pmtiles/pmtiles.mjs";
import { drawMissingImages } from "./images.mjs";
import { basemapStyle, FLAVORS } from "./style.mjs";

const WORDS = {
  title: "Map",
  zoom_in: "Zoom in",
  zoom_out: "Zoom out",
  attribution: "Show or hide sources",
  close: "Close",
  metres: "m",
  kilometres: "km",
  wheel: "Ctrl and the wheel zoom the map",
  wheel_mac: "⌘ and the wheel zoom the map",
  two_fingers: "Move the map with two fingers",
  osm: "© OpenStreetMap contributors",
};
const COPYRIGHT = "https://www.openstreetmap.org/copyright";

let protocol;

function registerTiles(archive) {
  if (protocol === undefined) {
    protocol = new Protocol();
    maplibre.addProtocol("pmtiles", protocol.tile);
  }
  protocol.add(archive);
}

function locale(words) {
  return {
    "Map.Title": words.title,
    "NavigationControl.ZoomIn": words.zoom_in,
    "NavigationControl.ZoomOut": words.zoom_out,
    "AttributionControl.ToggleAttribution": words.attribution,
    "Popup.Close": words.close,
    "ScaleControl.Meters": words.metres,
    "ScaleControl.Kilometers": words.kilometres,
    "CooperativeGesturesHandler.WindowsHelpText": words.wheel,
    "CooperativeGesturesHandler.MacHelpText": words.wheel_mac,
    "CooperativeGesturesHandler.MobileHelpText": words.two_fingers,
  };
}

/** Who is to be named under the map: what the file states, read as text, and our own link. */
function attribution(stated, words) {
  const text = new DOMParser().parseFromString(String(stated ?? ""), "text/html").body.textContent;
  const osm = `<a href="${COPYRIGHT}" target="_blank" rel="noopener">${escaped(words.osm)}</a>`;
  return text
    .split(/ · |, /)
    .filter((name) => name.trim() !== "")
    .map((name) => (name.includes("OpenStreetMap") ? osm : escaped(name)))
    .join(" · ");
}

function escaped(text) {
  const holder = document.createElement("span");
  holder.textContent = text;
  return holder.innerHTML;
}

function padded([west, south, east, north], share) {
  const dx = (east - west) * share;
  const dy = (north - south) * share;
  return [
    Math.max(-180, west - dx), Math.max(-85, south - dy),
    Math.min(180, east + dx), Math.min(85, north + dy),
  ];
}

/** What went wrong before a map could be shown; `code` is `map.no_webgl` or `map.no_basemap`. */
export class MapError extends Error {
  constructor(code, cause) {
    super(code, { cause });
    this.code = code;
  }
}

/**
 * Show a map.
 *
 * @param {HTMLElement} element holder of the map; it must have a height
 * @param {object} options
 * @param {string} options.pmtilesUrl address of the basemap, on our own server
 * @param {object} [options.source] gives the file's bytes in place of the network; its key must be
 *   the whole address
 * @param {string} [options.lang] language of the names: "ru" or "en"
 * @param {string} [options.flavor] one of FLAVORS; unknown ones become "light"
 * @param {number[]} [options.bounds] west, south, east, north to show; the whole file without it
 * @param {Record<string, string>} [options.words] words of the controls, see WORDS above
 * @param {boolean} [options.cooperative] a page that scrolls: the wheel zooms only with Ctrl
 * @param {boolean} [options.preserveDrawing] keep the picture readable, to print it
 * @returns {Promise<maplibre.Map>} the map, once it can take overlays
 * @throws {MapError}
 */
export async function createMap(element, options) {
  const { pmtilesUrl, lang = "ru", bounds, cooperative = false, preserveDrawing = false } = options;
  const flavor = FLAVORS.includes(options.flavor) ? options.flavor : "light";
  const words = { ...WORDS, ...options.words };
  const url = new URL(pmtilesUrl, document.baseURI).href;
  const archive = new PMTiles(options.source ?? url);
  let head;
  let facts;
  try {
    [head, facts] = await Promise.all([archive.getHeader(), archive.getMetadata()]);
  } catch (cause) {
    throw new MapError("map.no_basemap", cause);
  }
  registerTiles(archive);
  const whole = [head.minLon, head.minLat, head.maxLon, head.maxLat];
  const style = basemapStyle(url, {
    lang,
    flavor,
    sourceLayers: (facts.vector_layers ?? []).map((layer) => layer.id),
  });
  let map;
  try {
    map = new maplibre.Map({
      container: element,
      style,
      bounds: bounds ?? whole,
      fitBoundsOptions: { padding: 24 },
      maxBounds: padded(whole, 0.5),
      maxZoom: 18,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      maxPitch: 0,
      cooperativeGestures: cooperative,
      canvasContextAttributes: { preserveDrawingBuffer: preserveDrawing },
      locale: locale(words),
      fadeDuration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 200,
    });
  } catch (cause) {
    throw new MapError("map.no_webgl", cause);
  }
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  drawMissingImages(map, flavor);
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibre.ScaleControl({ unit: "metric" }), "bottom-left");
  map.addControl(
    new maplibre.AttributionControl({
      compact: false,
      customAttribution: attribution(facts.attribution, words),
    }),
    "bottom-right",
  );
  await new Promise((resolve) => map.once("load", resolve));
  return map;
}

export { maplibre };
