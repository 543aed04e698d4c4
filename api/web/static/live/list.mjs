// The vehicles of the day: what each is doing, its delay, the age of its last position.

import "../vendor/preact/signals.mjs";
import { t } from "../words.mjs";
import { alertsOf, ageOf, choose, chosen, fleet, mayAct, now, vehicles, zone } from "./state.mjs";
import { Strip, StopTable } from "./strip.mjs";
import { between, delayOf, duration, speed, STALE_S, timeOf } from "./telling.mjs";
import { html, tint } from "../board/view.mjs";
import { pointAt } from "./pointing.mjs";

const find = (vehicle, visitId) => vehicle.planned.find((s) => s.visit_id === visitId) ?? null;

/** The stop where a vehicle is; of one that nothing follows, by the timetable. */
function hereOf(vehicle) {
  if (vehicle.isFollowed) return find(vehicle, vehicle.here_visit_id);
  const at = now.value;
  return vehicle.planned.find((s) => Date.parse(s.planned_arrival_at) <= at && at < Date.parse(s.planned_departure_at)) ?? null;
}

/** The stop that a vehicle comes to next; of one that nothing follows, by the timetable. */
function nextOf(vehicle) {
  if (vehicle.isFollowed) return find(vehicle, vehicle.next_visit_id);
  return vehicle.planned.find((s) => s.state !== "cancelled" && Date.parse(s.planned_arrival_at) > now.value) ?? null;
}

/** What a vehicle is doing, in a short sentence. */
export function doing(vehicle) {
  const at = (instant) => timeOf(instant, zone.value);
  const [here, next] = [hereOf(vehicle), nextOf(vehicle)];
  switch (vehicle.phase) {
    case "off_duty":
      return t("live.phase.off_duty");
    case "done":
      return t("live.phase.done");
    case "not_started":
      return vehicle.departure_at ? t("live.phase.not_started", { time: at(vehicle.departure_at) }) : t("live.phase.not_started.no_time");
    case "standing":
      if (here === null) return t("live.phase.standing.somewhere");
      if (vehicle.departure_at && now.value > Date.parse(here.planned_close_at)) {
        return t("live.phase.leaving", { stop: here.stop_name, time: at(vehicle.departure_at) });
      }
      return t("live.phase.standing", { stop: here.stop_name, time: at(here.planned_close_at) });
    case "waiting":
      return here === null ? t("live.phase.standing.somewhere") : t("live.phase.waiting", { stop: here.stop_name, time: at(here.planned_open_at) });
    default:
      return next === null ? t("live.phase.home") : t("live.phase.driving", { stop: next.stop_name });
  }
}

/** When the next stop is reached, or the depot. */
function Expected({ vehicle }) {
  const next = nextOf(vehicle);
  if (next?.eta) {
    const isWide = timeOf(next.eta.low_at, zone.value) !== timeOf(next.eta.high_at, zone.value);
    const name = vehicle.phase === "driving" ? "" : `${next.stop_name}: `;
    return html`<p class="expects">${name}<span class="nowrap"><span class="soft">${t("live.arrives")}</span> <strong>${timeOf(next.eta.arrival_at, zone.value)}</strong>
      ${isWide && html`<span class="soft"> (${between(next.eta, zone.value)})</span>`}</span>
      ${!next.eta.is_measured && html` <span class="soft small">${t("live.by_timetable")}</span>`}</p>`;
  }
  if (next === null && vehicle.phase === "driving" && vehicle.return_at) {
    return html`<p class="expects"><span class="soft">${t("live.returns")}</span> <strong>${timeOf(vehicle.return_at, zone.value)}</strong></p>`;
  }
  return null;
}

/** Age of the last position, told anew every second. */
function Age({ vehicle }) {
  const age = ageOf(vehicle);
  if (age === null) return html`<p class="age soft">${t("live.no_fix")}</p>`;
  // A vehicle that is heard again is not silent, though it is judged only some seconds later.
  const isStale = age > STALE_S && (vehicle.is_silent || vehicle.phase === "driving");
  const moves = vehicle.fix.speed_mps;
  return html`<p class=${`age ${isStale ? "bad" : "soft"}`}>
    ${isStale ? t("live.silent_for", { time: duration(age) }) : t("live.fix_ago", { time: duration(age) })}
    ${!isStale && moves !== null && moves !== undefined && ` · ${speed(moves)}`}</p>`;
}

function Delay({ vehicle }) {
  if (vehicle.phase === "off_duty" || vehicle.phase === "done" || vehicle.delay_s === null) return null;
  const delay = delayOf(vehicle.delay_s);
  return html`<span class=${`badge badge-${delay.tone}`}>${delay.text}</span>`;
}

function Vehicle({ vehicle }) {
  const isOpen = chosen.value === vehicle.vehicle_id;
  const warnings = alertsOf(vehicle.vehicle_id).filter((a) => a.acknowledged_at === null);
  const id = `vehicle-${vehicle.number}`;
  return html`<li class=${`vehicle ${tint(vehicle.number)}${isOpen ? " is-chosen" : ""}${warnings.length > 0 ? " is-warned" : ""}`}>
    <button type="button" class="vehicle-open" id=${id} aria-expanded=${isOpen} aria-controls=${`${id}-day`}
        onClick=${() => choose(vehicle.vehicle_id)}>
      <span class="vehicle-name">${vehicle.name}</span>
      <${Delay} vehicle=${vehicle} />
    </button>
    <div class="vehicle-in">
      <p class="doing">${doing(vehicle)}${!vehicle.isFollowed && vehicle.phase !== "off_duty" && html` <span class="soft small">${t("live.by_timetable")}</span>`}</p>
      <${Expected} vehicle=${vehicle} />
      <div class="vehicle-foot"><${Age} vehicle=${vehicle} /><${Strip} stops=${vehicle.planned} /></div>
    </div>
    <div id=${`${id}-day`} class="vehicle-day" hidden=${!isOpen}>
      ${isOpen && html`
        ${vehicle.stops.length > 0
          ? html`<${StopTable} stops=${vehicle.planned} unplanned=${vehicle.unplanned} zone=${zone.value}
              here=${vehicle.here_visit_id} next=${vehicle.next_visit_id} onPoint=${pointAt}
              caption=${t("live.day_of", { vehicle: vehicle.name })} />`
          : html`<p class="soft">${t("live.no_run")}</p>`}
        ${mayAct.value && html`<p class="row"><a class="button button-small" href=${`${fleet.value.days}/${vehicle.part}?date=${vehicle.service_date}`}>${t("live.replay")}</a>
          ${vehicle.run_id !== null && html`<a class="button button-small" href=${`${fleet.value.breakdown}?vehicle=${encodeURIComponent(vehicle.vehicle_id)}`}>${t("live.breakdown")}</a>`}</p>`}`}
    </div>
  </li>`;
}

export function Vehicles() {
  if (vehicles.value.length === 0) return html`<p class="empty">${t("live.no_vehicles")}</p>`;
  return html`<ul class="vehicles" onKeyDown=${walk}>
    ${vehicles.value.map((vehicle) => html`<${Vehicle} key=${vehicle.vehicle_id} vehicle=${vehicle} />`)}
  </ul>`;
}

/** The arrow keys go from vehicle to vehicle. */
function walk(event) {
  if (!event.target.classList.contains("vehicle-open")) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  const heads = [...event.currentTarget.querySelectorAll(".vehicle-open")];
  const target = heads[heads.indexOf(event.target) + step];
  if (target === undefined) return;
  event.preventDefault();
  target.focus();
}
