// Shapes and colours of the map: the same as maps/symbols.py (a test compares them).
// What a thing is must show without its colour too.

const turned = (corners, turnDeg, size) =>
  Array.from({ length: corners }, (_, k) => {
    const angle = ((turnDeg + (360 * k) / corners) * Math.PI) / 180;
    return [size * Math.cos(angle), size * Math.sin(angle)];
  });

const arm = 0.2;
const far = 1.05;
const cross = [
  [-arm, -far], [arm, -far], [arm, -arm], [far, -arm], [far, arm], [arm, arm],
  [arm, far], [-arm, far], [-arm, arm], [-far, arm], [-far, -arm], [-arm, -arm],
].map(([x, y]) => [(x - y) * Math.SQRT1_2, (x + y) * Math.SQRT1_2]);

/** Corners in units of the symbol's radius, y downwards; an empty list is a circle. */
export const OUTLINES = {
  circle: [],
  triangle: turned(3, -90, 1.35),
  triangle_down: turned(3, 90, 1.35),
  diamond: turned(4, -90, 1.25),
  square: turned(4, -45, 1.2),
  cross,
  house: [[0, -1.3], [1.2, -0.2], [1.2, 1.0], [-1.2, 1.0], [-1.2, -0.2]],
};

/** By the kind of a point: shape, fill, stroke, radius and stroke width in pixels. */
export const SYMBOLS = {
  served: { shape: "circle", fill: "#4c8c6b", stroke: "#2f6b4d", radius: 3.2, weight: 1 },
  served_assumed: { shape: "diamond", fill: "#9ecae1", stroke: "#4f87a8", radius: 3.4, weight: 1 },
  unserved: { shape: "triangle", fill: "#d7301f", stroke: "#8f1a10", radius: 4.6, weight: 1 },
  unserved_assumed: {
    shape: "triangle_down", fill: "#fdae4b", stroke: "#b8660b", radius: 4.4, weight: 1,
  },
  not_judged: { shape: "circle", fill: "#b8bcc2", stroke: "#7d838c", radius: 3, weight: 1 },
  library_known: { shape: "square", fill: "#22577a", stroke: "#ffffff", radius: 5, weight: 1 },
  library_assumed: {
    shape: "square", fill: "#ffffff", stroke: "#22577a", radius: 3.6, weight: 1.5,
  },
  stop: { shape: "circle", fill: "#1f5fbf", stroke: "#ffffff", radius: 7, weight: 1.5 },
  unserved_stop: { shape: "cross", fill: "#5a1e12", stroke: "#5a1e12", radius: 3.4, weight: 0 },
  depot: { shape: "house", fill: "#111111", stroke: "#ffffff", radius: 9, weight: 2 },
};

/** Colours of vehicles, by their place in the fleet. */
export const VEHICLE_COLOURS = [
  "#1f5fbf", "#a3198f", "#00796b", "#7a4a12", "#c2185b", "#3f4a56", "#5b7a00", "#5a3fc0",
];

export const vehicleColour = (index) => VEHICLE_COLOURS[index % VEHICLE_COLOURS.length];
