// Items moved by scanning them: to the shelves, to the vehicle's store, to a point, there perhaps in
// a deposit box. What was scanned is one event once it is written.

import { signal } from "../vendor/preact/signals.mjs";
import { t, tn } from "../words.mjs";
import { bookName, mode, nameOf, shortDay, stopNow } from "./counter.mjs";
import { day, itemOfCode } from "./day.mjs";
import { move, takeBack, voidEvent } from "./lending.mjs";
import { ask, html, say, sound } from "./parts.mjs";
import { now, placeNow, stops } from "./state.mjs";

const TARGETS = ["vehicle", "store", "point"];
const MOST = 2000;
const target = signal("vehicle");
const box = signal("");
/** Codes that wait to be written, as they were scanned. */
const scans = signal([]);

function placeOf(name, stop) {
  if (name === "point") return stop?.stop_id ? `point:${stop.stop_id}` : "";
  return name === "store" ? day.value.vehicle.store : day.value.vehicle.place;
}

/** A place in words: of this vehicle, or of a stop of the day. */
export function placeName(place) {
  if (place === day.value.vehicle.place) return t("tablet.place.vehicle");
  if (place === day.value.vehicle.store) return t("tablet.place.store");
  const stop = stops.value.find((s) => place === `point:${s.stop_id}`);
  return t("tablet.place.point", { name: stop?.name ?? place.slice(place.indexOf(":") + 1) });
}

/** Begin to pack a box, or to leave items, at the point of a stop. */
export function startLeaving() {
  mode.value = "move";
  target.value = "point";
}

function Lent({ itemId, loan, close }) {
  const back = async () => {
    close();
    await takeBack(stopNow(), itemId);
    put(itemId);
  };
  return html`<p>${t("tablet.move.lent", { name: loan.patron_id ? nameOf(loan.patron_id) : t("tablet.reader.other"), day: shortDay(loan.due_date) })}</p>
    <div class="t-row"><button type="button" class="t-main-button" onClick=${back}>${t("tablet.move.return")}</button>
    <button type="button" class="t-button" onClick=${close}>${t("tablet.dont")}</button></div>`;
}

function put(itemId) {
  if (!scans.value.includes(itemId) && scans.value.length < MOST) scans.value = [...scans.value, itemId];
  sound(true);
}

/** A code was scanned to be moved; one that this tablet does not know may come from the store. */
export function scanMove(code) {
  const itemId = itemOfCode(code)?.item_id ?? code;
  const loan = now().loanOfItem.get(itemId);
  if (!loan) return put(itemId);
  sound(false);
  return ask(bookName(itemId), ({ close }) => html`<${Lent} itemId=${itemId} loan=${loan} close=${close} />`);
}

/** Write a move; the message takes it back. */
export async function writeMove(itemIds, place, boxId = "") {
  const event = await move(stopNow(), itemIds, place, boxId);
  sound(true);
  say(t("tablet.move.done", { n: tn("tablet.items", itemIds.length), place: placeName(place) }), { undo: () => voidEvent(event) });
}

/** The panel of the mode. */
export function Move() {
  const stop = stopNow();
  const place = placeOf(target.value, stop);
  const list = scans.value;
  const send = async () => {
    await writeMove(list, place, target.value === "point" ? box.value.trim() : "");
    scans.value = [];
    box.value = "";
  };
  return html`<section class="t-section" aria-labelledby="move-title"><h2 id="move-title">${t("tablet.move.where")}</h2>
    <div class="t-choices">${TARGETS.map((name) => html`<button key=${name} type="button" class="t-choice t-target" aria-pressed=${target.value === name ? "true" : "false"} disabled=${placeOf(name, stop) === ""}
      onClick=${() => { target.value = name; }}>${name === "point" ? t("tablet.place.point", { name: stop?.name ?? "–" }) : t(`tablet.place.${name}`)}</button>`)}</div>
    ${target.value === "point" && html`<label class="field"><span>${t("tablet.move.box")}</span><input id="move-box" maxlength="64" autocomplete="off" value=${box.value} onInput=${(e) => { box.value = e.target.value; }} /></label>`}
    ${list.length === 0 ? html`<p class="soft">${t("tablet.move.scan")}</p>` : html`<ul class="t-list">${list.map((itemId) => html`<li key=${itemId}><div class="t-line">
      <span>${bookName(itemId)}<small>${placeNow(itemId) ? placeName(placeNow(itemId).place) : t("tablet.move.unknown")}</small></span>
      <button type="button" class="t-button" onClick=${() => { scans.value = list.filter((one) => one !== itemId); }}>${t("tablet.move.drop")}<span class="sr"> ${bookName(itemId)}</span></button></div></li>`)}</ul>`}
    <div class="t-row"><button type="button" class="t-main-button" id="move-write" disabled=${list.length === 0 || place === ""} onClick=${send}>${t("tablet.move.do", { n: tn("tablet.items", list.length) })}</button></div></section>`;
}

/** Boxes that stand at a stop and are to be fetched; one tap takes a box aboard. */
export function Boxes({ stop }) {
  const left = stop.boxes_back.filter((b) => b.item_ids.some((id) => (now().places.get(id)?.place ?? b.place).startsWith("point:")));
  const done = stop.boxes_back.filter((b) => !left.includes(b));
  return html`<ul class="t-list">${left.map((b) => html`<li key=${b.box_id}><div class="t-line"><span>${b.box_id}<small>${tn("tablet.items", b.item_ids.length)}</small></span>
      <button type="button" class="t-button" onClick=${() => writeMove(b.item_ids, day.value.vehicle.place)}>${t("tablet.box.fetch")}<span class="sr"> ${b.box_id}</span></button></div></li>`)}
    ${done.map((b) => html`<li key=${b.box_id} class="is-done"><span>${b.box_id}</span><small>${t("tablet.box.fetched")}</small></li>`)}</ul>`;
}
