// The replay of a vehicle's day. The page gives its facts in data attributes of #day.

import { render } from "../vendor/preact/preact.mjs";
import { useEffect } from "../vendor/preact/hooks.mjs";
import "../vendor/preact/signals.mjs";
import { number, ready, t, tn } from "../words.mjs";
import { html, tint } from "../board/view.mjs";
import { readDay } from "./day_read.mjs";
import { day, hidden, showMoment, span, track } from "./day_state.mjs";
import { Player } from "./player.mjs";
import { pointAt } from "./pointing.mjs";
import { StopTable } from "./strip.mjs";
import { distance, speed } from "./telling.mjs";
import { SPEED_STEPS } from "../map/track.mjs";

const root = document.getElementById("day");
const facts = root.dataset;
const HELD = new Set(["kept", "late", "early"]);

function Figures() {
  const { stops, points, rejected, length_m: driven } = day.value;
  const held = stops.filter((s) => HELD.has(s.state)).length;
  const parts = [
    [t("live.day.kept"), stops.length > 0 ? `${number(held)} / ${number(stops.length)}` : "–"],
    [t("live.day.driven"), track.value.isEmpty ? "–" : distance(driven)],
    [t("live.day.top"), track.value.isEmpty ? "–" : speed(track.value.top_mps)],
    [t("live.day.fixes"), number(points.length)],
    [t("live.day.rejected"), number(rejected.length)],
  ];
  return html`<dl class="day-figures">${parts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function Rejected() {
  const counts = new Map();
  for (const fix of day.value.rejected) counts.set(fix.verdict, (counts.get(fix.verdict) ?? 0) + 1);
  if (counts.size === 0) return html`<p class="soft">${t("live.day.none_rejected")}</p>`;
  const toggle = (verdict) => {
    const next = new Set(hidden.value);
    if (!next.delete(verdict)) next.add(verdict);
    hidden.value = next;
  };
  return html`<ul class="rejects">${[...counts].sort((a, b) => b[1] - a[1]).map(([verdict, count]) => html`<li key=${verdict}>
    <label class="check"><input type="checkbox" checked=${!hidden.value.has(verdict)} onChange=${() => toggle(verdict)} />
      <span>${t(`live.verdict.${verdict}`)}: ${number(count)}<small>${t(`live.verdict.${verdict}.about`)}</small></span></label></li>`)}</ul>`;
}

function Legend() {
  const { legs, number: place } = day.value;
  const isRoad = legs.some((leg) => leg.isRoad);
  const names = SPEED_STEPS.map(([low], i) => (i + 1 < SPEED_STEPS.length
    ? t("live.legend.between", { low: number(low), high: number(SPEED_STEPS[i + 1][0]) })
    : t("live.legend.above", { low: number(low) })));
  return html`<ul class=${`legend ${tint(place)}`} aria-label=${t("live.legend")}>
    <li><span class="legend-line legend-planned"></span>${t(isRoad ? "live.legend.planned" : "live.legend.planned_straight")}</li>
    ${names.map((name, i) => html`<li key=${name}><span class=${`legend-line legend-${i}`}></span>${name}</li>`)}
    <li><span class="legend-rejected"></span>${t("live.legend.rejected")}</li>
  </ul>`;
}

function Day() {
  const told = day.value;
  useEffect(() => {
    const words = JSON.parse(facts.mapWords);
    void import("./day_map.mjs").then((m) => m.showMap(document.getElementById("day-map"), { pmtilesUrl: facts.basemap, words }));
    document.body.dataset.live = "";
  }, []);
  return html`<div class="live-in">
    <div class="live-list">
      <${Figures} />
      ${told.stops.length + told.unplanned.length > 0
        ? html`<h2>${t("live.day.stops")}</h2><${StopTable} stops=${told.stops} unplanned=${told.unplanned} zone=${told.time_zone} caption=${t("live.day.stops")} onPoint=${pointAt} />`
        : html`<p class="empty">${t("live.day.no_run")}</p>`}
      ${told.points.length === 0 && html`<p class="note note-warn">${t("live.day.no_track_long")}</p>`}
      <h2>${t("live.legend")}</h2>
      <${Legend} />
      <h2>${tn("live.day.rejected_count", told.rejected.length)}</h2>
      <${Rejected} />
    </div>
    <div class="replay-side">
      <div class="replay-map"><div id="day-map" role="region" aria-label=${t("live.map")}></div></div>
      ${told.stops.length + told.points.length > 0 && html`<${Player} />`}
    </div>
  </div>`;
}

async function begin() {
  const wait = root.querySelector(".live-wait");
  try {
    const [, told] = await Promise.all([ready, readDay(facts)]);
    const fleet = JSON.parse(facts.fleet);
    day.value = { ...told, ...fleet, name: facts.name, number: Number(facts.number) };
  } catch (error) {
    wait.textContent = `${facts.failed} ${error.message}`;
    return;
  }
  showMoment(track.value.isEmpty ? span.value[0] : track.value.firstAt);
  wait.remove();
  const holder = document.createElement("div");
  holder.className = "live";
  root.append(holder);
  render(html`<${Day} />`, holder);
}

void begin();
