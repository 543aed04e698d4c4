// What was driven: the track as a line, coloured by speed where it is known, rejected fixes.

import { firstLabel, handle, lineOf, pointOf, put } from "./overlays.mjs";

/** Colours of a driven line by metres a second: slow to fast, told apart in grey too. */
export const SPEED_STEPS = [
  [0, "#3b0f70"], [20, "#b5367a"], [50, "#fb8761"], [80, "#fcdb75"],
];

const byName = ["coalesce", ["get", "colour"], "#141414"];

/**
 * Driven pieces over the planned line: dark and narrow, so that the plan shows under them.
 *
 * @param {(number[][] | {line: number[][], colour: string})[]} pieces lines of positions
 */
export function showTrack(map, pieces) {
  const features = pieces
    .map((piece) => (Array.isArray(piece) ? { line: piece } : piece))
    .filter(({ line }) => line.length > 1)
    .map((piece, place) => lineOf({ id: `track-${place}`, ...piece }));
  const round = { "line-cap": "round", "line-join": "round" };
  put(map, "track", features, [
    {
      id: "track-edge", type: "line", layout: round,
      paint: { "line-color": "#ffffff", "line-width": 4.5 },
    },
    { id: "track", type: "line", layout: round, paint: { "line-color": byName, "line-width": 2.5 } },
  ], firstLabel(map));
}

/**
 * Fixes that were not believed, each a small cross in a ring.
 *
 * @param {object[]} fixes `{id, lon, lat, …}`
 * @param {{onSelect?: (fix: object, at: object) => void}} [options]
 */
export function showRejected(map, fixes, { onSelect } = {}) {
  const isNew = put(map, "rejected", fixes.map(pointOf), [
    {
      id: "rejected",
      type: "circle",
      paint: {
        "circle-radius": 5,
        "circle-color": "#ffffff",
        "circle-stroke-color": "#a4262c",
        "circle-stroke-width": 2.5,
      },
    },
  ]);
  handle(map, "rejected", isNew, onSelect);
}
