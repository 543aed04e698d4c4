// The odometer before the run and after it: written down, held against the last reading, the plan
// and our own GPS; corrected by writing it anew.

import { useState } from "../vendor/preact/hooks.mjs";
import { day as dayName, number, t } from "../words.mjs";
import { day } from "./day.mjs";
import { driven } from "./gps.mjs";
import { write } from "./journal.mjs";
import { at, voidEvent } from "./lending.mjs";
import { ask, html, say, sound, timeOf } from "./parts.mjs";
import { nextMoment, now, stops } from "./state.mjs";

// As data/model/day_sheet.py has them.
const MOST_KM = 9_999_999.9;
const MOST_DAY_KM = 2_000;
const MOST_FUEL = 2_000;
const JOIN_KM = 1;
const NEAR_KM = 2;
const NEAR_RATIO = 0.05;
/** Beyond this many times the plan and so many kilometres more, a way is asked about. */
const PLAN_RATIO = 1.5;
const PLAN_KM = 20;

const told = () => day.value.way ?? {};
const km = (value) => number(Math.round(value * 10) / 10);

/** What is known of an end of the way: written here, else in the day's sheet; null for nothing. */
export function readingNow(end) {
  const own = now().way[end];
  if (own) return { km: own.body.odometer_km, fuel: own.body.fuel ?? null, at: own.device_at, event: own };
  const inSheet = told()[`${end}_km`];
  return inSheet === null || inSheet === undefined ? null : { km: inSheet, fuel: told().fuel, at: null, event: null };
}

/** A number as people type it; null for what is none, undefined for nothing. */
export function numberOf(text) {
  const plain = text.replace(/[\s\u00a0]/g, "").replace(",", ".");
  if (plain === "") return undefined;
  return /^\d{1,7}(\.\d{1,3})?$/.test(plain) ? Number(plain) : null;
}

/** What makes a reading impossible: a code with facts, or null. */
export function impossible(end, value, fuel) {
  if (value === null || value === undefined || value > MOST_KM) return ["tablet.odo.bad", {}];
  if (fuel === null || fuel > MOST_FUEL) return ["tablet.odo.bad_fuel", { most: number(MOST_FUEL) }];
  const other = readingNow(end === "out" ? "in" : "out");
  const way = other === null ? null : end === "in" ? value - other.km : other.km - value;
  if (way !== null && way < 0) return [`tablet.odo.back.${end}`, { km: km(other.km) }];
  if (way !== null && way > MOST_DAY_KM) return ["tablet.odo.far", { km: km(way), most: number(MOST_DAY_KM) }];
  return null;
}

/** What is odd about a reading and may be right all the same: codes with facts. */
export function oddities(end, value) {
  const found = [];
  const { last_km: last, planned_km: planned } = told();
  if (end === "out") {
    if (last !== null && last !== undefined && value < last) found.push(["tablet.odo.below_last", { km: km(last) }]);
    else if (last !== null && last !== undefined && value - last > JOIN_KM) found.push(["tablet.odo.between", { km: km(value - last) }]);
    return found;
  }
  const out = readingNow("out");
  if (out === null) return found;
  const way = value - out.km;
  const gps = driven.value / 1000;
  if (way + Math.max(NEAR_KM, NEAR_RATIO * way) < gps) found.push(["tablet.odo.below_gps", { km: km(way), gps: km(gps) }]);
  if (planned && way > planned * PLAN_RATIO + PLAN_KM) found.push(["tablet.odo.above_plan", { km: km(way), plan: km(planned) }]);
  return found;
}

/** What a reading can be held against, in words. */
function Known({ end, value }) {
  const { last_km: last, last_date: on, planned_km: planned } = told();
  const out = readingNow("out");
  const lines = [];
  if (end === "out" && last !== null && last !== undefined) lines.push(t("tablet.odo.last", { km: km(last), day: on ? dayName(on, { day: "numeric", month: "long" }) : "–" }));
  if (end === "in") {
    lines.push(out === null ? t("tablet.odo.no_out") : t("tablet.odo.was_out", { km: km(out.km) }));
    if (out !== null && Number.isFinite(value) && value >= out.km) lines.push(t("tablet.odo.way", { km: km(value - out.km) }));
    if (planned) lines.push(t("tablet.odo.plan", { km: km(planned) }));
    if (driven.value > 0) lines.push(t("tablet.odo.gps", { km: km(driven.value / 1000) }));
  }
  return html`<ul class="t-known">${lines.map((line) => html`<li key=${line}>${line}</li>`)}</ul>`;
}

function Form({ end, close }) {
  const before = readingNow(end);
  const [text, setText] = useState(before ? String(before.km).replace(".", ",") : "");
  const [fuelText, setFuel] = useState(before?.fuel ? String(before.fuel).replace(".", ",") : "");
  const [fault, setFault] = useState(null);
  const [odd, setOdd] = useState([]);
  const value = numberOf(text);
  const last = told().last_km;
  const change = (set) => (e) => {
    set(e.target.value);
    setFault(null);
    setOdd([]);
  };
  const send = async (event) => {
    event.preventDefault();
    const fuel = end === "in" ? numberOf(fuelText) : undefined;
    const wrong = impossible(end, value, fuel);
    const strange = wrong === null ? oddities(end, value) : [];
    setFault(wrong);
    // What is odd is asked about once; the same again says that it is right.
    if (wrong !== null || (strange.length > 0 && odd.length === 0)) {
      sound(false);
      setOdd(strange);
      return;
    }
    if (before?.event) await voidEvent(before.event);
    const [made] = (await write({ kind: "odometer", ...at(null), body: { end, odometer_km: value, fuel } })).slice(-1);
    close();
    sound(true);
    say(t(`tablet.odo.did.${end}`, { km: km(value) }), { undo: () => voidEvent(made) });
  };
  const drop = async () => {
    await voidEvent(before.event);
    close();
  };
  return html`<form class="t-form" onSubmit=${send} novalidate>
    <label class="field"><span>${t("tablet.odo.km")}</span><input class="t-figure" id="odometer" autofocus inputmode="decimal" maxlength="12" autocomplete="off" value=${text} onInput=${change(setText)} aria-describedby="odometer-known" />
      ${fault && html`<small class="fault" role="alert">${t(...fault)}</small>`}</label>
    ${end === "out" && last !== null && last !== undefined && text === "" && html`<button type="button" class="t-button" onClick=${() => setText(String(last).replace(".", ","))}>${t("tablet.odo.same", { km: km(last) })}</button>`}
    ${end === "in" && html`<label class="field"><span>${t("tablet.odo.fuel")}</span><input id="fuel" inputmode="decimal" maxlength="8" autocomplete="off" value=${fuelText} onInput=${change(setFuel)} /></label>`}
    <div id="odometer-known"><${Known} end=${end} value=${value} /></div>
    ${odd.length > 0 && html`<div role="alert"><ul class="t-faults">${odd.map(([code, facts]) => html`<li key=${code}>${t(code, facts)}</li>`)}</ul></div>`}
    <button class="t-main-button">${t(odd.length > 0 ? "tablet.odo.right" : "tablet.write")}</button>
    ${before?.event && html`<button type="button" class="t-button is-bad" onClick=${drop}>${t("tablet.odo.void")}</button>`}
  </form>`;
}

/** Whether an end of the way is the next thing to be written down. */
function isDue(end) {
  const next = stops.value.filter((s) => s.state !== "cancelled").map((s) => nextMoment(s.visit_id));
  if (end === "out") return next.every((moment) => moment === "arrive");
  return next.length > 0 && next.every((moment) => moment === "done" || moment === "skipped");
}

/** One end of the way: what was read, or the button to write it down. */
export function Odometer({ end }) {
  const reading = readingNow(end);
  const open = () => ask(t(`tablet.odo.${end}`), ({ close }) => html`<${Form} end=${end} close=${close} />`);
  const since = reading?.at ? timeOf(reading.at) : reading && t("tablet.odo.in_sheet");
  return html`<button type="button" class=${`t-odometer${reading ? " is-done" : isDue(end) ? " is-due" : ""}`} data-odometer=${end} onClick=${open}>
    <span>${t(`tablet.odo.${end}`)}${since && html`<small>${since}</small>`}</span>
    <strong>${reading ? t("tablet.odo.value", { km: km(reading.km) }) : t("tablet.write")}</strong></button>`;
}

/** The way of the day by the odometer, once both ends are known. */
export function Way() {
  const [out, back] = [readingNow("out"), readingNow("in")];
  if (out === null || back === null || back.km < out.km) return null;
  return html`<p class="t-ends">${t("tablet.odo.way", { km: km(back.km - out.km) })}</p>`;
}
