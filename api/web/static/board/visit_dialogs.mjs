// Dialogs of a visit: where it is, where it could go, and whether all visits of the stop go along.

import { useEffect, useState } from "../vendor/preact/hooks.mjs";
import { clock, number, t, tn } from "../words.mjs";
import { edit, tried } from "./actions.mjs";
import { focusCard } from "./grid.mjs";
import { Buttons, close, CloseButton, DayField, PositionField, seriesSteps, Trial, useTrial, VehicleField } from "./parts.mjs";
import { cell, frame, keyOf, mayEdit, stops, vehicles, visitsOf } from "./state.mjs";
import { html, icon, people, span } from "./view.mjs";

const secondsOf = (text) => {
  const parts = /^(\d{2}):(\d{2})/.exec(text);
  return parts === null ? null : Number(parts[1]) * 3600 + Number(parts[2]) * 60;
};

/** A visit: its facts, what it breaks, pin, take out, move. */
export function VisitDialog({ stop_id, day, vehicle_id }) {
  const stop = stops.value.get(stop_id);
  const found = visitsOf(stop_id).find((v) => v.run.day === day);
  const view = cell(keyOf(found?.run.vehicle_id ?? vehicle_id, day)).value;
  const [vehicle, setVehicle] = useState(found?.run.vehicle_id ?? vehicle_id);
  const [target, setTarget] = useState(day);
  const [position, setPosition] = useState(found ? found.run.visits.indexOf(found.visit) : null);
  const [at, setAt] = useState("");
  const [all, setAll] = useState(false);
  const isSame = found && vehicle === found.run.vehicle_id && target === day
    && position === found.run.visits.indexOf(found.visit) && at === "";
  const single = { kind: "move", stop_id, from_day: day, vehicle_id: vehicle, day: target, position, ...(at ? { at_s: secondsOf(at) } : {}) };
  const steps = !found || isSame ? null : all ? seriesSteps(stop_id, day, vehicle, target, at ? secondsOf(at) : null) : [single];
  const trial = useTrial(mayEdit.value ? steps : null);
  if (!found) return html`<h2>${stop?.name ?? stop_id}</h2><p>${t("board.visit.gone")}</p><${Buttons}><${CloseButton} /><//>`;
  const { visit, run } = found;
  const faults = view.visits[stop_id] ?? [];
  const isPinned = view.pinned.includes(stop_id);
  const isKept = view.isPinned;
  const due = stop.visits_due;
  const apply = async () => {
    close();
    if (await edit(steps)) focusCard(stop_id, target);
  };
  const pin = async () => {
    close();
    await edit([{ kind: "pin_visit", stop_id, day, is_pinned: !isPinned }]);
    focusCard(stop_id, day);
  };
  return html`
    <h2>${stop.name}</h2>
    <dl class="facts facts-small">
      <dt>${t("board.fact.when")}</dt>
      <dd>${frame.value.days[day].name}, ${span(visit.start_s, visit.end_s)} · ${vehicles.value.get(run.vehicle_id).name}</dd>
      <dt>${t("board.fact.people")}</dt>
      <dd>${people(stop.people)}${stop.community ? ` · ${stop.community}` : ""}</dd>
      ${due > 1 && html`<dt>${t("board.fact.visits")}</dt><dd>${number(visitsOf(stop_id).length)} / ${number(due)}</dd>`}
      ${stop.needs.length > 0 && html`<dt>${t("board.fact.needs")}</dt><dd>${stop.needs.join(", ")}</dd>`}
      ${run.specialists.length > 0 && html`<dt>${t("board.fact.specialists")}</dt><dd>${run.specialists.join(", ")}</dd>`}
    </dl>
    ${faults.length > 0 && html`<div class="note note-bad"><ul>${faults.map((f) => html`<li key=${f}>${f}</li>`)}</ul></div>`}
    ${mayEdit.value && html`
      <div class="row">
        ${!isKept && html`<button type="button" class="button button-small" onClick=${pin}>${icon("pin")} ${isPinned ? t("board.unpin") : t("board.pin")}</button>`}
        <button type="button" class="button button-small button-bad" onClick=${async () => { close(); await edit([{ kind: "remove", stop_id, day }]); }}>${t("board.take_out")}</button>
      </div>
      ${isKept && html`<p class="hint">${t("board.visit.run_kept")}</p>`}
      <fieldset class="move">
        <legend>${t("board.move")}</legend>
        <div class="fields">
          <${VehicleField} value=${vehicle} onInput=${(v) => { setVehicle(v); setPosition(null); }} />
          <${DayField} value=${target} onInput=${(d) => { setTarget(d); setPosition(null); }} />
          ${!all && html`<${PositionField} vehicleId=${vehicle} day=${target} but=${stop_id} value=${position} onInput=${setPosition} />`}
          <label class="field">${t("board.field.opens")}
            <input type="time" name="opens" value=${at} onInput=${(e) => setAt(e.target.value)} />
            <span class="hint">${t("board.field.opens_hint", { clock: clock(visit.start_s) })}</span>
          </label>
        </div>
        ${due > 1 && html`<label class="check"><input type="checkbox" name="all" checked=${all} onInput=${(e) => setAll(e.target.checked)} />
          <span>${tn("board.move_all", visitsOf(stop_id).length)}</span></label>`}
      </fieldset>
      <${Trial} told=${trial} />`}
    <${Buttons}>
      <${CloseButton} />
      ${mayEdit.value && html`<button type="button" class="button button-main" disabled=${steps === null} onClick=${apply}>${
        trial?.answer && !trial.answer.is_legal ? t("board.move_anyway") : t("board.move_do")}</button>`}
    <//>`;
}

/** A stop has several visits: this one alone, or all alike? */
export function SeriesDialog({ step }) {
  const stop = stops.value.get(step.stop_id);
  const visits = visitsOf(step.stop_id).length;
  const series = seriesSteps(step.stop_id, step.from_day, step.vehicle_id, step.day);
  const [told, tell] = useState({});
  useEffect(() => {
    const asked = new AbortController();
    const ask = (name, steps) => tried(steps, asked.signal).then(
      (answer) => tell((held) => ({ ...held, [name]: { answer } })),
      (refusal) => { if (!asked.signal.aborted) tell((held) => ({ ...held, [name]: { refusal } })); },
    );
    void ask("one", [step]);
    void ask("all", series);
    return () => asked.abort();
  }, []);
  const go = (steps) => async () => {
    close();
    if (await edit(steps)) focusCard(step.stop_id, step.day);
  };
  return html`
    <h2>${stop.name}</h2>
    <p>${tn("board.series.several", visits)}</p>
    <div class="choices">
      <section><h3>${t("board.series.one")}</h3>
        <${Trial} told=${told.one ?? { isAsking: true }} />
        <button type="button" class="button" onClick=${go([step])} disabled=${told.one?.refusal !== undefined}>${t("board.series.one_do")}</button>
      </section>
      <section><h3>${tn("board.series.all", visits)}</h3>
        <${Trial} told=${told.all ?? { isAsking: true }} />
        <button type="button" class="button button-main" onClick=${go(series)} disabled=${told.all?.refusal !== undefined}>${t("board.series.all_do")}</button>
      </section>
    </div>
    <${Buttons}><${CloseButton} /><//>`;
}
