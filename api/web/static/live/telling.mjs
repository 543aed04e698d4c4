// What happens on the road in words: durations, ages, phases, delays, alerts.

import { lang, number, t } from "../words.mjs";

const locale = lang === "en" ? "en-GB" : lang;
/** A delay below it is none that anybody would speak of. */
export const IN_TIME_S = 60;
/** From here on a delay is told in the colour of trouble. */
export const LATE_S = 600;
/** Older than that a position says little of where a vehicle is now. */
export const STALE_S = 300;

const formats = new Map();

function format(zone, options) {
  const key = `${zone}${JSON.stringify(options)}`;
  if (!formats.has(key)) {
    formats.set(key, new Intl.DateTimeFormat(locale, { timeZone: zone, hourCycle: "h23", ...options }));
  }
  return formats.get(key);
}

/** An instant (ISO text or milliseconds) as HH:MM by the region's clocks; a dash for none. */
export const timeOf = (at, zone) =>
  at === null || at === undefined ? "–" : format(zone, { hour: "2-digit", minute: "2-digit" }).format(new Date(at));

/** The same with seconds. */
export const exactTimeOf = (at, zone) =>
  format(zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(at));

/** Seconds as people say them: 40 s, 7 min, 1 h 05 min. */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t("live.seconds", { n: whole });
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return t("live.minutes", { n: minutes });
  return t("live.hours", { h: number(Math.floor(minutes / 60)), min: String(minutes % 60).padStart(2, "0") });
}

/** Metres as people say them. */
export const distance = (metres) =>
  metres < 950 ? t("live.m", { n: number(Math.round(metres / 10) * 10) }) : t("live.km", { n: number(Math.round(metres / 100) / 10) });

export const speed = (mps) => t("live.kmh", { n: number(Math.round(mps * 3.6)) });

/** A delay and the tone in which it is shown: good, warn or bad. */
export function delayOf(seconds) {
  if (seconds < IN_TIME_S) return { text: t("live.in_time"), tone: "good" };
  return { text: t("live.late", { time: duration(seconds) }), tone: seconds < LATE_S ? "warn" : "bad" };
}

/** From when to when somebody arrives, with 80 %: "10:48–11:06"; one time where both are the same. */
export function between(eta, zone) {
  const [low, high] = [timeOf(eta.low_at, zone), timeOf(eta.high_at, zone)];
  return low === high ? low : `${low}–${high}`;
}
