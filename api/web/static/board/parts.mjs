// Parts that dialogs share: fields that say where something goes, and what that would do.

import { useEffect, useState } from "../vendor/preact/hooks.mjs";
import { clock, t, tn } from "../words.mjs";
import { figures, stopTrying, tryOut } from "./actions.mjs";
import { dialog, findRun, frame, stops, visitsOf } from "./state.mjs";
import { html } from "./view.mjs";

/** Close the dialog that is open. */
export const close = () => { dialog.value = null; };

export const Buttons = ({ children }) => html`<div class="row row-end dialog-end">${children}</div>`;

export const CloseButton = () => html`<button type="button" class="button" onClick=${close}>${t("board.close")}</button>`;

/** What steps would do: asked anew whenever they change. */
export function useTrial(steps) {
  const [told, tell] = useState(null);
  const text = JSON.stringify(steps);
  useEffect(() => {
    if (steps === null) {
      tell(null);
      return undefined;
    }
    tell({ isAsking: true });
    tryOut(steps, (answer, refusal) => tell({ answer, refusal }));
    return stopTrying;
  }, [text]);
  return told;
}

/** A trial in words. */
export function Trial({ told }) {
  let content = null;
  if (told?.isAsking) {
    content = html`<p class="soft">${t("board.trial.asking")}</p>`;
  } else if (told?.refusal) {
    content = html`<p class="note note-bad">${told.refusal.message}</p>`;
  } else if (told?.answer) {
    content = html`<${Verdict} answer=${told.answer} />`;
  }
  return html`<div class="trial" role="status">${content}</div>`;
}

/** What steps do, in figures and broken rules. */
export function Verdict({ answer, most = 5 }) {
  const rules = answer.broken.slice(0, most);
  return html`<div class=${`note ${answer.is_legal ? "note-good" : "note-bad"}`}>
    <p><strong>${answer.is_legal ? t("board.trial.legal") : tn("board.broken", answer.broken.length)}</strong> · ${figures(answer)}${
      answer.num_changed > 0 ? ` · ${tn("board.times_change", answer.num_changed)}` : ""}</p>
    ${rules.length > 0 && html`<ul>${rules.map((rule) => html`<li key=${rule.text}>${rule.text}</li>`)}</ul>`}
    ${answer.broken.length > most && html`<p>${t("board.more", { n: answer.broken.length - most })}</p>`}
  </div>`;
}

export function DayOptions() {
  const weeks = Array.from({ length: frame.value.num_weeks }, (_, place) => place);
  return weeks.map((place) => html`<optgroup key=${place} label=${t("board.week", { n: place + 1 })}>
    ${frame.value.days.filter((d) => d.week === place).map((d) => html`
      <option key=${d.day} value=${d.day}>${d.name}${d.is_working ? "" : ` (${d.note || t("board.day.closed")})`}</option>`)}
  </optgroup>`);
}

export function VehicleField({ value, onInput }) {
  return html`<label class="field">${t("board.field.vehicle")}
    <select name="vehicle" value=${value} onInput=${(e) => onInput(e.target.value)}>
      ${frame.value.vehicles.map((v) => html`<option key=${v.vehicle_id} value=${v.vehicle_id}>${v.name}</option>`)}
    </select>
  </label>`;
}

export function DayField({ value, onInput }) {
  return html`<label class="field">${t("board.field.day")}
    <select name="day" value=${value} onInput=${(e) => onInput(Number(e.target.value))}><${DayOptions} /></select>
  </label>`;
}

/** Where in a run: the best place, first, or after one of its stops. */
export function PositionField({ vehicleId, day, but, value, onInput }) {
  const others = (findRun(vehicleId, day)?.visits ?? []).filter((v) => v.stop_id !== but);
  return html`<label class="field">${t("board.field.position")}
    <select name="position" value=${value ?? ""} onInput=${(e) => onInput(e.target.value === "" ? null : Number(e.target.value))}>
      <option value="">${t("board.position.best")}</option>
      <option value="0">${t("board.position.first")}</option>
      ${others.map((v, place) => html`<option key=${v.stop_id} value=${place + 1}>
        ${t("board.position.after", { stop: stops.value.get(v.stop_id)?.name ?? v.stop_id, clock: clock(v.start_s) })}</option>`)}
    </select>
  </label>`;
}

/** Steps that move all visits of a stop by as many days as one of them. */
export function seriesSteps(stopId, fromDay, vehicleId, day, at_s = null) {
  const days = frame.value.num_weeks * 7;
  const at = at_s === null ? {} : { at_s };
  return visitsOf(stopId).map(({ run }) => ({
    kind: "move", stop_id: stopId, from_day: run.day, vehicle_id: vehicleId,
    day: (((day + run.day - fromDay) % days) + days) % days, ...at,
  }));
}
