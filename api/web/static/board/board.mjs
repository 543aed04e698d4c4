// The weekly board of a plan. The page gives its facts in data attributes of #board.

import { render } from "../vendor/preact/preact.mjs";
import { useEffect, useState } from "../vendor/preact/hooks.mjs";
import { ready, t } from "../words.mjs";
import { edit, listen, open, travel } from "./actions.mjs";
import { OpenDialog } from "./dialogs.mjs";
import { Grid, walkCards } from "./grid.mjs";
import { heard } from "./jobs.mjs";
import { Hovering, Side, Standing, Summary } from "./panels.mjs";
import { markCards } from "./pointing.mjs";
import { findRunning, Progress } from "./replan.mjs";
import { dialog, frame, job, mayEdit, state, stops, visitsOf, waiting, week } from "./state.mjs";
import { html, icon } from "./view.mjs";

const root = document.getElementById("board");
const facts = root.dataset;

let map = null;

/** The map's modules are large: they are fetched once the board stands. */
const withMap = () => (map ??= import("./plan_map.mjs"));

/** A drop: of a stop with several visits it is asked whether all go along. */
function drop(step) {
  const isAway = step.kind === "move" && !visitsOf(step.stop_id).some(
    (v) => v.run.day === step.day && v.run.day === step.from_day,
  );
  if (isAway && visitsOf(step.stop_id).length > 1 && stops.value.get(step.stop_id)?.visits_due > 1) {
    dialog.value = { kind: "series", step };
    return;
  }
  void edit([step]);
}

function WeekTabs() {
  const { num_weeks: count, days } = frame.value;
  const label = (place) => {
    const first = days[place * 7];
    return frame.value.repeats ? t("board.week", { n: place + 1 }) : t("board.week_of", { day: first.name });
  };
  if (count === 1) return null;
  if (count > 6) {
    return html`<div class="row tight">
      <button type="button" class="button button-small" disabled=${week.value <= 0} onClick=${() => { week.value -= 1; }} aria-label=${t("board.week.before")}>‹</button>
      <label class="sr" for="board-week">${t("board.week.choose")}</label>
      <select id="board-week" class="week-choice" value=${week.value} onInput=${(e) => { week.value = Number(e.target.value); }}>
        ${Array.from({ length: count }, (_, place) => html`<option key=${place} value=${place}>${label(place)}</option>`)}
      </select>
      <button type="button" class="button button-small" disabled=${week.value >= count - 1} onClick=${() => { week.value += 1; }} aria-label=${t("board.week.after")}>›</button>
    </div>`;
  }
  const places = [...Array.from({ length: count }, (_, place) => place), -1];
  return html`<div class="week-tabs" role="group" aria-label=${t("board.week.choose")}>
    ${places.map((place) => html`<button key=${place} type="button" class="week-tab" aria-pressed=${week.value === place}
      title=${place < 0 ? undefined : t("board.week_of", { day: days[place * 7].name })}
      onClick=${() => { week.value = place; }}>${place < 0 ? t("board.week.all") : t("board.week.short", { n: place + 1 })}</button>`)}
  </div>`;
}

function Tools({ sideShown, setSideShown }) {
  const held = state.value;
  const busy = waiting.value > 0;
  return html`<div class="tools">
    <h1 class="plan-name"><a href=${facts.plans} class="plans-link">${t("board.plans")}</a> <span>${held.name}</span></h1>
    <${Standing} />
    ${frame.value.is_estimated && html`<span class="badge badge-warn" title=${t("board.estimated")}>${t("board.estimated_short")}</span>`}
    <${WeekTabs} />
    <div class="row tight tools-end">
      ${mayEdit.value && html`
        <button type="button" class="button button-small button-icon" disabled=${!held.can_undo || busy} title=${t("board.undo_title", { step: held.step.text })} onClick=${() => travel("undo")}>${icon("undo")}<span class="sr">${t("board.undo")}</span></button>
        <button type="button" class="button button-small button-icon" disabled=${!held.can_redo || busy} title=${t("board.redo")} onClick=${() => travel("redo")}>${icon("redo")}<span class="sr">${t("board.redo")}</span></button>
        <button type="button" class="button button-small" disabled=${job.value !== null} onClick=${() => { dialog.value = { kind: "replan" }; }}>${t("board.replan")}</button>`}
      <a class="button button-small" href=${facts.compare}>${t("board.compare")}</a>
      <button type="button" class="button button-small side-switch" aria-pressed=${sideShown} onClick=${() => setSideShown(!sideShown)}>${icon("map")} ${t("board.map")}</button>
    </div>
  </div>`;
}

function MapTools() {
  const [isPlacing, setPlacing] = useState(false);
  useEffect(() => {
    const done = () => setPlacing(false);
    document.addEventListener("board:placed", done);
    return () => document.removeEventListener("board:placed", done);
  }, []);
  if (!mayEdit.value) return null;
  return html`<button type="button" class="button button-small map-tool" aria-pressed=${isPlacing}
    onClick=${() => { void withMap().then((m) => m.choosePoint(!isPlacing)); setPlacing(!isPlacing); }}>${icon("plus")} ${isPlacing ? t("board.spot.click") : t("board.spot.new")}</button>`;
}

function Notes() {
  const { notes } = frame.value;
  if (notes.length === 0) return null;
  return html`<details class="note note-warn"><summary>${t("board.provisional")}</summary>
    ${notes.map((note) => html`<p key=${note}>${note}</p>`)}</details>`;
}

function Board() {
  const [sideShown, setSideShown] = useState(innerWidth >= 1000);
  useEffect(() => {
    const box = document.getElementById("board-map");
    if (sideShown && box.dataset.asked === undefined) {
      box.dataset.asked = "";
      const words = JSON.parse(facts.mapWords);
      void withMap().then((m) => m.showMap(box, { pmtilesUrl: facts.basemap, words }));
    } else if (map !== null) {
      void map.then((m) => m.resized());
    }
  }, [sideShown]);
  useEffect(() => { document.body.dataset.board = ""; }, []);
  return html`
    <${Tools} sideShown=${sideShown} setSideShown=${setSideShown} />
    <${Notes} />
    <${Progress} />
    <div class=${`board-in${sideShown ? "" : " is-wide"}`}>
      <div class="board-grid" onKeyDown=${walkCards}><${Grid} drop=${drop} /></div>
      <aside class="board-side" aria-label=${t("board.side")} hidden=${!sideShown}>
        <div class="map-box"><div id="board-map"></div><${MapTools} /></div>
        <${Side} drop=${drop} />
      </aside>
    </div>
    <${Summary} />
    <${Hovering} />
    <${OpenDialog} />`;
}

function keys(event) {
  const isField = event.target.closest?.("input, select, textarea, dialog") !== null;
  if (!(event.ctrlKey || event.metaKey) || isField || !mayEdit.value) return;
  const key = event.code === "KeyZ" ? (event.shiftKey ? "redo" : "undo") : event.code === "KeyY" ? "redo" : null;
  if (key === null) return;
  event.preventDefault();
  if (key === "undo" ? state.value.can_undo : state.value.can_redo) void travel(key);
}

async function begin() {
  try {
    await Promise.all([ready, open(facts.plan, { account: facts.account, canEdit: facts.edit !== undefined })]);
  } catch (error) {
    root.querySelector(".board-wait").textContent = `${facts.failed} ${error.message}`;
    return;
  }
  const first = state.value.runs.reduce((least, run) => Math.min(least, run.day), Infinity);
  if (!frame.value.repeats && Number.isFinite(first)) week.value = weekOfToday() ?? Math.floor(first / 7);
  root.replaceChildren();
  render(html`<${Board} />`, root);
  document.addEventListener("keydown", keys);
  markCards();
  listen(heard);
  if (mayEdit.value) void findRunning();
}

function weekOfToday() {
  const today = new Date().toISOString().slice(0, 10);
  return frame.value.days.find((d) => d.date === today)?.week;
}

void begin();
