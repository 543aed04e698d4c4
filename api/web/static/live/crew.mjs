// What the crews told of today: stops left out with the reason, stops in no plan, defects of sites.

import { useState } from "../vendor/preact/hooks.mjs";
import "../vendor/preact/signals.mjs";
import { t, tn } from "../words.mjs";
import { choose, chosen, crewNotes, vehicles, zone } from "./state.mjs";
import { timeOf } from "./telling.mjs";
import { html, tint } from "../board/view.mjs";

const FEW = 5;

/** A reason or a kind of defect in words; "other" is what the crew wrote. */
export const whatOf = (note) => t(`tablet.${note.kind}.${note.what}`);

/** Why a stop was left out, in the crew's words. */
export const reasonOf = (note) => (note.what === "other" && note.note ? note.note : [whatOf(note), note.note].filter(Boolean).join(". "));

function saying(note) {
  const stop = note.stop_name || t("live.unplanned_place");
  if (note.kind === "skip") return t("live.crew.skip", { stop, why: reasonOf(note) });
  if (note.kind === "defect") return t("live.crew.defect", { stop, what: [whatOf(note), note.note].filter(Boolean).join(". ") });
  return [t("live.crew.unplanned_stop", { stop }), note.note].filter(Boolean).join(". ");
}

function Note({ note }) {
  const vehicle = vehicles.value.find((v) => v.vehicle_id === note.vehicle_id);
  return html`<li class=${`crew-note is-${note.kind} ${tint(vehicle?.number ?? 0)}`} data-kind=${note.kind}>
    <button type="button" class="alert-text" onClick=${() => choose(note.vehicle_id, { isToggle: false })} aria-pressed=${chosen.value === note.vehicle_id}>
      <span class="soft">${timeOf(note.at, zone.value)}</span> <strong>${vehicle?.name ?? note.vehicle_id}</strong> ${saying(note)}</button>
    ${(note.photo_urls.length > 0 || note.num_photos_waiting > 0) && html`<p class="crew-photos">
      ${note.photo_urls.map((url, k) => html`<a key=${url} href=${url} target="_blank" rel="noopener"><img src=${url} alt=${t("live.crew.photo", { n: k + 1 })} loading="lazy" width="64" height="48" /></a>`)}
      ${note.num_photos_waiting > 0 && html`<span class="soft small">${tn("live.crew.photos_waiting", note.num_photos_waiting)}</span>`}</p>`}
  </li>`;
}

/** The newest of it; the rest on demand. Nothing where nobody told anything. */
export function CrewNotes() {
  const [isWhole, setWhole] = useState(false);
  const all = crewNotes.value;
  if (all.length === 0) return null;
  const shown = isWhole ? all : all.slice(0, FEW);
  return html`<section class="alerts" aria-labelledby="crew-title" aria-live="polite">
    <h2 id="crew-title">${t("live.crew")}</h2>
    <ul class="alert-list">${shown.map((note) => html`<${Note} key=${note.event_id} note=${note} />`)}</ul>
    ${all.length > FEW && html`<button type="button" class="button button-small" aria-expanded=${isWhole} onClick=${() => setWhole(!isWhole)}>${isWhole ? t("live.crew.fewer") : tn("live.crew.all", all.length)}</button>`}
  </section>`;
}
