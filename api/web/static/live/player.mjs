// Under the map of a day: time slider, buttons, the speed by the clock.

import { useMemo } from "../vendor/preact/hooks.mjs";
import "../vendor/preact/signals.mjs";
import { number, t } from "../words.mjs";
import { html } from "../board/view.mjs";
import { day, isPlaying, jump, moment, play, rate, showMoment, span, track, where } from "./day_state.mjs";
import { exactTimeOf, speed, timeOf } from "./telling.mjs";

const RATES = [10, 60, 300, 1000];
const STEP_MS = 10_000;
const SLOTS = 600;
const [WIDTH, HEIGHT] = [1000, 100];

/** What the moment shown says: speed, or that nothing is known; the stop it stands at. */
function saying() {
  if (where.value === null) return t("live.day.no_track");
  const at = moment.value;
  if (at < track.value.firstAt || at > track.value.lastAt || where.value.isGap) return t("live.day.unknown");
  const stop = day.value.stops.find((s) => s.actual_from_at && Date.parse(s.actual_from_at) <= at && (!s.actual_until_at || at <= Date.parse(s.actual_until_at)));
  return stop === undefined ? speed(where.value.speed) : t("live.day.at", { stop: stop.stop_name });
}

function Chart() {
  const [first, last] = span.value;
  const x = (at) => ((at - first) / (last - first)) * WIDTH;
  const told = day.value;
  const { path, top } = useMemo(() => {
    const tops = track.value.profile(first, last, SLOTS);
    const most = Math.max(60, Math.ceil((track.value.isEmpty ? 0 : track.value.top_mps * 3.6) / 20) * 20);
    let text = "";
    tops.forEach((mps, slot) => {
      if (mps === null) return;
      const px = ((slot + 0.5) / SLOTS) * WIDTH;
      text += `${text === "" ? "M" : "L"}${px.toFixed(1)} ${(HEIGHT - (mps * 3.6 * HEIGHT) / most).toFixed(1)}`;
    });
    return { path: text, top: most };
  }, [told, first, last]);
  const band = (from, until, kind, key) => html`<rect key=${key} class=${`chart-band${kind}`} x=${x(from)} y="1" width=${Math.max(1, x(until) - x(from))} height=${HEIGHT - 2} />`;
  return html`<div class="chart" aria-hidden="true">
    <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none"
        onPointerDown=${(event) => { const box = event.currentTarget.getBoundingClientRect(); showMoment(first + ((event.clientX - box.left) / box.width) * (last - first)); }}>
      ${told.stops.filter((s) => s.actual_from_at).map((s) => band(Date.parse(s.actual_from_at), s.actual_until_at ? Date.parse(s.actual_until_at) : Math.max(Date.parse(s.actual_from_at), track.value.isEmpty ? 0 : track.value.lastAt), "", `a${s.key}`))}
      ${track.value.gaps.map(([from, until]) => html`<rect key=${from} class="chart-lost" x=${x(from)} y="0" width=${x(until) - x(from)} height=${HEIGHT} />`)}
      ${told.stops.map((s) => band(Date.parse(s.planned_open_at), Date.parse(s.planned_close_at), " is-planned", `p${s.key}`))}
      <path class="chart-line" d=${path} />
      <line class="chart-now" x1=${x(moment.value)} x2=${x(moment.value)} y1="0" y2=${HEIGHT} />
    </svg>
    <span class="chart-top">${t("live.kmh", { n: number(top) })}</span>
  </div>`;
}

export function Player() {
  const [first, last] = span.value;
  const zone = day.value.time_zone;
  const at = exactTimeOf(moment.value, zone);
  return html`<div class="player" role="group" aria-label=${t("live.day.player")}>
    <div class="player-line">
      <span class="player-time">${at}</span>
      <span class="player-facts">${saying()}</span>
    </div>
    <div class="player-line">
      <button type="button" class="button button-small button-main" onClick=${() => play(!isPlaying.value)}>${isPlaying.value ? t("live.day.pause") : t("live.day.play")}</button>
      <button type="button" class="button button-small" onClick=${() => jump(-1)}>← ${t("live.day.stop_before")}</button>
      <button type="button" class="button button-small" onClick=${() => jump(1)}>${t("live.day.stop_after")} →</button>
      <label class="row">${t("live.day.rate")} <select value=${rate.value} onInput=${(e) => { rate.value = Number(e.target.value); }}>
        ${RATES.map((n) => html`<option key=${n} value=${n}>×${number(n)}</option>`)}
      </select></label>
    </div>
    <${Chart} />
    <label class="sr" for="day-moment">${t("live.day.moment")}</label>
    <input id="day-moment" type="range" min=${first} max=${last} step=${STEP_MS} value=${moment.value}
      aria-valuetext=${`${at}, ${saying()}`} onInput=${(e) => { play(false); showMoment(Number(e.target.value)); }} />
    <div class="chart-scale" aria-hidden="true"><span>${timeOf(first, zone)}</span><span>${timeOf((first + last) / 2, zone)}</span><span>${timeOf(last, zone)}</span></div>
  </div>`;
}
