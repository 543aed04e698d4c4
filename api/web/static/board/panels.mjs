// Beside the grid: figures of the plan, stops left out, broken rules, what a drag would do.

import { useEffect, useRef, useState } from "../vendor/preact/hooks.mjs";
import "../vendor/preact/signals.mjs";
import { number, t, tn } from "../words.mjs";
import { visitsDraggable } from "./drag.mjs";
import { dialog, mayEdit, point, state, stops, verdict, week } from "./state.mjs";
import { hours, html, icon, km, people } from "./view.mjs";
import { focusCard } from "./grid.mjs";
import { Verdict } from "./parts.mjs";

const FIRST = 60;

/** The plan in figures. */
export function Summary() {
  const figures = state.value.summary;
  const share = figures.people_total > 0 ? Math.round((100 * figures.people_reached) / figures.people_total) : 0;
  const parts = [
    [t("board.sum.people"), `${number(figures.people_reached)} / ${number(figures.people_total)} (${share} %)`],
    [t("board.sum.stops"), `${number(figures.stops_served)} / ${number(figures.stops_total)}`],
    [t("board.sum.visits"), number(figures.visits)],
    [t("board.sum.km"), km(figures.drive_m)],
    [t("board.sum.work"), hours(figures.work_s)],
    [t("board.sum.days"), `${number(figures.vehicle_days_used)} / ${number(figures.vehicle_days_available)}`],
    [t("board.sum.balance"), `${hours(figures.work_min_s)} – ${hours(figures.work_max_s)}`],
  ];
  return html`<dl class="sum">
    ${parts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}
  </dl>`;
}

/** Tabs: stops left out, broken rules. */
export function Side({ drop }) {
  const [tab, setTab] = useState("out");
  const { unserved, violations } = state.value;
  const tabs = [
    ["out", t("board.tab.out", { n: number(unserved.length) })],
    ["rules", t("board.tab.rules", { n: number(violations.length) })],
  ];
  const walk = (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const next = tab === "out" ? "rules" : "out";
    setTab(next);
    document.getElementById(`tab-${next}`).focus();
  };
  return html`<div class="panel">
    <div class="tabs" role="tablist" aria-label=${t("board.side")} onKeyDown=${walk}>
      ${tabs.map(([name, label]) => html`<button key=${name} type="button" role="tab" id=${`tab-${name}`}
        aria-controls="board-tab" aria-selected=${tab === name} tabindex=${tab === name ? 0 : -1}
        class=${name === "rules" && violations.length > 0 ? "is-bad" : ""}
        onClick=${() => setTab(name)}>${label}</button>`)}
    </div>
    <div class="panel-in" role="tabpanel" id="board-tab" aria-labelledby=${`tab-${tab}`} tabindex="0">
      ${tab === "out" ? html`<${LeftOut} drop=${drop} />` : html`<${Rules} />`}
    </div>
  </div>`;
}

function LeftOut({ drop }) {
  const [sought, setSought] = useState("");
  const [most, setMost] = useState(FIRST);
  const list = useRef(null);
  useEffect(() => {
    if (!mayEdit.value) return undefined;
    const held = visitsDraggable(list.current, drop);
    return () => held.destroy();
  }, [mayEdit.value]);
  const wanted = sought.trim().toLocaleLowerCase();
  const found = state.value.unserved
    .map((left) => ({ left, stop: stops.value.get(left.stop_id) }))
    .filter(({ stop }) => stop !== undefined && (wanted === "" || `${stop.name} ${stop.community}`.toLocaleLowerCase().includes(wanted)))
    .sort((a, b) => Number(b.stop.is_mandatory) - Number(a.stop.is_mandatory) || (b.stop.people ?? 0) - (a.stop.people ?? 0));
  return html`
    <label class="sr" for="board-seek">${t("board.out.seek")}</label>
    <input id="board-seek" type="search" placeholder=${t("board.out.seek")} value=${sought} onInput=${(e) => setSought(e.target.value)} />
    ${found.length === 0 && html`<p class="soft out-none">${state.value.unserved.length === 0 ? t("board.out.all_served") : t("board.out.none_found")}</p>`}
    <ul class="out" data-list="out" data-cell="out" ref=${list}>
      ${found.slice(0, most).map(({ left, stop }) => html`<li key=${left.stop_id} class=${`card ${stop.has_travel ? "" : "is-fixed"}`} data-stop=${left.stop_id}>
        <button type="button" class="card-open" aria-haspopup="dialog"
          onClick=${() => { dialog.value = { kind: "stop", stop_id: left.stop_id }; }}
          onMouseEnter=${() => point(left.stop_id)} onMouseLeave=${() => point(null)}
          onFocus=${() => point(left.stop_id)} onBlur=${() => point(null)}>
          <span class="card-name">${stop.name}</span>
          <span class="card-people">${people(stop.people)}</span>
          <span class="card-reason">${left.reason}</span>
        </button>
      </li>`)}
    </ul>
    ${found.length > most && html`<button type="button" class="button button-small" onClick=${() => setMost(most + FIRST)}>${tn("board.out.more", found.length - most)}</button>`}`;
}

function Rules() {
  const { violations } = state.value;
  if (violations.length === 0) return html`<p class="note note-good">${t("board.rules.none")}</p>`;
  const show = (fault) => {
    const day = fault.days[0] ?? state.value.runs.find((r) => r.visits.some((v) => v.stop_id === fault.stop_id))?.day;
    if (day === undefined) return;
    if (fault.stop_id !== null) {
      focusCard(fault.stop_id, day);
      return;
    }
    if (week.value >= 0) week.value = Math.floor(day / 7);
    requestAnimationFrame(() => requestAnimationFrame(() => {
      document.querySelector(`[data-run="${CSS.escape(`${fault.vehicle_id}/${day}`)}"]`)?.focus();
    }));
  };
  return html`
    <p class="note note-bad">${t("board.rules.draft")}</p>
    <ul class="rules">${violations.map((fault) => html`<li key=${fault.text} class=${fault.is_new ? "is-new" : ""}>
      <button type="button" class="rule" onClick=${() => show(fault)}>${icon(fault.is_late ? "late" : "warn")} <span>${fault.text}</span></button>
    </li>`)}</ul>`;
}

/** What the thing in the hand would do where it is held. */
export function Hovering() {
  const held = verdict.value;
  if (held === null) return null;
  return html`<div class="hovering" aria-hidden="true">
    ${held.answer ? html`<${Verdict} answer=${held.answer} most=${3} />`
      : held.refusal ? html`<p class="note note-bad">${held.refusal.message}</p>`
        : html`<p class="note">${t("board.trial.asking")}</p>`}
  </div>`;
}

/** Whether what is shown may be published. */
export function Standing() {
  const held = state.value;
  if (held.is_archived) return html`<span class="badge">${t("board.archived")}</span>`;
  return held.is_draft
    ? html`<span class="badge badge-bad">${tn("board.draft", held.violations.length)}</span>`
    : html`<span class="badge badge-good">${t("board.legal")}</span>`;
}

