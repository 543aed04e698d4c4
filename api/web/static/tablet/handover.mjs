// Hand over to programs that guide drivers: links with a place in them, and GPX of the whole run.

const six = (degrees) => degrees.toFixed(6);
const part = encodeURIComponent;

/** Links for a stop, by the program that takes them. */
export function links({ lon, lat, name }) {
  const point = `${six(lat)},${six(lon)}`;
  return [
    ["geo", `geo:${point}?q=${point}(${part(name)})`],
    ["osmand", `https://osmand.net/map/navigate/?finish=${point}&type=osmand&profile=car`],
    ["organic", `om://map?v=1&ll=${point}&n=${part(name)}`],
  ];
}

const xml = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "");

/** The run as GPX 1.1: stops as way points and as a route, the way as a track. */
export function gpx(told, stops) {
  const placed = stops.filter((s) => Number.isFinite(s.lon) && Number.isFinite(s.lat) && s.state !== "cancelled");
  const at = ({ lon, lat }) => `lat="${six(lat)}" lon="${six(lon)}"`;
  const points = placed.map((s) => `<wpt ${at(s)}><name>${xml(s.name)}</name></wpt>`);
  const route = placed.map((s) => `<rtept ${at(s)}><name>${xml(s.name)}</name></rtept>`);
  const track = told.run.line.filter((leg) => leg.length > 0).map((leg) =>
    `<trkseg>${leg.map(([lon, lat]) => `<trkpt ${at({ lon, lat })}/>`).join("")}</trkseg>`);
  const name = xml(`${told.vehicle.name} ${told.service_date}`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<gpx version="1.1" creator="bookmobile" xmlns="http://www.topografix.com/GPX/1/1">` +
    `<metadata><name>${name}</name></metadata>${points.join("")}<rte><name>${name}</name>${route.join("")}</rte>` +
    `${track.length > 0 ? `<trk><name>${name}</name>${track.join("")}</trk>` : ""}</gpx>\n`;
}
