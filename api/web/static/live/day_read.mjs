// Reads a vehicle's day: its stops planned against actual, the planned way, the driven track.

import { call } from "../board/calls.mjs";
import { legsOf, pointsOf } from "./geo.mjs";

/**
 * The day as the replay shows it.
 *
 * @param {{region: string, vehicle: string, date: string}} which
 */
export async function readDay({ region, vehicle, date }) {
  const root = `/regions/${encodeURIComponent(region)}`;
  const id = encodeURIComponent(vehicle);
  const [told, track] = await Promise.all([
    call("GET", `${root}/live/${id}?date=${date}`),
    call("GET", `${root}/tracks/${id}?date=${date}`),
  ]);
  const legs = told.line_url === null ? [] : legsOf(await call("GET", `${root}/${told.line_url}`));
  return {
    vehicle_id: vehicle,
    stops: told.stops.filter((stop) => stop.state !== "unplanned"),
    unplanned: told.stops.filter((stop) => stop.state === "unplanned"),
    departed_at: told.departed_at,
    returned_at: told.returned_at,
    legs,
    points: pointsOf(track),
    rejected: track.rejected.map((fix) => ({ at: Date.parse(fix.fix_at), lon: fix.lon, lat: fix.lat, verdict: fix.reason })),
    counts: track.counts,
    length_m: track.length_m,
  };
}
