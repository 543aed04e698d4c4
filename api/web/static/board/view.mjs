// What every part of the board draws with: htm bound to Preact, icons, short words.

import htm from "../vendor/preact/htm.mjs";
import { h } from "../vendor/preact/preact.mjs";
import { clock, number, t } from "../words.mjs";

/** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(h);

const PATHS = {
  pin: "M6 2h4l-.5 5L12 9v1H8.6L8 14l-.6-4H4V9l2.5-2z",
  warn: "M8 2 15 14H1zM7.2 6v4.2h1.6V6zm0 5.2v1.6h1.6v-1.6z",
  late: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13m0 1.5a5 5 0 1 1 0 10A5 5 0 0 1 8 3m-.8 1.8v3.7l3 1.8.7-1.2-2.3-1.3V4.8z",
  grip: "M5 3h2v2H5zm4 0h2v2H9zM5 7h2v2H5zm4 0h2v2H9zm-4 4h2v2H5zm4 0h2v2H9z",
  undo: "M6 3 2 7l4 4V8.2h3.2a2.4 2.4 0 0 1 0 4.8H6v1.6h3.2a4 4 0 0 0 0-8H6z",
  redo: "m10 3 4 4-4 4V8.2H6.8a2.4 2.4 0 0 0 0 4.8H10v1.6H6.8a4 4 0 0 1 0-8H10z",
  map: "m1 3 4.5-1.5 5 1.5L15 1.5v11.5l-4.5 1.5-5-1.5L1 14.5zm5 .2v8.5l4 1.2V4.4z",
  plus: "M7.2 2h1.6v5.2H14v1.6H8.8V14H7.2V8.8H2V7.2h5.2z",
  more: "M2 6.8h2.4v2.4H2zm4.8 0h2.4v2.4H6.8zm4.8 0H14v2.4h-2.4z",
};

/** An icon; it says nothing to screen readers, so give words beside it. */
export const icon = (name) => html`
  <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
    <path fill="currentColor" fill-rule="evenodd" d=${PATHS[name]} />
  </svg>`;

export const km = (metres) => t("board.km", { n: number(Math.round(metres / 1000)) });

/** Seconds as hours with one decimal. */
export const hours = (seconds) => t("board.hours", { n: number(Math.round(seconds / 360) / 10) });

export const people = (count) => (count === null ? t("board.people.unknown") : number(count));

/** From and to, as a visit's card shows them. */
export const span = (from, to) => `${clock(from)}–${clock(to)}`;

/** Colour class of a vehicle. */
export const tint = (place) => `v${place % 8}`;
