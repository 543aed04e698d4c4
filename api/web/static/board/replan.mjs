// The rest of the plan searched anew: asked for, shown while it runs, stopped.

import { t } from "../words.mjs";
import { announce, refresh, told } from "./actions.mjs";
import { Refusal } from "./calls.mjs";
import { cancel, request, running, watch } from "./jobs.mjs";
import { frame, job, state } from "./state.mjs";
import { html } from "./view.mjs";

/** Ask for a new search of what is not pinned. */
export async function startReplan({ time_limit_s, max_changes }) {
  try {
    const made = await request({
      kind: "replan", plan_id: frame.value.plan_id, expect_version: state.value.version,
      time_limit_s, max_changes,
    });
    follow(made.job_id);
    announce(t("board.replan.started"));
  } catch (refusal) {
    told(refusal instanceof Refusal ? refusal.message : t("board.offline"));
  }
}

/** Show a search that somebody has started before the page was opened. */
export async function findRunning() {
  const found = (await running(frame.value.plan_id)).find((one) => one.kind === "replan");
  if (found !== undefined) follow(found.job_id);
}

function follow(jobId) {
  job.value = { job_id: jobId, fraction: 0, text: "" };
  watch(jobId, (found) => {
    if (!found.isEnded) {
      job.value = { job_id: jobId, fraction: found.fraction, text: found.message, isStopping: found.is_cancelled };
      return;
    }
    job.value = null;
    void ended(found);
  });
}

async function ended(found) {
  if (found.state !== "failed") await refresh();
  told(found.message, 15);
}

/** How far the search is, with a button that stops it. */
export function Progress() {
  const held = job.value;
  if (held === null) return null;
  return html`<div class="job">
    <span class="job-text">${held.text || t("board.replan.running")}</span>
    <progress max="1" value=${held.fraction} aria-label=${t("board.replan.running")}></progress>
    <button type="button" class="button button-small" disabled=${held.isStopping}
      onClick=${() => { job.value = { ...held, isStopping: true }; void cancel(held.job_id); }}>
      ${held.isStopping ? t("board.replan.stopping") : t("board.replan.stop")}</button>
  </div>`;
}
