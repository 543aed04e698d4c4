// What the tablet's screens are drawn with: htm bound to Preact, times by the region's clocks,
// questions in a dialog, short messages, sounds.

import htm from "../vendor/preact/htm.mjs";
import { h } from "../vendor/preact/preact.mjs";
import { useLayoutEffect, useRef } from "../vendor/preact/hooks.mjs";
import { signal } from "../vendor/preact/signals.mjs";
import { lang, number, t } from "../words.mjs";
import { day } from "./day.mjs";

/** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(h);

const PATHS = {
  run: "M3 2h6a3 3 0 0 1 0 6H7a2 2 0 0 0 0 4h4.6l-1.4-1.4 1-1 3.2 3.1-3.2 3.1-1-1 1.4-1.4H7A3.4 3.4 0 0 1 7 6.6h2a1.6 1.6 0 0 0 0-3.2H3z",
  lend: "M3 2.5A1.5 1.5 0 0 1 4.500 1H13v11H4.500a.75.75 0 0 0 0 1.500H13V15H4.500A1.500 1.500 0 0 1 3 13.500zM5.500 3.500v1.400h5V3.500z",
  map: "m1 3 4.500-1.500 5 1.500L15 1.500V13l-4.500 1.500-5-1.500L1 14.500zm5 .2v8.500l4 1.200V4.400z",
  keep: "M2 2h12v4H2zm0 5.500h12V14H2zM4 4.600h3V3.400H4zm0 5.600h5V9H4z",
  back: "M10.500 2 12 3.500 7.500 8l4.500 4.500-1.500 1.500-6-6z",
  camera: "M6 3h4l1 1.500h3V13H2V4.500h3zm2 2.700a3 3 0 1 0 0 6 3 3 0 0 0 0-6m0 1.500a1.500 1.500 0 1 1 0 3 1.500 1.500 0 0 1 0-3",
  warn: "M8 2 15 14H1zM7.200 6v4.200h1.600V6zm0 5.200v1.600h1.600v-1.600z",
  ok: "m6.400 12.600-4-4 1.300-1.300 2.700 2.700 6-6 1.300 1.300z",
};

/** An icon; it says nothing to screen readers, so there are words beside it. */
export const icon = (name) => html`<svg class="t-icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path fill="currentColor" fill-rule="evenodd" d=${PATHS[name]} /></svg>`;

const locale = lang === "en" ? "en-GB" : lang;
const zone = () => day.value?.region.time_zone;
const timeForms = new Map();

/** An instant as HH:MM by the region's clocks. */
export function timeOf(instant) {
  const key = zone() ?? "";
  if (!timeForms.has(key)) timeForms.set(key, new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", timeZone: zone() }));
  return timeForms.get(key).format(new Date(instant));
}

/** Date and time of an instant. */
export const momentOf = (instant) =>
  new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: zone() }).format(new Date(instant));

/** A span of time since an instant, in words: "5 min", "2 h 10 min". */
export function since(instant) {
  const minutes = Math.max(0, Math.floor((Date.now() - new Date(instant).getTime()) / 60_000));
  if (minutes < 1) return t("tablet.now");
  if (minutes < 60) return t("tablet.minutes", { m: minutes });
  if (minutes < 48 * 60) return t("tablet.hours", { h: Math.floor(minutes / 60), m: minutes % 60 });
  return t("tablet.days", { d: Math.floor(minutes / 1440) });
}

/** Seconds in words, to the minute from a minute on. */
export function spanOf(seconds) {
  if (seconds < 60) return t("tablet.seconds", { s: number(Math.round(seconds)) });
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? t("tablet.minutes", { m: minutes }) : t("tablet.hours", { h: Math.floor(minutes / 60), m: minutes % 60 });
}

export const kilometres = (metres) => number(metres < 10_000 ? Math.round(metres / 100) / 10 : Math.round(metres / 1000));

/** A time of today by the region's clocks as an instant; null for what is none. */
export function instantOf(clock, near) {
  const [hours, minutes] = clock.split(":").map(Number);
  if (!Number.isInteger(hours) || !Number.isInteger(minutes)) return null;
  const [was, then] = timeOf(near).split(":").map(Number);
  let away = hours * 60 + minutes - (was * 60 + then);
  if (away > 720) away -= 1440;
  if (away < -720) away += 1440;
  const base = Math.floor(new Date(near).getTime() / 60_000) * 60_000;
  return new Date(base + away * 60_000);
}

/** The question that is asked now: `{title, body, close}`. */
export const asked = signal(null);

/** Ask in a dialog; `body` gets a function that closes it. */
export function ask(title, body) {
  asked.value = { title, body };
}
export const closeAsked = () => { asked.value = null; };

export function Asked() {
  const box = useRef(null);
  const question = asked.value;
  // In one step with the drawing: a scan may ask anew at once.
  useLayoutEffect(() => {
    if (question !== null && !box.current.open) box.current.showModal();
    if (question === null && box.current.open) box.current.close();
  }, [question]);
  // The browser tells of a closing late: by then the next question may be open.
  const onClose = () => { if (!box.current?.open) closeAsked(); };
  return html`<dialog class="t-dialog" ref=${box} onClose=${onClose} aria-labelledby="asked-title">
    ${question && html`<div class="t-dialog-head"><h2 id="asked-title">${question.title}</h2>
      <button class="t-close" type="button" onClick=${closeAsked} aria-label=${t("tablet.close")}>✕</button></div>
      <${question.body} close=${closeAsked} />`}
  </dialog>`;
}

/** Short messages: `{text, tone, undo?}`; the newest counts. */
export const said = signal(null);
let saidTimer = null;

/** Say something in passing; with `undo` a button that takes it back. */
export function say(text, { tone = "good", undo = null } = {}) {
  said.value = { text, tone, undo };
  clearTimeout(saidTimer);
  saidTimer = setTimeout(() => { said.value = null; }, undo ? 8000 : 5000);
}

export function Said() {
  const message = said.value;
  return html`<div class="t-said" role="status" aria-live="polite">
    ${message && html`<div class=${`t-toast is-${message.tone}`}><span>${message.text}</span>
      ${message.undo && html`<button type="button" class="t-undo" onClick=${async () => {
        said.value = null;
        await message.undo();
      }}>${t("tablet.undo")}</button>`}</div>`}
  </div>`;
}

let sounds = null;

/** A high tone for done, a low one for a refusal; and a short shake where there is one. */
export function sound(isGood) {
  try {
    sounds ??= new AudioContext();
    const tone = sounds.createOscillator();
    const volume = sounds.createGain();
    tone.frequency.value = isGood ? 1320 : 220;
    volume.gain.value = 0.15;
    tone.connect(volume).connect(sounds.destination);
    tone.start();
    tone.stop(sounds.currentTime + (isGood ? 0.08 : 0.35));
  } catch {
    // A tablet with no sound goes on without.
  }
  navigator.vibrate?.(isGood ? 40 : [120, 60, 120]);
}

/** The name of a title with its author. */
export const titleName = (title, itemId) => (title ? [title.author.replace(/\.$/, ""), title.name].filter(Boolean).join(". ") : t("tablet.item.unknown", { item: itemId }));
