// A driven track in time: where the vehicle was at a moment, how fast, where nothing is known.

/** Between two positions so far apart nothing is known of the way. */
export const GAP_S = 180;
const EARTH_M = 6_371_008.8;

const radians = (degrees) => (degrees * Math.PI) / 180;

/** Metres between two positions as the crow flies. */
export function metresBetween([lon, lat], [lon2, lat2]) {
  const dy = radians(lat2 - lat);
  const dx = radians(lon2 - lon) * Math.cos(radians((lat + lat2) / 2));
  return EARTH_M * Math.hypot(dx, dy);
}

export class TimedTrack {
  /** @param {{at: number, lon: number, lat: number, speed: number | null}[]} points in order of time */
  constructor(points) {
    this.points = points;
    this.speeds = points.map((point, place) => point.speed ?? this.#between(place));
  }

  get isEmpty() {
    return this.points.length === 0;
  }

  get firstAt() {
    return this.points[0].at;
  }

  get lastAt() {
    return this.points.at(-1).at;
  }

  get top_mps() {
    return this.speeds.reduce((most, speed) => Math.max(most, speed), 0);
  }

  #place(i) {
    return [this.points[i].lon, this.points[i].lat];
  }

  /** Speed by the position before, where the device tells none. */
  #between(i) {
    if (i === 0) return 0;
    const seconds = (this.points[i].at - this.points[i - 1].at) / 1000;
    return seconds > 0 && seconds <= GAP_S ? metresBetween(this.#place(i - 1), this.#place(i)) / seconds : 0;
  }

  /** Place of the last point that is not later than a moment; -1 before all. */
  before(at) {
    let [low, high] = [0, this.points.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.points[middle].at <= at) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Where the vehicle was: `{lon, lat, speed, course, isGap}`. */
  where(at) {
    const i = Math.max(0, this.before(at));
    const here = this.points[i];
    const next = this.points[i + 1];
    if (next === undefined) return { lon: here.lon, lat: here.lat, speed: this.speeds[i], course: null, isGap: false };
    const isGap = next.at - here.at > GAP_S * 1000;
    const share = isGap ? 0 : Math.min(1, Math.max(0, (at - here.at) / (next.at - here.at)));
    const dx = (next.lon - here.lon) * Math.cos(radians(here.lat));
    const course = (Math.atan2(dx, next.lat - here.lat) * 180) / Math.PI;
    return {
      lon: here.lon + share * (next.lon - here.lon),
      lat: here.lat + share * (next.lat - here.lat),
      speed: this.speeds[share > 0.5 ? i + 1 : i],
      course: (course + 360) % 360,
      isGap,
    };
  }

  /** Spans without any position: `[from, until]` in milliseconds. */
  get gaps() {
    const found = [];
    for (let i = 1; i < this.points.length; i += 1) {
      if (this.points[i].at - this.points[i - 1].at > GAP_S * 1000) found.push([this.points[i - 1].at, this.points[i].at]);
    }
    return found;
  }

  /** Lines of one class of speed each: `{line, step}`; gaps are left open. */
  pieces(limits) {
    const found = [];
    const stepOf = (mps) => limits.findLastIndex((limit) => mps * 3.6 >= limit);
    for (let i = 1; i < this.points.length; i += 1) {
      if (this.points[i].at - this.points[i - 1].at > GAP_S * 1000) continue;
      const step = Math.max(0, stepOf(this.speeds[i]));
      const last = found.at(-1);
      if (last !== undefined && last.step === step && last.end === i - 1) last.line.push(this.#place(i));
      else found.push({ step, line: [this.#place(i - 1), this.#place(i)], end: i });
      found.at(-1).end = i;
    }
    return found;
  }

  /** The highest speed in each of so many equal spans, for a chart; null where nothing is known. */
  profile(from, until, count) {
    const tops = new Array(count).fill(null);
    const width = (until - from) / count;
    this.points.forEach((point, i) => {
      const slot = Math.min(count - 1, Math.floor((point.at - from) / width));
      if (slot >= 0) tops[slot] = Math.max(tops[slot] ?? 0, this.speeds[i]);
    });
    return tops;
  }
}
