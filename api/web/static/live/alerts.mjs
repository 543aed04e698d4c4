// Alerts: what a dispatcher must know, and that somebody has taken it on.

import { useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact/hooks.mjs";
import "../vendor/preact/signals.mjs";
import { t, tn } from "../words.mjs";
import { acknowledge } from "./feed.mjs";
import { alerts, choose, chosen, mayAct, now, open, vehicles, zone } from "./state.mjs";
import { distance, duration, timeOf } from "./telling.mjs";
import { html, tint } from "../board/view.mjs";

const NOTE_MAX = 500;
/** Alerts that grow by the clock until they are over. */
const GROWING = new Set(["silent", "standing", "not_started", "missed", "unplanned_stop"]);

/** What an alert says, without the vehicle's name. */
export function saying(alert) {
  const stop = alert.stop_name ?? "";
  const seconds = GROWING.has(alert.kind) ? (now.value - Date.parse(alert.since_at)) / 1000 : alert.amount ?? 0;
  return t(`live.alert.${alert.kind}`, {
    stop,
    time: alert.kind === "off_corridor" ? distance(alert.amount ?? 0) : duration(seconds),
    at: timeOf(alert.since_at, zone.value),
  });
}

function Form({ alert, close }) {
  const [note, setNote] = useState("");
  const [fault, setFault] = useState("");
  const [isBusy, setBusy] = useState(false);
  const field = useRef(null);
  // In one step with the drawing: who types on at once loses no letter.
  useLayoutEffect(() => field.current.focus(), []);
  const send = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await acknowledge(alert.alert_id, note.trim());
      close();
    } catch (error) {
      setFault(error.message);
      setBusy(false);
    }
  };
  const keys = (event) => { if (event.key === "Escape") close(); };
  return html`<form class="alert-form" onSubmit=${send} onKeyDown=${keys}>
    <label class="field">${t("live.alert.note")}
      <input ref=${field} value=${note} maxlength=${NOTE_MAX} autocomplete="off" onInput=${(e) => setNote(e.target.value)} /></label>
    ${fault && html`<p class="fault" role="alert">${fault}</p>`}
    <div class="row">
      <button class="button button-small button-main" disabled=${isBusy}>${t("live.alert.take")}</button>
      <button type="button" class="button button-small" onClick=${close}>${t("live.cancel")}</button>
    </div>
  </form>`;
}

function Alert({ alert }) {
  const [isAsking, ask] = useState(false);
  const button = useRef(null);
  const text = useRef(null);
  const wasAsking = useRef(false);
  // The keyboard goes back to where it came from, or to the alert that needs nothing more.
  useEffect(() => {
    if (wasAsking.current && !isAsking) (button.current ?? text.current)?.focus();
    wasAsking.current = isAsking;
  }, [isAsking]);
  const vehicle = vehicles.value.find((v) => v.vehicle_id === alert.vehicle_id);
  const isTaken = alert.acknowledged_at !== null;
  const close = () => ask(false);
  return html`<li class=${`alert${isTaken ? " is-taken" : ""} ${tint(vehicle?.number ?? 0)}`}>
    <div class="alert-line">
      <button type="button" ref=${text} class="alert-text" onClick=${() => choose(alert.vehicle_id, { isToggle: false })} aria-pressed=${chosen.value === alert.vehicle_id}>
        <strong>${vehicle?.name ?? alert.vehicle_id}</strong> ${saying(alert)} <span class="soft small nowrap">${t("live.alert.since", { at: timeOf(alert.since_at, zone.value) })}</span>
      </button>
      ${!isTaken && mayAct.value && !isAsking && html`<button type="button" ref=${button} class="button button-small" onClick=${() => ask(true)}>${t("live.alert.take")}<span class="sr"> ${vehicle?.name} ${saying(alert)}</span></button>`}
    </div>
    ${isTaken && html`<p class="alert-taken soft small">${t(alert.acknowledged_by ? "live.alert.taken" : "live.alert.taken_anonymous", { who: alert.acknowledged_by, at: timeOf(alert.acknowledged_at, zone.value) })}${alert.note ? `. ${alert.note}` : ""}</p>`}
    ${isAsking && !isTaken && html`<${Form} alert=${alert} close=${close} />`}
  </li>`;
}

/** What is new since the list was drawn last, for those who hear the page. */
function Spoken() {
  const known = useRef(null);
  const [text, say] = useState("");
  useEffect(() => {
    const ids = new Set(open.value.map((a) => a.alert_id));
    if (known.current !== null) {
      const fresh = open.value.filter((a) => !known.current.has(a.alert_id));
      if (fresh.length > 0) {
        const name = vehicles.value.find((v) => v.vehicle_id === fresh[0].vehicle_id)?.name ?? "";
        say(`${name} ${saying(fresh[0])}`);
      }
    }
    known.current = ids;
  }, [open.value]);
  return html`<p class="sr" role="status">${text}</p>`;
}

export function Alerts() {
  const sorted = [...alerts.value].sort((a, b) =>
    Number(a.acknowledged_at !== null) - Number(b.acknowledged_at !== null) || Date.parse(b.since_at) - Date.parse(a.since_at));
  return html`<section class="alerts" aria-labelledby="alerts-title">
    <h2 id="alerts-title">${open.value.length > 0 ? tn("live.alerts", open.value.length) : t("live.alerts.none")}</h2>
    <${Spoken} />
    ${sorted.length > 0 && html`<ul class="alert-list">${sorted.map((alert) => html`<${Alert} key=${alert.alert_id} alert=${alert} />`)}</ul>`}
  </section>`;
}
