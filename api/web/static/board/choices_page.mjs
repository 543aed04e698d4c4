// A set of plans to choose from: one is kept as a plan of the region and opened.

import { ready, t } from "../words.mjs";
import { call, Refusal } from "./calls.mjs";

const page = document.getElementById("choices");
const { region, jobId } = page.dataset;

page.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-keep]");
  if (button === null) return;
  button.disabled = true;
  try {
    const path = `/regions/${encodeURIComponent(region)}/jobs/${jobId}/choices`;
    const kept = await call("POST", path, { body: { choice: button.dataset.keep }, key: crypto.randomUUID() });
    location.assign(`/desk/${region}/plans/${kept.plan_id}`);
  } catch (error) {
    const note = document.createElement("p");
    note.className = "note note-bad";
    note.textContent = error instanceof Refusal ? error.message : t("board.offline");
    page.querySelector(".faults").replaceChildren(note);
    button.disabled = false;
  }
});

await ready;
page.dataset.live = "";
