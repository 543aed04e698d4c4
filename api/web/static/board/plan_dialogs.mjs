// Dialogs of the whole plan: somebody else was faster; the rest is searched anew.

import { useState } from "../vendor/preact/hooks.mjs";
import { t, tn } from "../words.mjs";
import { announce, edit } from "./actions.mjs";
import { Buttons, close, CloseButton, Trial, useTrial } from "./parts.mjs";
import { startReplan } from "./replan.mjs";
import { state } from "./state.mjs";
import { html } from "./view.mjs";

/** Somebody else was faster: what he did, and whether one's own step is to come on top. */
export function ConflictDialog({ missed, steps }) {
  const trial = useTrial(steps);
  return html`
    <h2>${t("board.conflict.title")}</h2>
    <p>${t("board.conflict.lead")}</p>
    <ul>${missed.map((step) => html`<li key=${step.version}><strong>${step.by || t("board.program")}</strong>: ${step.text}</li>`)}</ul>
    <p>${t("board.conflict.own")}</p>
    <${Trial} told=${trial} />
    <${Buttons}>
      <button type="button" class="button" onClick=${() => { close(); announce(t("board.conflict.left")); }}>${t("board.conflict.leave")}</button>
      <button type="button" class="button button-main" disabled=${!trial?.answer}
        onClick=${async () => { close(); await edit(steps); }}>${t("board.conflict.again")}</button>
    <//>`;
}

/** Search the rest anew: what is pinned stays; how long, and how many times may change. */
export function ReplanDialog() {
  const [seconds, setSeconds] = useState(20);
  const [cap, setCap] = useState("");
  const { visits, runs } = state.value.pins;
  const go = (event) => {
    event.preventDefault();
    close();
    void startReplan({ time_limit_s: seconds, max_changes: cap === "" ? null : Number(cap) });
  };
  return html`
    <form onSubmit=${go}>
      <h2>${t("board.replan.title")}</h2>
      <p>${t("board.replan.lead")}</p>
      <p>${tn("board.replan.pinned_visits", visits.length)}, ${tn("board.replan.pinned_runs", runs.length)}.</p>
      <div class="fields">
        <label class="field">${t("board.replan.seconds")}
          <input name="seconds" type="number" required min="5" max="3600" value=${seconds} onInput=${(e) => setSeconds(Number(e.target.value))} /></label>
        <label class="field">${t("board.replan.cap")}
          <input name="cap" type="number" min="0" max="100000" value=${cap} onInput=${(e) => setCap(e.target.value)} />
          <span class="hint">${t("board.replan.cap_hint")}</span></label>
      </div>
      <${Buttons}>
        <${CloseButton} />
        <button class="button button-main">${t("board.replan.do")}</button>
      <//>
    </form>`;
}
