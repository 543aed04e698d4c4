// The day's run: its stops in order, what became of each, the next tap.

import { useState } from "../vendor/preact/hooks.mjs";
import { clock, t, tn } from "../words.mjs";
import { day, fetchDay } from "./day.mjs";
import { save } from "./copy.mjs";
import { here } from "./gps.mjs";
import { gpx } from "./handover.mjs";
import { write } from "./journal.mjs";
import { at } from "./lending.mjs";
import { Moment } from "./moments.mjs";
import { ask, html, icon, timeOf } from "./parts.mjs";
import { go } from "./shell.mjs";
import { current, nextMoment, revision, stops, totalOf, visitNow } from "./state.mjs";
import { Odometer, Way } from "./way.mjs";

const TONE = { arrive: "", open: "accent", close: "accent", depart: "accent", done: "good", skipped: "bad" };

/** What became of a stop, as words and a tone. */
export function standing(stop) {
  if (stop.state === "cancelled") return { text: t("tablet.state.cancelled"), tone: "bad" };
  const next = nextMoment(stop.visit_id);
  const { moments } = visitNow(stop.visit_id);
  if (next === "skipped") return { text: t("tablet.state.skipped"), tone: TONE[next] };
  if (next === "arrive") return { text: t("tablet.state.ahead"), tone: "" };
  const [code, moment] = { open: ["arrived", "arrive"], close: ["open", "open"], depart: ["closed", "close"], done: ["departed", "depart"] }[next];
  return { text: t(`tablet.state.${code}`, { time: timeOf(moments[moment]) }), tone: TONE[next] };
}

function Card({ stop, number, isCurrent }) {
  const { counts, loans } = visitNow(stop.visit_id);
  const { text, tone } = standing(stop);
  const visits = totalOf(counts, "visits_service") + totalOf(counts, "visits_event");
  const facts = [];
  if (visits > 0) facts.push(tn("tablet.visits", visits));
  if (loans > 0) facts.push(tn("tablet.loans", loans));
  if (stop.to_hand_over?.length) facts.push(tn("tablet.holds", stop.to_hand_over.length));
  if (stop.expected_back?.length) facts.push(tn("tablet.back", stop.expected_back.length));
  return html`<li class=${`t-card${isCurrent ? " is-current" : ""}${stop.state === "cancelled" ? " is-off" : ""}`}>
    <a class="t-card-open" href=${`#stop/${encodeURIComponent(stop.visit_id)}`}>
      <span class="t-number" aria-hidden="true">${number}</span>
      <span class="t-card-text"><strong>${stop.name}</strong>
        <span>${stop.is_unplanned ? t("tablet.unplanned") : `${clock(stop.start_s)}–${clock(stop.end_s)}`}</span>
        ${facts.length > 0 && html`<small>${facts.join(" · ")}</small>`}</span>
      <span class=${`badge ${tone ? `badge-${tone}` : ""}`}>${text}</span>
    </a>
    ${isCurrent && html`<${Moment} stop=${stop} />`}
  </li>`;
}

function Unplanned({ close }) {
  const [name, setName] = useState("");
  const [note, setNote] = useState("");
  const position = here.value;
  const send = async (event) => {
    event.preventDefault();
    if (!name.trim()) return;
    const visit_id = crypto.randomUUID().replaceAll("-", "");
    const body = { name: name.trim(), note: note.trim(), lon: position?.lon, lat: position?.lat };
    await write({ kind: "unplanned_stop", ...at({ visit_id }), body });
    close();
    go("stop", visit_id);
  };
  return html`<form class="t-form" onSubmit=${send}>
    <label class="field"><span>${t("tablet.unplanned.name")}</span><input required maxlength="200" value=${name} onInput=${(e) => setName(e.target.value)} /></label>
    <label class="field"><span>${t("tablet.note")}</span><textarea maxlength="1000" value=${note} onInput=${(e) => setNote(e.target.value)}></textarea></label>
    <p>${position ? t("tablet.unplanned.here") : t("tablet.unplanned.no_gps")}</p>
    <button class="t-main-button">${t("tablet.unplanned.do")}</button>
  </form>`;
}

/** The run. */
export function Run() {
  void revision.value;
  const told = day.value;
  const list = stops.value;
  const now = current.value;
  return html`<h1 class="sr">${t("tablet.view.run")}</h1>
    ${list.length === 0 && html`<div class="t-empty"><p>${t("tablet.run.none")}</p><button type="button" class="t-button" onClick=${() => fetchDay()}>${t("tablet.day.fetch")}</button></div>`}
    ${told.run.depart_at && html`<p class="t-ends">${t("tablet.run.from", { time: timeOf(told.run.depart_at) })}</p>`}
    ${list.length > 0 && html`<${Odometer} end="out" />`}
    <ol class="t-cards">${list.map((stop, k) => html`<${Card} key=${stop.visit_id} stop=${stop} number=${k + 1} isCurrent=${stop === now} />`)}</ol>
    ${told.run.return_at && html`<p class="t-ends">${t("tablet.run.until", { time: timeOf(told.run.return_at) })}</p>`}
    ${list.length > 0 && html`<${Odometer} end="in" /><${Way} />`}
    <div class="t-row">
      <button type="button" class="t-button" onClick=${() => ask(t("tablet.unplanned.title"), Unplanned)}>${t("tablet.unplanned.add")}</button>
      <button type="button" class="t-button" onClick=${() => save(new Blob([gpx(told, list)], { type: "application/gpx+xml" }), `${told.vehicle.vehicle_id}-${told.service_date}.gpx`)}>${icon("map")}${t("tablet.gpx")}</button>
    </div>`;
}
