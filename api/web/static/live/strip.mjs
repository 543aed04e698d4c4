// A day's stops as a line of dots, and as a table of what was planned and what came.

import { t } from "../words.mjs";
import { html } from "../board/view.mjs";
import { reasonOf } from "./crew.mjs";
import { skipOf } from "./state.mjs";
import { between, duration, timeOf } from "./telling.mjs";

/** Tone of a visit's state: class of its dot and of its badge. */
const TONES = {
  to_come: "", standing: "accent", kept: "good", early: "warn", late: "warn", skipped: "bad",
  cancelled: "bad", unplanned: "",
};

export const toneOf = (state) => TONES[state] ?? "";

/** The stops as dots; the table says the same in words. */
export function Strip({ stops }) {
  if (stops.length === 0) return null;
  return html`<ol class="strip" aria-hidden="true">
    ${stops.map((stop) => html`<li key=${stop.key} class=${`dot dot-${stop.state}`} title=${stop.stop_name}></li>`)}
  </ol>`;
}

function Actual({ stop, zone }) {
  if (stop.actual_from_at) {
    const until = stop.actual_until_at ? timeOf(stop.actual_until_at, zone) : "…";
    return html`<span class="nowrap">${timeOf(stop.actual_from_at, zone)}–${until}</span>`;
  }
  if (stop.eta && stop.state === "to_come") {
    return html`<span class="nowrap expected" title=${t("live.col.expected.about")}>≈ ${between(stop.eta, zone)}</span>
      ${!stop.eta.is_measured && html`<small class="soft"> ${t("live.by_timetable")}</small>`}`;
  }
  return html`<span aria-label=${t("live.none")}>–</span>`;
}

/** What differs from the plan, in words; nothing where nobody lost anything. */
function differs(stop) {
  if (stop.late_s >= 60) return t("live.late_by", { time: duration(stop.late_s) });
  if (stop.short_s >= 60) return t("live.left_early_by", { time: duration(stop.short_s) });
  if (stop.state === "to_come" && stop.eta?.delay_s >= 60) return t("live.will_be_late", { time: duration(stop.eta.delay_s) });
  return "";
}

/** The day's stops: planned, actual or expected, what became of each. */
export function StopTable({ stops, unplanned = [], zone, caption, here = null, next = null, onPoint }) {
  return html`<div class="table-wrap stops-wrap">
    <table class="table dense stops-table">
      <caption class="sr">${caption}</caption>
      <thead><tr>
        <th scope="col">${t("live.col.stop")}</th>
        <th scope="col">${t("live.col.planned")}</th>
        <th scope="col">${t("live.col.actual")}</th>
        <th scope="col">${t("live.col.state")}</th>
      </tr></thead>
      <tbody>
        ${stops.map((stop) => html`<tr key=${stop.key}
            class=${stop.visit_id === here ? "is-here" : stop.visit_id === next ? "is-next" : ""}
            onMouseEnter=${() => onPoint?.(stop)} onMouseLeave=${() => onPoint?.(null)}>
          <th scope="row"><span class="stop-number">${stop.position + 1}</span> ${stop.stop_name}</th>
          <td class="nowrap">${timeOf(stop.planned_open_at, zone)}–${timeOf(stop.planned_close_at, zone)}</td>
          <td><${Actual} stop=${stop} zone=${zone} /></td>
          <td><span class=${`badge badge-${toneOf(stop.state)}`}>${t(`live.state.${stop.state}`)}</span>
            ${differs(stop) && html` <small class="nowrap">${differs(stop)}</small>`}
            ${stop.state === "skipped" && skipOf(stop.visit_id) && html` <small>${reasonOf(skipOf(stop.visit_id))}</small>`}
            ${stop.is_out_of_order && html` <small>${t("live.out_of_order")}</small>`}</td>
        </tr>`)}
        ${unplanned.map((halt) => html`<tr key=${`u${halt.actual_from_at}`}>
          <th scope="row">${halt.stop_name || t("live.unplanned_place")}</th>
          <td>–</td>
          <td class="nowrap">${timeOf(halt.actual_from_at, zone)}–${halt.actual_until_at ? timeOf(halt.actual_until_at, zone) : "…"}</td>
          <td><span class="badge">${t("live.state.unplanned")}</span></td>
        </tr>`)}
      </tbody>
    </table>
  </div>`;
}
