// GeoJSON of our API as the pages draw it.

/** Legs of a planned way: `{line, isRoad}`. */
export const legsOf = (told) => told.features.map(({ geometry }) => ({
  line: geometry.coordinates, isRoad: told.follows_roads,
}));

/** Points of the track of whichever tracker told most, in order of time: `{at, lon, lat, speed}`. */
export function pointsOf(told) {
  const byTracker = Map.groupBy(told.features, ({ properties }) => properties.tracker_id);
  let most = [];
  for (const pieces of byTracker.values()) {
    const points = pieces.flatMap(({ geometry, properties }) => geometry.coordinates.map(([lon, lat], i) => ({
      at: Date.parse(properties.times[i]), lon, lat, speed: properties.speeds_mps[i],
    })));
    if (points.length > most.length) most = points;
  }
  return most.sort((a, b) => a.at - b.at);
}
