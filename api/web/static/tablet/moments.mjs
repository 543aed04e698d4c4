// Arrival, opening, closing, departure: one tap each, with the time that GPS proposes.

import { useState } from "../vendor/preact/hooks.mjs";
import { t } from "../words.mjs";
import { here, isAt, metresBetween, proposed } from "./gps.mjs";
import { write } from "./journal.mjs";
import { at, voidEvent } from "./lending.mjs";
import { ask, closeAsked, html, instantOf, kilometres, say, sound, timeOf } from "./parts.mjs";
import { minute } from "./shell.mjs";
import { faults, nextMoment, visitNow } from "./state.mjs";

export const KINDS = ["arrive", "open", "close", "depart"];

async function put(stop, kind, moment = null, isFromGps = false) {
  const body = { moment_at: moment === null ? undefined : new Date(moment).toISOString(), is_from_gps: isFromGps || undefined };
  const [event] = (await write({ kind, ...at(stop), body })).slice(-1);
  sound(true);
  const time = timeOf(moment ?? event.device_at);
  say(t(`tablet.did.${kind}`, { time }), { undo: () => voidEvent(event) });
}

function Faults({ stop, go, close }) {
  return html`<ul class="t-faults">${faults(stop.visit_id).map(([code, facts]) => html`<li key=${code}>${t(code, facts)}</li>`)}</ul>
    <div class="t-row"><button type="button" class="t-main-button" onClick=${close}>${t("tablet.faults.mend")}</button>
    <button type="button" class="t-button" onClick=${async () => {
      close();
      await go();
    }}>${t("tablet.faults.right")}</button></div>`;
}

/** The one large button of a stop: its next moment. */
export function Moment({ stop }) {
  void minute.value;
  const kind = nextMoment(stop.visit_id);
  if (!KINDS.includes(kind) || stop.state === "cancelled") return null;
  const gps = proposed(kind, stop.visit_id);
  const isFar = kind !== "depart" && gps === null && isAt(stop) === false;
  const tap = () => {
    const go = () => put(stop, kind, gps, gps !== null);
    if (kind === "depart" && faults(stop.visit_id).length > 0) {
      ask(t("tablet.faults.title"), ({ close }) => html`<${Faults} stop=${stop} go=${go} close=${close} />`);
    } else go();
  };
  const hint = gps !== null ? t("tablet.by_gps", { time: timeOf(gps) }) : t("tablet.at_now", { time: timeOf(Date.now()) });
  return html`<div class="t-moment">
    <button type="button" class="t-main-button t-next" data-kind=${kind} onClick=${tap}><span>${t(`tablet.do.${kind}`)}</span><small>${hint}</small></button>
    <button type="button" class="t-button" onClick=${() => ask(t(`tablet.do.${kind}`), ({ close }) => html`<${OtherTime} stop=${stop} kind=${kind} close=${close} />`)}>${t("tablet.other_time")}</button>
    ${isFar && html`<p class="t-hint is-warn">${t("tablet.far", { km: kilometres(metresBetween(here.value, stop)) })}</p>`}
  </div>`;
}

/** Type another time; of a moment that was written already, in its stead. */
function OtherTime({ stop, kind, close }) {
  const before = visitNow(stop.visit_id).told[kind];
  const [clock, setClock] = useState(timeOf(before ? visitNow(stop.visit_id).moments[kind] : Date.now()));
  const send = async (event) => {
    event.preventDefault();
    const moment = instantOf(clock, before ? visitNow(stop.visit_id).moments[kind] : Date.now());
    if (moment === null) return;
    if (before) await voidEvent(before);
    await put(stop, kind, moment);
    closeAsked();
  };
  return html`<form class="t-form" onSubmit=${send}>
    <label class="field"><span>${t("tablet.time")}</span><input type="time" required value=${clock} onInput=${(e) => setClock(e.target.value)} /></label>
    <button class="t-main-button">${t("tablet.write")}</button>
    ${before && html`<button type="button" class="t-button is-bad" onClick=${async () => {
      await voidEvent(before);
      close();
    }}>${t("tablet.moment.void")}</button>`}
  </form>`;
}

/** The four moments with their times; a tap corrects one. */
export function Moments({ stop }) {
  const { moments } = visitNow(stop.visit_id);
  return html`<ol class="t-moments">${KINDS.map((kind) => html`<li key=${kind}>
    <button type="button" class=${moments[kind] ? "is-done" : ""} disabled=${!moments[kind]} onClick=${() => ask(t(`tablet.do.${kind}`), ({ close }) => html`<${OtherTime} stop=${stop} kind=${kind} close=${close} />`)}>
      <small>${t(`tablet.moment.${kind}`)}</small><strong>${moments[kind] ? timeOf(moments[kind]) : "–"}</strong></button></li>`)}</ol>`;
}
