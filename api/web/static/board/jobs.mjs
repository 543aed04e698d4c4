// Long work on the plan: asked for, watched, stopped. Events tell that something changed; what it
// is is asked then.

import { call } from "./calls.mjs";
import { frame } from "./state.mjs";

const ENDED = new Set(["done", "failed", "cancelled"]);
const ASK_EVERY_MS = 3000;

const watched = new Map();

const path = (rest = "") => `/regions/${encodeURIComponent(frame.value.region_id)}/jobs${rest}`;

/** Ask for a job. */
export const request = (params) =>
  call("POST", path(), { body: params, key: crypto.randomUUID() });

/** Ask a job to stop; the best so far is kept. */
export const cancel = (jobId) => call("POST", path(`/${jobId}/cancel`));

/** Jobs of the plan that wait or run. */
export const running = async (planId) => {
  const found = await call("GET", path(`?plan=${encodeURIComponent(planId)}&state=queued&state=running`));
  return found.items;
};

/** Be told of a job whenever it changes, until it ends; `tell` gets it with `isEnded`. */
export function watch(jobId, tell) {
  const held = { tell, timer: 0, isAsking: false, isAgain: false };
  watched.set(jobId, held);
  void look(jobId);
  // Events may be lost with the connection: the job is asked after now and then too.
  held.timer = setInterval(() => void look(jobId), ASK_EVERY_MS);
}

/** Take up an event of the topic `job`. */
export function heard({ subject }) {
  if (watched.has(subject)) void look(subject);
}

async function look(jobId) {
  const held = watched.get(jobId);
  if (held === undefined) return;
  if (held.isAsking) {
    held.isAgain = true;
    return;
  }
  held.isAsking = true;
  try {
    const job = await call("GET", path(`/${jobId}`));
    const isEnded = ENDED.has(job.state);
    if (isEnded) {
      clearInterval(held.timer);
      watched.delete(jobId);
    }
    held.tell({ ...job, isEnded });
  } catch {
    // The connection is away; the next event or the timer asks again.
  } finally {
    held.isAsking = false;
    if (held.isAgain) {
      held.isAgain = false;
      void look(jobId);
    }
  }
}
