// Every image that the style or the overlays ask for, drawn here: there is no sprite to fetch.

import { OUTLINES, SYMBOLS } from "./symbols.mjs";

const RATIO = 2;
const POI_COLOURS = {
  library: "#22577a", school: "#8a6d3b", university: "#8a6d3b", townhall: "#6b5b95",
  post_office: "#6b5b95", station: "#3f6ea5", train_station: "#3f6ea5", bus_stop: "#3f6ea5",
  ferry_terminal: "#3f6ea5", supermarket: "#a8662a", convenience: "#a8662a",
  park: "#5c8a5c", forest: "#5c8a5c", garden: "#5c8a5c", beach: "#b39a52", peak: "#7a6a55",
};

function drawing(width, height, draw) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(width * RATIO);
  canvas.height = Math.ceil(height * RATIO);
  const pen = canvas.getContext("2d");
  pen.scale(RATIO, RATIO);
  draw(pen, canvas.width / RATIO, canvas.height / RATIO);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

function symbolImage({ shape, fill, stroke, radius, weight }) {
  const reach = radius * 1.4 + weight + 1;
  return drawing(2 * reach, 2 * reach, (pen, width, height) => {
    pen.translate(width / 2, height / 2);
    pen.lineJoin = "round";
    pen.beginPath();
    const corners = OUTLINES[shape];
    if (corners.length === 0) pen.arc(0, 0, radius, 0, 2 * Math.PI);
    for (const [x, y] of corners) pen.lineTo(x * radius, y * radius);
    pen.closePath();
    pen.fillStyle = fill;
    pen.fill();
    if (weight > 0) {
      pen.lineWidth = weight;
      pen.strokeStyle = stroke;
      pen.stroke();
    }
  });
}

function dot(radius, fill, ring) {
  return drawing(2 * radius + 3, 2 * radius + 3, (pen, width, height) => {
    pen.beginPath();
    pen.arc(width / 2, height / 2, radius, 0, 2 * Math.PI);
    pen.fillStyle = fill;
    pen.fill();
    pen.lineWidth = 1.2;
    pen.strokeStyle = ring;
    pen.stroke();
  });
}

function shield(letters, flavor) {
  const dark = flavor === "dark" || flavor === "black";
  return drawing(10 + 6.4 * letters, 17, (pen, width, height) => {
    pen.beginPath();
    pen.roundRect(1, 1, width - 2, height - 2, 3);
    pen.fillStyle = dark ? "#2f3338" : "#ffffff";
    pen.fill();
    pen.lineWidth = 1;
    pen.strokeStyle = dark ? "#71777e" : "#9aa1a8";
    pen.stroke();
  });
}

function arrow() {
  return drawing(10, 10, (pen) => {
    pen.beginPath();
    for (const [x, y] of [[5, 1], [8, 5], [6, 5], [6, 9], [4, 9], [4, 5], [2, 5]]) pen.lineTo(x, y);
    pen.closePath();
    pen.fillStyle = "#8b9199";
    pen.fill();
  });
}

function imageFor(id, flavor) {
  const [family, kind] = id.split("|");
  if (family === "symbol" && kind in SYMBOLS) return symbolImage(SYMBOLS[kind]);
  const letters = /^.*-(\d+)char$/.exec(id);
  if (letters) return shield(Math.min(Number(letters[1]), 8), flavor);
  if (id === "arrow") return arrow();
  const dark = flavor === "dark" || flavor === "black";
  const ring = dark ? "#1f2328" : "#ffffff";
  if (id === "capital") return dot(4, dark ? "#d0d4d8" : "#4a4f55", ring);
  if (id === "townspot") return dot(3, dark ? "#aab0b6" : "#6a7077", ring);
  return dot(3.4, POI_COLOURS[id] ?? "#8b9199", ring);
}

/** Let the map ask here for any image it lacks. */
export function drawMissingImages(map, flavor) {
  map.setMissingStyleImageResolver(async (id) => {
    if (!map.hasImage(id)) map.addImage(id, imageFor(id, flavor), { pixelRatio: RATIO });
  });
}
