// The list of plans: forms that ask for searches, how these stand, names, copies, the archive.

import { toast } from "../site.mjs";
import { ready, t } from "../words.mjs";
import { call, Refusal } from "./calls.mjs";

const page = document.getElementById("plans");
const region = page.dataset.region;
const jobs = `/regions/${encodeURIComponent(region)}/jobs`;
const NUMBERS = new Set(["weeks", "num_vehicles", "time_limit_s", "nights", "max_changes", "num_plans", "num_bases"]);

for (const opener of document.querySelectorAll("[data-open]")) {
  opener.addEventListener("click", () => document.getElementById(opener.dataset.open).showModal());
}
for (const closer of document.querySelectorAll("[data-close]")) {
  closer.addEventListener("click", () => closer.closest("dialog").close());
}

/** Show a refusal in a form: the message, each fault, and the fields that are wrong. */
function showFaults(form, error) {
  const box = form.querySelector(".faults");
  const problem = error instanceof Refusal ? error.problem : { message: t("board.offline"), problems: [] };
  const note = document.createElement("div");
  note.className = "note note-bad";
  const lead = document.createElement("p");
  lead.textContent = problem.message;
  note.append(lead);
  const list = document.createElement("ul");
  for (const part of problem.problems ?? []) {
    const line = document.createElement("li");
    line.textContent = part.message;
    list.append(line);
    form.elements[part.field?.split(".").at(-1)]?.setAttribute("aria-invalid", "true");
  }
  if (list.children.length > 0) note.append(list);
  box.replaceChildren(note);
}

function clearFaults(form) {
  form.querySelector(".faults").replaceChildren();
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
}

for (const form of document.querySelectorAll("form[data-job]")) {
  const horizon = form.querySelector("[data-horizon]");
  horizon?.addEventListener("input", () => {
    for (const part of form.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== horizon.value;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void ask(form);
  });
}

async function ask(form) {
  clearFaults(form);
  const body = { kind: form.dataset.job };
  for (const [name, value] of new FormData(form)) {
    const isHidden = form.elements[name].closest("[hidden]") !== null;
    if (name === "horizon" || isHidden || value.trim() === "") continue;
    body[name] = NUMBERS.has(name) ? Number(value) : value.trim();
  }
  const button = form.querySelector("button.button-main");
  button.disabled = true;
  try {
    await call("POST", jobs, { body, key: crypto.randomUUID() });
    location.reload();
  } catch (error) {
    showFaults(form, error);
    button.disabled = false;
  }
}

// How searches stand: told by events, asked after now and then.

const ENDED = new Set(["done", "failed", "cancelled"]);
const lines = new Map([...document.querySelectorAll("[data-job][data-state]")].map((line) => [line.dataset.job, line]));
const open = () => [...lines].filter(([, line]) => !ENDED.has(line.dataset.state)).map(([id]) => id);

async function look(jobId) {
  const line = lines.get(jobId);
  if (line === undefined || ENDED.has(line.dataset.state)) return;
  let job;
  try {
    job = await call("GET", `${jobs}/${jobId}`);
  } catch {
    return;
  }
  line.querySelector("[data-told]").textContent = job.message;
  const bar = line.querySelector("progress");
  if (bar !== null) bar.value = job.fraction;
  if (ENDED.has(job.state) && line.dataset.state !== job.state) {
    line.dataset.state = job.state;
    toast(job.message);
    // A form that is being filled in is not thrown away.
    if (document.querySelector("dialog[open]") === null) location.reload();
  }
}

if (open().length > 0) {
  const stream = new EventSource("/api/v1/events");
  stream.addEventListener("job", (event) => void look(JSON.parse(event.data).subject));
  addEventListener("pagehide", () => stream.close());
  setInterval(() => open().forEach((id) => void look(id)), 5000);
}

document.addEventListener("click", (event) => {
  const cancel = event.target.closest("[data-cancel]");
  if (cancel !== null) {
    cancel.disabled = true;
    void call("POST", `${jobs}/${cancel.dataset.cancel}/cancel`).catch((error) => toast(error.message));
  }
  const act = event.target.closest("[data-act]");
  if (act !== null) void take(act.dataset.act, act.closest("[data-plan]"));
});

// Names, copies, the archive.

const dialog = document.getElementById("plan-name");
const nameForm = dialog?.querySelector("form");
let saved = null;

nameForm?.addEventListener("submit", async (event) => {
  event.preventDefault();
  clearFaults(nameForm);
  try {
    await saved(nameForm.elements.name.value.trim());
    location.reload();
  } catch (error) {
    showFaults(nameForm, error);
  }
});

async function take(what, row) {
  const path = `/plans/${row.dataset.plan}`;
  const version = Number(row.dataset.version);
  row.querySelector("details").open = false;
  if (what === "archive" || what === "restore") {
    try {
      await call("PATCH", path, { body: { is_archived: what === "archive" }, version });
      location.reload();
    } catch (error) {
      toast(error.message);
    }
    return;
  }
  saved = what === "rename"
    ? (name) => call("PATCH", path, { body: { name }, version })
    : (name) => call("POST", `${path}/copy`, { body: { name }, key: crypto.randomUUID() });
  clearFaults(nameForm);
  dialog.querySelector("[data-title]").textContent = t(what === "rename" ? "board.list.rename" : "board.list.copy");
  nameForm.elements.name.value = what === "rename" ? row.dataset.name : t("board.list.copy_of", { name: row.dataset.name });
  dialog.showModal();
  nameForm.elements.name.select();
}

await ready;
page.dataset.live = "";
