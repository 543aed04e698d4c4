// Vehicles on the map: where they are, which way they drive, which one is chosen.

import { BOLD, handle, pointOf, put } from "./overlays.mjs";

const SPOT = "spot";

/** The arrow that shows the course, drawn once for each colour. */
function arrow(colour) {
  const side = 40;
  const canvas = document.createElement("canvas");
  canvas.width = side;
  canvas.height = side;
  const pen = canvas.getContext("2d");
  pen.translate(side / 2, side / 2);
  pen.lineJoin = "round";
  pen.beginPath();
  for (const [x, y] of [[0, -19], [8, -8], [-8, -8]]) pen.lineTo(x, y);
  pen.closePath();
  pen.fillStyle = colour;
  pen.fill();
  pen.lineWidth = 2;
  pen.strokeStyle = "#ffffff";
  pen.stroke();
  return pen.getImageData(0, 0, side, side);
}

/**
 * Vehicles where they were seen last; one that has been silent for long is pale.
 *
 * @param {object[]} vehicles `{id, lon, lat, name, colour, course, isStale, isChosen}`; course is
 *   degrees from north, or null for one that stands
 * @param {{onSelect?: (vehicle: object, at: object) => void}} [options]
 */
export function showVehicles(map, vehicles, { onSelect } = {}) {
  for (const { colour } of vehicles) {
    const id = `course|${colour}`;
    if (!map.hasImage(id)) map.addImage(id, arrow(colour), { pixelRatio: 1 });
  }
  const features = vehicles.map(({ course, ...v }) =>
    pointOf({ ...v, course: course ?? 0, hasCourse: course !== null && course !== undefined }),
  );
  const pale = ["case", ["get", "isStale"], 0.45, 1];
  const isNew = put(map, "vehicles", features, [
    {
      id: "vehicles-course",
      type: "symbol",
      filter: ["get", "hasCourse"],
      layout: {
        "icon-image": ["concat", "course|", ["get", "colour"]],
        "icon-rotate": ["get", "course"],
        "icon-rotation-alignment": "map",
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
      },
      paint: { "icon-opacity": pale },
    },
    {
      id: "vehicles",
      type: "circle",
      paint: {
        "circle-color": "#ffffff",
        "circle-radius": ["case", ["get", "isChosen"], 10, 8],
        "circle-stroke-color": ["get", "colour"],
        "circle-stroke-width": ["case", ["get", "isChosen"], 6, 4.5],
        "circle-opacity": pale,
        "circle-stroke-opacity": pale,
      },
    },
    {
      id: "vehicles-name",
      type: "symbol",
      layout: {
        "text-field": ["get", "name"],
        "text-font": BOLD,
        "text-size": 13,
        "text-anchor": "top",
        "text-offset": [0, 1.1],
        "text-allow-overlap": true,
        "text-ignore-placement": true,
      },
      paint: { "text-color": "#10243e", "text-halo-color": "#ffffff", "text-halo-width": 2 },
    },
  ]);
  handle(map, "vehicles", isNew, onSelect);
}

/** Mark one place with a ring, or none with null. */
export function showSpot(map, place) {
  put(map, SPOT, place === null ? [] : [pointOf({ id: SPOT, ...place })], [
    {
      id: SPOT,
      type: "circle",
      paint: {
        "circle-radius": 14,
        "circle-color": "rgba(0,0,0,0)",
        "circle-stroke-color": "#111111",
        "circle-stroke-width": 3,
      },
    },
  ]);
}
