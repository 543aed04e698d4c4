// Dialogs of a run and of a day: facts, pins, a run moved to another vehicle or day.

import { useState } from "../vendor/preact/hooks.mjs";
import { number, t, tn } from "../words.mjs";
import { edit } from "./actions.mjs";
import { Buttons, close, CloseButton, DayField, Trial, useTrial, VehicleField } from "./parts.mjs";
import { cell, findRun, frame, keyOf, mayEdit, state, stops, vehicles } from "./state.mjs";
import { hours, html, icon, km, span } from "./view.mjs";

/** A run: its duty, its visits, what it breaks. */
export function RunDialog({ vehicle_id, day }) {
  const run = findRun(vehicle_id, day);
  const view = cell(keyOf(vehicle_id, day)).value;
  const [vehicle, setVehicle] = useState(vehicle_id);
  const [target, setTarget] = useState(day);
  const isSame = vehicle === vehicle_id && target === day;
  const steps = run === null || isSame ? null : [{ kind: "move_run", vehicle_id, day, to_vehicle_id: vehicle, to_day: target }];
  const trial = useTrial(mayEdit.value ? steps : null);
  const other = isSame ? null : findRun(vehicle, target);
  const name = vehicles.value.get(vehicle_id).name;
  const depots = new Map(frame.value.depots.map((d) => [d.depot_id, d]));
  return html`
    <h2>${name}, ${frame.value.days[day].name}</h2>
    ${run === null ? html`<p>${t("board.run.none")}</p>` : html`
      <dl class="facts facts-small">
        <dt>${t("board.fact.duty")}</dt><dd>${span(run.sign_on_s, run.sign_off_s)} · ${hours(run.work_s)}</dd>
        <dt>${t("board.fact.drive")}</dt><dd>${km(run.drive_m)} · ${hours(run.drive_s)}</dd>
        <dt>${t("board.fact.visits")}</dt><dd>${number(run.visits.length)}</dd>
        ${run.meal && html`<dt>${t("board.fact.meal")}</dt><dd>${span(run.meal[0], run.meal[1])}</dd>`}
        ${run.specialists.length > 0 && html`<dt>${t("board.fact.specialists")}</dt><dd>${run.specialists.join(", ")}</dd>`}
        ${depots.get(run.end_depot_id)?.is_lodging && html`<dt>${t("board.fact.night")}</dt><dd>${depots.get(run.end_depot_id).name}</dd>`}
      </dl>
      <ol class="run-list">${run.visits.map((v) => html`<li key=${v.stop_id}>${span(v.start_s, v.end_s)} ${stops.value.get(v.stop_id)?.name}</li>`)}</ol>`}
    ${view.faults.length > 0 && html`<div class="note note-bad"><ul>${view.faults.map((f) => html`<li key=${f}>${f}</li>`)}</ul></div>`}
    ${mayEdit.value && html`
      <div class="row">
        <button type="button" class="button button-small" onClick=${async () => { close(); await edit([{ kind: "pin_run", vehicle_id, day, is_pinned: !view.isPinned }]); }}>
          ${icon("pin")} ${view.isPinned ? t("board.run.unpin") : t("board.run.pin")}</button>
      </div>
      ${run !== null && html`<fieldset class="move">
        <legend>${t("board.run.move")}</legend>
        <div class="fields">
          <${VehicleField} value=${vehicle} onInput=${setVehicle} />
          <${DayField} value=${target} onInput=${setTarget} />
        </div>
        ${other !== null && html`<p class="hint">${t("board.run.swap")}</p>`}
      </fieldset>
      <${Trial} told=${trial} />`}`}
    <${Buttons}>
      <${CloseButton} />
      ${mayEdit.value && run !== null && html`<button type="button" class="button button-main" disabled=${steps === null}
        onClick=${async () => { close(); await edit(steps); }}>${t("board.run.move_do")}</button>`}
    <//>`;
}

/** A day: all its runs pinned or free. */
export function DayDialog({ day }) {
  const runs = state.value.runs.filter((r) => r.day === day);
  const kept = new Set(state.value.pins.runs.filter((k) => k.day === day).map((k) => k.vehicle_id));
  const isPinned = frame.value.vehicles.every((v) => kept.has(v.vehicle_id));
  return html`
    <h2>${frame.value.days[day].name}</h2>
    <p>${tn("board.day.runs", runs.length)}</p>
    <p class="hint">${t("board.day.pin_hint")}</p>
    <${Buttons}>
      <${CloseButton} />
      <button type="button" class="button button-main" onClick=${async () => { close(); await edit([{ kind: "pin_day", day, is_pinned: !isPinned }]); }}>
        ${icon("pin")} ${isPinned ? t("board.day.unpin") : t("board.day.pin")}</button>
    <//>`;
}
