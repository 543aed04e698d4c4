// What a dispatcher does: steps taken, tried, undone; what others do meanwhile.

import { batch } from "../vendor/preact/signals.mjs";
import { toast } from "../site.mjs";
import { number, t, tn } from "../words.mjs";
import { call, Refusal } from "./calls.mjs";
import {
  dialog, drawnAhead, frame, isHolding, mayEdit, pointed, show, state, verdict, waiting,
} from "./state.mjs";

const TRY_AFTER_MS = 90;

let planId = "";
let accountId = "";
let isNewsWaiting = false;

/** Tell a screen reader what happened on the board. */
export function announce(text) {
  const region = document.getElementById("board-live");
  if (region === null) return;
  // The same text twice would not be read the second time.
  region.textContent = region.textContent === text ? `${text}\u00a0` : text;
}

/** Tell what happened; only the newest is shown, so that the side stays free. */
export const told = (text, seconds = 6) => {
  announce(text);
  document.getElementById("toasts")?.replaceChildren();
  toast(text, { seconds });
};

const path = (rest = "") => `/plans/${encodeURIComponent(planId)}${rest}`;

/** Load the plan; call once. */
export async function open(id, { account, canEdit }) {
  planId = id;
  accountId = account;
  mayEdit.value = canEdit;
  await refresh();
}

/** Show the plan as it is now. */
export async function refresh() {
  const board = await call("GET", path("/board"));
  take(board);
}

function take(board) {
  batch(() => {
    if (board.frame) frame.value = board.frame;
    show(board.state);
  });
}

/** While something is dragged the board must not be drawn anew under the hand. */
export function setDragging(flag) {
  isHolding.now = flag;
  if (flag) pointed.value = null;
  if (!flag && isNewsWaiting) {
    isNewsWaiting = false;
    void catchUp("");
  }
}

/**
 * Take steps as one state; what breaks rules is kept as a draft and told.
 *
 * @param {object[]} steps
 * @param {{done?: string}} [options] words for what was done
 * @returns {Promise<boolean>} whether they were taken
 */
export async function edit(steps, { done } = {}) {
  const held = state.value;
  verdict.value = null;
  if (steps.length === 1) show(drawnAhead(held, steps[0]));
  waiting.value += 1;
  try {
    const answer = await call("POST", path("/edits"), {
      body: { steps, may_break: true }, version: held.version,
    });
    take(answer);
    tellOutcome(answer, done);
    return true;
  } catch (refusal) {
    show(held);
    refused(refusal, steps);
    return false;
  } finally {
    waiting.value -= 1;
  }
}

function tellOutcome(answer, done) {
  const isChanged = answer.delta_people !== 0 || answer.delta_drive_m !== 0 || answer.delta_work_s !== 0;
  const words = [done ?? answer.state.step.text];
  if (isChanged) words.push(figures(answer));
  if (answer.broken.length > 0) words.push(tn("board.broken", answer.broken.length));
  if (answer.num_mended > 0) words.push(tn("board.mended", answer.num_mended));
  told(words.join(" · "));
}

function refused(refusal, steps) {
  if (refusal instanceof Refusal && refusal.isStale) {
    void openConflict(refusal.problem.facts.current, steps);
    return;
  }
  if (refusal instanceof Refusal && refusal.status === 401) {
    location.reload();
    return;
  }
  const text = refusal instanceof Refusal ? refusal.message : t("board.offline");
  told(text);
}

async function openConflict(current, steps) {
  await refresh();
  dialog.value = { kind: "conflict", missed: current?.steps ?? [], steps };
  announce(t("board.conflict.title"));
}

let trial = null;
let timer = 0;

/** Forget what is being tried. */
export function stopTrying() {
  clearTimeout(timer);
  trial?.abort();
  trial = null;
}

/**
 * Tell what steps would do, once the hand rests; an older question is dropped.
 *
 * @param {object[]} steps
 * @param {(answer: object|null, refusal?: Error) => void} tell
 */
export function tryOut(steps, tell) {
  stopTrying();
  const asked = new AbortController();
  trial = asked;
  timer = setTimeout(async () => {
    try {
      tell(await tried(steps, asked.signal));
    } catch (refusal) {
      if (!asked.signal.aborted) tell(null, refusal);
    }
  }, TRY_AFTER_MS);
}

/** What steps would do to the plan as it is. */
export const tried = (steps, signal) =>
  call("POST", path("/edits"), {
    body: { steps, dry_run: true }, version: state.value.version, signal,
  });

const sign = (value) => (value > 0 ? "+" : value < 0 ? "−" : "±");

/** What steps add: people, kilometres, minutes. */
export function figures({ delta_people, delta_drive_m, delta_work_s }) {
  const parts = [];
  if (delta_people !== 0) {
    parts.push(t("board.delta.people", { n: sign(delta_people) + number(Math.abs(delta_people)) }));
  }
  const km = Math.round(delta_drive_m / 100) / 10;
  parts.push(t("board.delta.km", { n: sign(km) + number(Math.abs(km)) }));
  const minutes = Math.round(delta_work_s / 60);
  parts.push(t("board.delta.minutes", { n: sign(minutes) + number(Math.abs(minutes)) }));
  return parts.join(", ");
}

/** Go back by one step, or forth again. */
export async function travel(way) {
  if (waiting.value > 0) return;
  waiting.value += 1;
  try {
    const board = await call("POST", path(`/${way}`), { version: state.value.version });
    take(board);
    told(t(way === "undo" ? "board.undone" : "board.redone"));
  } catch (refusal) {
    if (refusal instanceof Refusal && refusal.isStale) await refresh();
    told(refusal instanceof Refusal ? refusal.message : t("board.offline"));
  } finally {
    waiting.value -= 1;
  }
}

/** Where a stop fits; `spot` is a new point of the map. */
export const places = (asked) => call("POST", path("/places"), { body: asked });

async function catchUp(by) {
  if (isHolding.now || waiting.value > 0) {
    isNewsWaiting = true;
    return;
  }
  try {
    await refresh();
  } catch {
    return;
  }
  if (by !== accountId) {
    const step = state.value.step;
    told(t("board.news", { by: step.by || t("board.program"), step: step.text }));
  }
}

/** Hear what others do to the plan, and how its jobs stand. */
export function listen(onJob) {
  const stream = new EventSource("/api/v1/events");
  stream.addEventListener("plan", (event) => {
    const { subject, facts } = JSON.parse(event.data);
    if (subject !== planId || facts.version <= state.value.version) return;
    void catchUp(facts.account_id ?? "");
  });
  stream.addEventListener("job", (event) => onJob(JSON.parse(event.data)));
  addEventListener("pagehide", () => stream.close());
}
