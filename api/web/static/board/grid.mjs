// The board itself: vehicles down, days across, in each cell the run with its visits.

import { useEffect, useRef } from "../vendor/preact/hooks.mjs";
import "../vendor/preact/signals.mjs";
import { clock, number, t, tn } from "../words.mjs";
import { runDraggable, visitsDraggable } from "./drag.mjs";
import {
  cell, daysShown, dialog, frame, isOfWeek, keyOf, mayEdit, point, shownRun, state, stops, week,
} from "./state.mjs";
import { html, icon, km, people, span, tint } from "./view.mjs";

/** Everything between the tools and the side: one table for each week shown. */
export function Grid({ drop }) {
  const weeks = week.value < 0
    ? Array.from({ length: frame.value.num_weeks }, (_, number) => number)
    : [week.value];
  return html`<div class="weeks" id="board-weeks">
    ${weeks.map((number) => html`<${Week} key=${number} number=${number} drop=${drop} />`)}
  </div>`;
}

function Week({ number: place, drop }) {
  const days = daysShown(place);
  const held = frame.value;
  return html`<section class="week" aria-label=${t("board.week", { n: place + 1 })}>
    ${week.value < 0 && html`<h2 class="week-name">${t("board.week", { n: place + 1 })}</h2>`}
    <table class="grid">
      <caption class="sr">${t("board.caption")}</caption>
      <thead>
        <tr>
          <td></td>
          ${days.map((day) => html`<th key=${day.day} scope="col" class=${day.is_working ? "" : "is-closed"}>
            <${DayHead} day=${day} />
          </th>`)}
        </tr>
      </thead>
      <tbody>
        ${held.vehicles.map((vehicle, index) => html`<tr key=${vehicle.vehicle_id}>
          <th scope="row" class=${`vehicle ${tint(index)}`}>
            <span class="vehicle-name">${vehicle.name}</span>
            <${VehicleLoad} vehicleId=${vehicle.vehicle_id} number=${place} />
          </th>
          ${days.map((day) => html`<${Cell}
            key=${day.day} id=${keyOf(vehicle.vehicle_id, day.day)} vehicle=${vehicle} index=${index}
            day=${day} drop=${drop} />`)}
        </tr>`)}
      </tbody>
    </table>
  </section>`;
}

function DayHead({ day }) {
  const note = day.note && html`<span class="day-note">${day.note}</span>`;
  if (!mayEdit.value) return html`<span class="day-head">${day.name}${note}</span>`;
  return html`<button type="button" class="day-head" aria-haspopup="dialog"
    onClick=${() => { dialog.value = { kind: "day", day: day.day }; }}>${day.name}${note}</button>`;
}

function VehicleLoad({ vehicleId, number: place }) {
  const own = state.value.runs.filter(
    (r) => r.vehicle_id === vehicleId && Math.floor(r.day / 7) === place,
  );
  const drive = own.reduce((sum, r) => sum + r.drive_m, 0);
  const work = own.reduce((sum, r) => sum + r.work_s, 0);
  const faults = state.value.violations.filter(
    (f) => f.vehicle_id === vehicleId && isOfWeek(f) && f.days.includes(place * 7),
  );
  return html`
    ${own.length > 0 && html`<span class="vehicle-load">${km(drive)}<br />${t("board.hours", { n: number(Math.round(work / 3600)) })}</span>`}
    ${faults.length > 0 && html`<span class="vehicle-fault" title=${faults.map((f) => f.text).join("\n")}>${icon("warn")} ${tn("board.broken", faults.length)}</span>`}`;
}

function Cell({ id, vehicle, index, day, drop }) {
  const view = cell(id).value;
  const slot = useRef(null);
  const list = useRef(null);
  const canEdit = mayEdit.value;
  useEffect(() => {
    if (!canEdit) return undefined;
    const held = [visitsDraggable(list.current, drop), runDraggable(slot.current, drop)];
    return () => held.forEach((one) => one.destroy());
  }, [canEdit]);
  const { run } = view;
  const works = vehicle.working_days.includes(day.day);
  const classes = ["cell", works ? "" : "is-off", view.isPinned ? "is-pinned" : "", view.faults.length > 0 ? "is-broken" : ""];
  return html`<td class=${classes.filter(Boolean).join(" ")} data-cell=${id}>
    <div class="slot" data-slot=${id} ref=${slot}>
      <div class=${`run ${tint(index)}${run ? " has-run" : ""}`}>
        ${run
          ? html`<${RunHead} id=${id} view=${view} vehicle=${vehicle} day=${day} />`
          : html`<${NoRun} id=${id} view=${view} works=${works} vehicle=${vehicle} day=${day} />`}
        <ul class="visits" data-list=${id} ref=${list}>
          ${(run?.visits ?? []).map((visit) => html`<${Card}
            key=${visit.stop_id} visit=${visit} day=${run.day} vehicle=${vehicle} view=${view} />`)}
        </ul>
      </div>
    </div>
  </td>`;
}

function NoRun({ view, works, vehicle, day }) {
  if (view.isPinned) {
    return html`<button type="button" class="run-none" aria-haspopup="dialog"
      onClick=${() => { dialog.value = { kind: "run", vehicle_id: vehicle.vehicle_id, day: day.day }; }}>
      ${icon("pin")} ${t("board.run.kept_empty")}</button>`;
  }
  return works ? null : html`<span class="run-none">${t("board.run.off")}</span>`;
}

function RunHead({ id, view, vehicle, day }) {
  const { run } = view;
  const label = t("board.run.label", { vehicle: vehicle.name, day: day.name });
  const isAlone = shownRun.value === id;
  return html`<div class="run-head">
    ${mayEdit.value && html`<span class="run-grip" title=${t("board.run.grip")} aria-hidden="true">${icon("grip")}</span>`}
    <button type="button" class="run-open" aria-haspopup="dialog" data-run=${id}
      aria-label=${`${label}, ${span(run.sign_on_s, run.sign_off_s)}, ${km(run.drive_m)}${view.faults.length ? `, ${tn("board.broken", view.faults.length)}` : ""}`}
      onClick=${() => { dialog.value = { kind: "run", vehicle_id: run.vehicle_id, day: run.day }; }}>
      <span class="run-time">${run.isAhead ? "…" : span(run.sign_on_s, run.sign_off_s)}</span>
      ${view.isPinned && html`<span class="mark mark-pin">${icon("pin")}</span>`}
      ${view.isLate && html`<span class="mark mark-late">${icon("late")}</span>`}
      ${view.faults.length > 0 && html`<span class="mark mark-broken">${icon("warn")}</span>`}
    </button>
    <button type="button" class="run-map" aria-pressed=${isAlone} title=${t("board.run.on_map")}
      aria-label=${t("board.run.on_map_label", { run: label })}
      onClick=${() => { shownRun.value = isAlone ? null : id; }}>${icon("map")}</button>
  </div>`;
}

function Card({ visit, day, vehicle, view }) {
  const stop = stops.value.get(visit.stop_id);
  const faults = view.visits[visit.stop_id] ?? [];
  const isPinned = view.isPinned || view.pinned.includes(visit.stop_id);
  const classes = ["card"];
  if (isPinned) classes.push("is-fixed");
  if (faults.length > 0) classes.push("is-broken");
  if (visit.isAhead) classes.push("is-ahead");
  if (stop?.visits_due > 1) classes.push("is-series");
  const marks = [
    isPinned && t("board.mark.pinned"),
    faults.length > 0 && tn("board.broken", faults.length),
    stop?.is_mandatory && t("board.mark.mandatory"),
  ].filter(Boolean);
  return html`<li class=${classes.join(" ")} data-stop=${visit.stop_id} data-day=${day}>
    <button type="button" class="card-open" aria-haspopup="dialog" title=${faults[0] ?? stop?.name}
      onClick=${() => { dialog.value = { kind: "visit", stop_id: visit.stop_id, day, vehicle_id: vehicle.vehicle_id }; }}
      onMouseEnter=${() => point(visit.stop_id)}
      onMouseLeave=${() => point(null)}
      onFocus=${() => point(visit.stop_id)}
      onBlur=${() => point(null)}>
      <span class="card-time">${visit.start_s ? clock(visit.start_s) : "…"}</span>
      <span class="card-name">${stop?.name ?? visit.stop_id}</span>
      <span class="card-people">${people(stop?.people ?? null)}</span>
      ${isPinned && html`<span class="mark mark-pin">${icon("pin")}</span>`}
      ${faults.length > 0 && html`<span class="mark mark-broken">${icon("warn")}</span>`}
      ${marks.length > 0 && html`<span class="sr">, ${marks.join(", ")}</span>`}
    </button>
  </li>`;
}

/** Move the focus over cards with the arrow keys: up and down a run, left and right by days. */
export function walkCards(event) {
  const step = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
  const card = event.target.closest(".card");
  if (step === undefined || card === null || event.altKey || event.ctrlKey || event.metaKey) return;
  const [across, down] = step;
  let next = null;
  const place = [...card.parentNode.children].indexOf(card);
  if (down !== 0) {
    next = card.parentNode.children[place + down] ?? null;
  } else {
    let td = card.closest("td");
    do {
      td = across > 0 ? td.nextElementSibling : td.previousElementSibling;
    } while (td !== null && td.querySelector(".card") === null);
    const cards = td?.querySelectorAll(".card") ?? [];
    next = cards[Math.min(place, cards.length - 1)] ?? null;
  }
  if (next === null) return;
  event.preventDefault();
  next.querySelector(".card-open").focus();
}

/** Put the focus on a visit's card, once it is drawn; its week is shown. */
export function focusCard(stopId, day) {
  if (week.value >= 0) week.value = Math.floor(day / 7);
  requestAnimationFrame(() => requestAnimationFrame(() => {
    const at = `.card[data-stop="${CSS.escape(stopId)}"]`;
    const card = document.querySelector(`${at}[data-day="${day}"]`) ?? document.querySelector(at);
    card?.querySelector(".card-open")?.focus();
  }));
}
