// The tablet's app: reads what is kept, draws the screens, begins to send.

import { render } from "../vendor/preact/preact.mjs";
import "../vendor/preact/signals.mjs";
import { signal } from "../vendor/preact/signals.mjs";
import { ready, t } from "../words.mjs";
import * as copy from "./copy.mjs";
import * as dayKept from "./day.mjs";
import * as gps from "./gps.mjs";
import * as journal from "./journal.mjs";
import { Keep, Unpaired } from "./keep.mjs";
import { Lend } from "./lend.mjs";
import * as mapKept from "./map_store.mjs";
import { html } from "./parts.mjs";
import * as relay from "./relay.mjs";
import { Run } from "./run.mjs";
import { listen } from "./scanner.mjs";
import { go, Shell } from "./shell.mjs";
import { takePhotos } from "./site_photos.mjs";
import { rebuild } from "./state.mjs";
import { Stop } from "./stop.mjs";
import { kept, persist } from "./store.mjs";
import * as sync from "./sync.mjs";

const LOOK_MS = 60_000;
const isElsewhere = signal(false);

function Loaded({ name }) {
  const View = late[name].value;
  if (View === null) {
    import(`./${name}.mjs`).then((module) => { late[name].value = module.view; });
    return html`<p class="t-wait" role="status">${t("tablet.starting")}</p>`;
  }
  return html`<${View} />`;
}
// The map's modules are large: they are read when the map is asked for.
const late = { map: signal(null) };
const views = { run: Run, stop: Stop, lend: Lend, map: () => html`<${Loaded} name="map" />`, keep: Keep };

function App() {
  if (isElsewhere.value) return html`<${Elsewhere} />`;
  return dayKept.day.value === null ? html`<${Unpaired} />` : html`<${Shell} views=${views} />`;
}

/** Two windows must not write one journal, each with its own idea of how things stand. */
function Elsewhere() {
  return html`<main class="t-wait"><h1>${t("tablet.app")}</h1><p>${t("tablet.elsewhere")}</p>
    <button type="button" class="t-main-button" onClick=${() => location.reload()}>${t("tablet.here")}</button></main>`;
}

/** Hold the app's lock for as long as the page lives; the newest window gets it. */
const alone = () =>
  new Promise((resolve) => {
    navigator.locks.request("tablet-app", { steal: true }, () => {
      resolve();
      return new Promise(() => {});
    }).catch(() => { isElsewhere.value = true; });
  });

/** Look whether what is kept is still there; write it anew where it is not. */
async function look() {
  if (isElsewhere.value) return;
  await dayKept.wipeWhenOver();
  await journal.heal();
}

/** The storage was emptied and holds the journal again: everything else follows. */
async function refill() {
  await dayKept.keepAgain();
  navigator.serviceWorker?.controller?.postMessage("refill");
  copy.follow();
}

/** Begin within an element. */
export async function begin(root) {
  await ready;
  await alone();
  await journal.open();
  await dayKept.open();
  await copy.open();
  await relay.open(journal.isNewStorage);
  rebuild();
  root.replaceChildren();
  if (dayKept.day.value === null) await dayKept.fetchDay();
  const deviceId = dayKept.day.value?.journal.device_id ?? ((await kept("device")) || relay.deviceBefore());
  if (deviceId) await journal.nameDevice(deviceId);
  if (journal.trouble.value === "lost" && dayKept.day.value !== null) go("keep");
  render(html`<${App} />`, root);
  dayKept.day.subscribe((told) => { if (told !== null) journal.nameDevice(told.journal.device_id); });
  journal.whenWritten(() => copy.soon());
  journal.whenRewritten(refill);
  gps.open();
  listen();
  persist();
  await sync.open();
  relay.begin();
  await mapKept.open(dayKept.day.value?.map ?? null);
  dayKept.day.subscribe((told) => { if (told?.map) mapKept.downloadMap(told.map); });
  dayKept.day.subscribe((told) => { if (told !== null) takePhotos(told); });
  setInterval(look, LOOK_MS);
  document.addEventListener("visibilitychange", () => (document.hidden ? copy.follow() : look()));
  document.body.dataset.ready = "";
}
