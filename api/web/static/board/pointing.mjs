// What is pointed at, marked on the board.

import { effect } from "../vendor/preact/signals.mjs";
import { pointed } from "./state.mjs";

/** Mark the cards of the stop that is pointed at. */
export function markCards() {
  let marked = [];
  effect(() => {
    const id = pointed.value;
    for (const card of marked) card.classList.remove("is-pointed");
    marked = id === null ? [] : [...document.querySelectorAll(`.card[data-stop="${CSS.escape(id)}"]`)];
    for (const card of marked) card.classList.add("is-pointed");
  });
}
