// The map of a day: the planned line below, the driven track over it, fixes that were not believed.

import { effect } from "../vendor/preact/signals.mjs";
import { createMap, MapError } from "../map/basemap.mjs";
import { fit, showPlaces, showRuns, showStops, tell } from "../map/overlays.mjs";
import { vehicleColour } from "../map/symbols.mjs";
import { showRejected, showTrack, SPEED_STEPS } from "../map/track.mjs";
import { showSpot, showVehicles } from "../map/vehicles.mjs";
import { lang, t } from "../words.mjs";
import { day, hidden, track, where } from "./day_state.mjs";
import { pointed } from "./pointing.mjs";
import { exactTimeOf } from "./telling.mjs";

/** More rings than that hide the map. */
export const MOST_REJECTED = 2000;

/** Show the map in a box; a message stands there where no map can be shown. */
export async function showMap(box, { pmtilesUrl, words }) {
  let map;
  try {
    map = await createMap(box, { pmtilesUrl, lang, words });
  } catch (error) {
    const note = document.createElement("p");
    note.className = "map-none";
    note.textContent = words[error instanceof MapError ? error.code : "map.no_basemap"] ?? t("live.map.none");
    box.replaceChildren(note);
    return;
  }
  const told = day.value;
  const colour = vehicleColour(told.number);
  showRuns(map, told.legs.map(({ line, isRoad }, leg) => ({ id: `leg-${leg}`, line, colour, estimated: !isRoad })));
  const limits = SPEED_STEPS.map(([limit]) => limit);
  showTrack(map, track.value.pieces(limits).map(({ line, step }) => ({ line, colour: SPEED_STEPS[step][1] })));
  effect(() => {
    const shown = told.rejected.filter((fix) => !hidden.value.has(fix.verdict)).slice(0, MOST_REJECTED);
    showRejected(map, shown.map((fix, place) => ({ id: `rejected-${place}`, ...fix })), {
      onSelect: (fix, at) => tell(map, [at.lng, at.lat], sayRejected(fix, told.time_zone)),
    });
  });
  showStops(map, told.stops.map((s) => ({ id: s.key, lon: s.lon, lat: s.lat, name: s.stop_name, label: s.position + 1, colour })));
  showPlaces(map, told.depots.map((d) => ({ id: d.depot_id, lon: d.lon, lat: d.lat, name: d.name })));
  effect(() => {
    const here = where.value;
    showVehicles(map, here === null ? [] : [{
      id: told.vehicle_id, lon: here.lon, lat: here.lat, name: told.name, colour, isStale: here.isGap, isChosen: true,
      course: here.speed > 1.5 ? here.course : null,
    }]);
  });
  effect(() => showSpot(map, pointed.value));
  const points = [...told.stops.map((s) => [s.lon, s.lat]), ...told.legs.flatMap(({ line }) => line), ...told.points.map((p) => [p.lon, p.lat])];
  fit(map, points.length > 0 ? points : told.depots.map((d) => [d.lon, d.lat]));
  box.dataset.ready = "";
}

/** A fix that was not believed, in words. */
export function sayRejected(fix, zone) {
  return [exactTimeOf(fix.at, zone), t(`live.verdict.${fix.verdict}`), t(`live.verdict.${fix.verdict}.about`)].join("\n");
}
