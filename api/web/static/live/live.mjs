// The live board of a region. The page gives its facts in data attributes of #live.

import { render } from "../vendor/preact/preact.mjs";
import { useEffect, useState } from "../vendor/preact/hooks.mjs";
import "../vendor/preact/signals.mjs";
import { ready, t } from "../words.mjs";
import { Alerts } from "./alerts.mjs";
import { CrewNotes } from "./crew.mjs";
import { begin as beginFeed } from "./feed.mjs";
import { Vehicles } from "./list.mjs";
import { choose, fleet, link, mayAct, now, run, vehicles, zone } from "./state.mjs";
import { timeOf } from "./telling.mjs";
import { html } from "../board/view.mjs";

const root = document.getElementById("live");
const facts = root.dataset;

let map = null;

/** The map's modules are large: they are fetched once the list stands. */
const withMap = () => (map ??= import("./map.mjs"));

function Clock() {
  return html`<p class="live-clock"><span class="sr">${t("live.clock")} </span>${timeOf(now.value, zone.value)}
    <span class=${`badge badge-${link.value === "lost" ? "bad" : link.value === "on" ? "good" : ""}`}>${t(`live.link.${link.value}`)}</span></p>`;
}

function Live() {
  const [mapShown, setMapShown] = useState(true);
  useEffect(() => {
    const box = document.getElementById("live-map");
    if (mapShown && box.dataset.asked === undefined) {
      box.dataset.asked = "";
      const words = JSON.parse(facts.mapWords);
      void withMap().then((m) => m.showMap(box, { pmtilesUrl: facts.basemap, words }));
    } else if (map !== null) {
      void map.then((m) => m.resized());
    }
  }, [mapShown]);
  useEffect(() => { document.body.dataset.live = ""; }, []);
  return html`
    <div class="tools">
      <h1 class="live-title">${t("live.title")}</h1>
      <${Clock} />
      <div class="row tools-end">
        <a class="button button-small" href=${facts.report}>${t("live.report")}</a>
        ${facts.trackers && html`<a class="button button-small" href=${facts.trackers}>${t("live.trackers")}</a>`}
        <button type="button" class="button button-small map-switch" aria-pressed=${mapShown} onClick=${() => setMapShown(!mapShown)}>${t("live.map")}</button>
      </div>
    </div>
    <div class=${`live-in${mapShown ? "" : " is-wide"}`}>
      <div class="live-list">
        <${Alerts} />
        <${CrewNotes} />
        <section aria-labelledby="vehicles-title">
          <h2 id="vehicles-title">${t("live.vehicles")}</h2>
          <${Vehicles} />
        </section>
      </div>
      <div class="live-side" hidden=${!mapShown}><div id="live-map" role="region" aria-label=${t("live.map")}></div></div>
    </div>`;
}

async function begin() {
  mayAct.value = facts.act !== undefined;
  try {
    fleet.value = { ...JSON.parse(facts.fleet), breakdown: facts.breakdown };
    await Promise.all([ready, beginFeed(facts.region)]);
  } catch (error) {
    root.querySelector(".live-wait").textContent = `${facts.failed} ${error.message}`;
    return;
  }
  const asked = new URL(location.href).searchParams.get("vehicle");
  if (vehicles.value.some((v) => v.vehicle_id === asked)) choose(asked);
  run();
  root.replaceChildren();
  render(html`<${Live} />`, root);
}

void begin();
