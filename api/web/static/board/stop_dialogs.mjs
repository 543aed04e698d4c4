// Dialogs of a stop that the plan leaves out, and of a new point of the map: where it fits, why it
// is left out, what would serve it.

import { useEffect, useState } from "../vendor/preact/hooks.mjs";
import { number, t, tn } from "../words.mjs";
import { edit, figures, places } from "./actions.mjs";
import { focusCard } from "./grid.mjs";
import { cancel, request, watch } from "./jobs.mjs";
import { Buttons, close, CloseButton, DayField, PositionField, Trial, useTrial, VehicleField } from "./parts.mjs";
import { frame, mayEdit, stops } from "./state.mjs";
import { html, icon, people } from "./view.mjs";

/** Places for a stop, cheapest first, each with a button that takes it. */
function Places({ asked, before = [] }) {
  const [found, setFound] = useState(null);
  useEffect(() => {
    let isOver = false;
    setFound(null);
    places(asked).then(
      (answer) => { if (!isOver) setFound({ answer }); },
      (refusal) => { if (!isOver) setFound({ refusal }); },
    );
    return () => { isOver = true; };
  }, [JSON.stringify(asked)]);
  if (found === null) return html`<p class="soft" role="status">${t("board.places.asking")}</p>`;
  if (found.refusal) return html`<p class="note note-bad" role="alert">${found.refusal.message}</p>`;
  const { answer } = found;
  const take = async (place) => {
    close();
    const stopId = place.steps[0].stop_id;
    if (await edit([...before, ...place.steps])) focusCard(stopId, place.steps[0].day);
  };
  return html`
    ${answer.reason && html`<p>${answer.reason}</p>`}
    <h3>${t("board.places.title")}</h3>
    ${answer.places.length === 0
      ? html`<p class="note note-warn" role="status">${t("board.places.none")}</p>`
      : html`<ol class="places">${answer.places.map((place) => html`<li key=${place.text}>
          <span>${place.text}<br /><span class="soft">${figures({
            delta_people: place.delta_people, delta_drive_m: place.added_drive_m, delta_work_s: place.added_work_s,
          })}</span></span>
          <button type="button" class="button button-small" aria-label=${t("board.places.take_label", { place: place.text })}
            onClick=${() => take(place)}>${t("board.places.take")}</button>
        </li>`)}</ol>`}
    ${answer.is_estimated && html`<p class="hint">${t("board.estimated")}</p>`}`;
}

/** Why a stop is left out, and the least change that would serve it: proved by a search. */
function Explained({ stopId }) {
  const [told, tell] = useState(null);
  useEffect(() => () => { if (told?.jobId && !told.isEnded) void cancel(told.jobId); }, [told?.jobId]);
  const ask = async () => {
    tell({ fraction: 0 });
    try {
      const made = await request({ kind: "explain", plan_id: frame.value.plan_id, stop_id: stopId });
      watch(made.job_id, (job) => tell({ jobId: job.job_id, isEnded: job.isEnded, fraction: job.fraction, job }));
    } catch (refusal) {
      tell({ isEnded: true, refusal });
    }
  };
  if (told === null) {
    return html`<button type="button" class="button" onClick=${ask}>${t("board.explain.ask")}</button>`;
  }
  if (told.refusal) return html`<p class="note note-bad" role="alert">${told.refusal.message}</p>`;
  if (!told.isEnded) {
    return html`<div role="status"><p class="soft">${t("board.explain.asking")}</p>
      <progress max="1" value=${told.fraction} aria-label=${t("board.explain.asking")}></progress></div>`;
  }
  const stop = told.job?.result?.stops?.[0];
  if (!stop) return html`<p class="note note-bad" role="alert">${told.job?.message}</p>`;
  return html`<div role="status">
    <h3>${t("board.explain.title")}</h3>
    ${stop.changes.length === 0 && html`<p>${t("board.explain.nothing")}</p>`}
    <ul class="changes">${stop.changes.map((change) => html`<li key=${change.code + change.text}>
      <span class=${`badge ${change.is_proved ? "badge-good" : ""}`}>${change.is_proved ? t("board.explain.proved") : t("board.explain.not_proved")}</span>
      ${" "}${change.text}${change.is_proved ? html`<br /><span class="soft">${figures({ delta_people: 0, delta_drive_m: change.delta_drive_m, delta_work_s: change.delta_work_s })}</span>` : ""}
    </li>`)}</ul>
  </div>`;
}

/** A stop without visits. */
export function StopDialog({ stop_id }) {
  const stop = stops.value.get(stop_id);
  const [byHand, setByHand] = useState(false);
  return html`
    <h2>${stop.name}</h2>
    <p class="soft">${[stop.community, t("board.stop.people", { n: people(stop.people) }), tn("board.stop.due", stop.visits_due)].filter(Boolean).join(" · ")}</p>
    ${stop.has_travel
      ? html`<${Places} asked=${{ stop_id }} />
        ${mayEdit.value && (byHand
          ? html`<${ByHand} stopId=${stop_id} />`
          : html`<p><button type="button" class="link" onClick=${() => setByHand(true)}>${t("board.by_hand")}</button></p>`)}
        <hr />
        <${Explained} stopId=${stop_id} />`
      : html`<p class="note note-warn">${t("board.stop.no_travel")}</p>`}
    <${Buttons}><${CloseButton} /><//>`;
}

function ByHand({ stopId }) {
  const [vehicle, setVehicle] = useState(frame.value.vehicles[0].vehicle_id);
  const [day, setDay] = useState(frame.value.days.find((d) => d.is_working)?.day ?? 0);
  const [position, setPosition] = useState(null);
  const steps = [{ kind: "add", stop_id: stopId, vehicle_id: vehicle, day, position }];
  const trial = useTrial(steps);
  return html`<fieldset class="move">
    <legend>${t("board.by_hand")}</legend>
    <div class="fields">
      <${VehicleField} value=${vehicle} onInput=${(v) => { setVehicle(v); setPosition(null); }} />
      <${DayField} value=${day} onInput=${(d) => { setDay(d); setPosition(null); }} />
      <${PositionField} vehicleId=${vehicle} day=${day} but=${stopId} value=${position} onInput=${setPosition} />
    </div>
    <${Trial} told=${trial} />
    <button type="button" class="button" disabled=${!trial?.answer} onClick=${async () => {
      close();
      if (await edit(steps)) focusCard(stopId, day);
    }}>${trial?.answer && !trial.answer.is_legal ? t("board.places.take_anyway") : t("board.places.take")}</button>
  </fieldset>`;
}

/** A new point of the map: what a visit there is to be, then the places for it. */
export function SpotDialog({ lon, lat, id }) {
  const [name, setName] = useState("");
  const [minutes, setMinutes] = useState(60);
  const [visits, setVisits] = useState(1);
  const [count, setCount] = useState("");
  const [spot, setSpot] = useState(null);
  const find = (event) => {
    event.preventDefault();
    setSpot({
      kind: "new_stop", stop_id: id, name: name.trim(), lon, lat, visits, service_min: minutes,
      people: count === "" ? null : Number(count),
    });
  };
  const most = frame.value.num_weeks * 7;
  return html`
    <h2>${t("board.spot.title")}</h2>
    <p class="soft">${number(lat)}, ${number(lon)}</p>
    <form onSubmit=${find}>
      <div class="fields">
        <label class="field">${t("board.spot.name")}<input name="name" required maxlength="300" value=${name} onInput=${(e) => setName(e.target.value)} /></label>
        <label class="field">${t("board.spot.people")}<input name="people" type="number" min="0" max="10000000" value=${count} onInput=${(e) => setCount(e.target.value)} /></label>
        <label class="field">${t("board.spot.minutes")}<input name="minutes" type="number" required min="5" max="600" step="5" value=${minutes} onInput=${(e) => setMinutes(Number(e.target.value))} /></label>
        <label class="field">${t("board.spot.visits")}<input name="visits" type="number" required min="1" max=${most} value=${visits} onInput=${(e) => setVisits(Number(e.target.value))} /></label>
      </div>
      <button class="button button-main">${icon("plus")} ${t("board.spot.find")}</button>
    </form>
    ${spot !== null && html`<${Places} asked=${{ spot }} before=${[spot]} />`}
    <${Buttons}><${CloseButton} /><//>`;
}

