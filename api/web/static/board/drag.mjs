// Dragging visits, runs and stops that are left out. Sortable moves nodes that Preact owns: each is
// put back where it was before the state changes, and Preact draws it at its new place.

import Sortable from "../vendor/sortable/sortable.mjs";
import { setDragging, stopTrying, tryOut } from "./actions.mjs";
import { splitKey, verdict } from "./state.mjs";

const COMMON = {
  forceFallback: true,
  fallbackOnBody: true,
  fallbackTolerance: 5,
  delay: 160,
  delayOnTouchOnly: true,
  touchStartThreshold: 6,
  animation: 0,
  scroll: true,
  bubbleScroll: true,
  scrollSensitivity: 60,
  ghostClass: "is-ghost",
  chosenClass: "is-held",
  dragClass: "is-dragged",
};

let hovered = null;

function mark(element, tone) {
  if (hovered !== null && hovered !== element) delete hovered.dataset.verdict;
  hovered = element;
  if (element !== null) element.dataset.verdict = tone;
}

function begin() {
  setDragging(true);
  document.body.classList.add("is-dragging");
  verdict.value = null;
}

function end() {
  stopTrying();
  mark(null);
  verdict.value = null;
  document.body.classList.remove("is-dragging");
  setDragging(false);
}

function hover(target, steps) {
  mark(target, "asked");
  verdict.value = { tone: "asked" };
  tryOut(steps, (answer, refusal) => {
    const tone = answer?.is_legal ? "good" : "bad";
    mark(target, tone);
    verdict.value = { tone, answer, refusal };
  });
}

function follow(list, step) {
  if (step !== null) {
    hover(list.closest("[data-cell]"), [step]);
    return;
  }
  stopTrying();
  mark(null);
  verdict.value = null;
}

function putBack(event) {
  if (event.pullMode === "clone" && event.clone.parentNode !== null) {
    event.clone.replaceWith(event.item);
    return;
  }
  event.item.remove();
  event.from.insertBefore(event.item, event.from.children[event.oldIndex] ?? null);
}

/** The step that a drop of a visit or stop means; null where nothing changes. */
function visitStep(event) {
  const { item, from, to, newIndex, oldIndex } = event;
  const stopId = item.dataset.stop;
  if (to.dataset.list === "out") {
    if (from === to) return null;
    return { kind: "remove", stop_id: stopId, day: Number(item.dataset.day) };
  }
  const [vehicleId, day] = splitKey(to.dataset.list);
  if (from.dataset.list === "out") {
    return { kind: "add", stop_id: stopId, vehicle_id: vehicleId, day, position: newIndex };
  }
  if (from === to && newIndex === oldIndex) return null;
  return { kind: "move", stop_id: stopId, from_day: Number(item.dataset.day), vehicle_id: vehicleId, day, position: newIndex };
}

/**
 * Let the cards of a list be dragged to others; `drop` gets the step.
 *
 * @param {HTMLElement} list its `data-list` is `vehicle/day`, or `out` for the stops left out
 * @param {(step: object) => void} drop
 */
export function visitsDraggable(list, drop) {
  const isOut = list.dataset.list === "out";
  return Sortable.create(list, {
    ...COMMON,
    group: { name: "visits", pull: isOut ? "clone" : true, put: ["visits"], revertClone: true },
    sort: !isOut,
    draggable: ".card",
    filter: ".is-fixed",
    preventOnFilter: false,
    onStart: begin,
    onChange(event) {
      follow(event.to, visitStep(event));
    },
    onEnd(event) {
      const step = visitStep(event);
      putBack(event);
      end();
      if (step !== null) drop(step);
    },
  });
}

function runStep(event) {
  if (event.from === event.to) return null;
  const [vehicle_id, day] = splitKey(event.from.dataset.slot);
  const [to_vehicle_id, to_day] = splitKey(event.to.dataset.slot);
  return { kind: "move_run", vehicle_id, day, to_vehicle_id, to_day };
}

/** Let the run of a cell be dragged to other cells by its grip. */
export function runDraggable(slot, drop) {
  return Sortable.create(slot, {
    ...COMMON,
    group: { name: "runs", pull: true, put: ["runs"] },
    sort: false,
    draggable: ".run.has-run",
    handle: ".run-grip",
    onStart: begin,
    onChange(event) {
      follow(event.to, runStep(event));
    },
    onEnd(event) {
      const step = runStep(event);
      putBack(event);
      end();
      if (step !== null) drop(step);
    },
  });
}
