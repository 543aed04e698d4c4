// GeoJSON of our API as the pages draw it.

/** Legs of a planned way: `{line, isRoad}`. */
export const legsOf = (told) => told.features
  .filter((feature) => feature.geometry?.type === "LineString")
  .map((feature) => ({ line: feature.geometry.coordinates, isRoad: feature.properties?.follows_roads ?? false }));

/** Points of a driven track in order of time: `{at, lon, lat, speed}`. */
export const pointsOf = (told) => told.features
  .flatMap(({ geometry, properties }) => geometry.coordinates.map(([lon, lat], i) => ({
    at: Date.parse(properties.times[i]), lon, lat, speed: properties.speeds_mps[i],
  })))
  .sort((a, b) => a.at - b.at);
