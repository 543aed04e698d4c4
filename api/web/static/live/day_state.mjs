// What the replay of a day knows: the day as it was told, the moment that is shown.

import { computed, signal } from "../vendor/preact/signals.mjs";
import { TimedTrack } from "./track_time.mjs";

/** The day as the server told it. */
export const day = signal(null);
/** The moment shown, in milliseconds. */
export const moment = signal(0);
/** Whether time runs. */
export const isPlaying = signal(false);
/** How many times as fast as life. */
export const rate = signal(60);
/** Reasons whose fixes are not shown. */
export const hidden = signal(new Set());

export const track = computed(() => new TimedTrack(day.value?.points ?? []));

/** First and last moment of the slider: of the track and of the plan, whichever is wider. */
export const span = computed(() => {
  const told = day.value;
  if (told === null) return [0, 1];
  const times = told.stops.flatMap((s) => [s.planned_arrival_at, s.planned_departure_at, s.actual_from_at, s.actual_until_at]);
  times.push(told.departed_at, told.returned_at);
  const known = times.filter(Boolean).map((at) => Date.parse(at));
  if (!track.value.isEmpty) known.push(track.value.firstAt, track.value.lastAt);
  return known.length > 1 ? [Math.min(...known), Math.max(...known)] : [0, 1];
});

/** Where the vehicle was at the moment shown; null where no track is. */
export const where = computed(() => (track.value.isEmpty ? null : track.value.where(moment.value)));

/** Show a moment; the slider's ends hold it. */
export function showMoment(at) {
  const [first, last] = span.value;
  moment.value = Math.min(last, Math.max(first, at));
}

let frame = 0;
let before = 0;

function step(at) {
  if (!isPlaying.value) return;
  const passed = Math.min(200, at - before);
  before = at;
  showMoment(moment.value + passed * rate.value);
  if (moment.value >= span.value[1]) isPlaying.value = false;
  else frame = requestAnimationFrame(step);
}

/** Let time run or stand; from the end it begins anew. */
export function play(flag) {
  cancelAnimationFrame(frame);
  isPlaying.value = flag;
  if (!flag) return;
  if (moment.value >= span.value[1]) showMoment(span.value[0]);
  before = performance.now();
  frame = requestAnimationFrame(step);
}

/** Go to the arrival at the stop before or after the moment shown. */
export function jump(direction) {
  const arrivals = [...day.value.stops, ...day.value.unplanned]
    .map((s) => Date.parse(s.actual_from_at ?? s.planned_arrival_at)).sort((a, b) => a - b);
  const target = direction > 0
    ? arrivals.find((at) => at > moment.value + 1000)
    : arrivals.findLast((at) => at < moment.value - 1000);
  showMoment(target ?? span.value[direction > 0 ? 1 : 0]);
}
