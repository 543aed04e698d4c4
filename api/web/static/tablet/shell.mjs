// The frame of every screen: what waits to be sent, where one is, the way to the other screens.

import { computed, signal } from "../vendor/preact/signals.mjs";
import { day as dayName, lang, t, tn } from "../words.mjs";
import { copy } from "./copy.mjs";
import { day, today } from "./day.mjs";
import { records, trouble } from "./journal.mjs";
import { Asked, html, icon, Said, since, spanOf } from "./parts.mjs";
import { link } from "./sync.mjs";

/** Where one is: `{view, id}`, from the address behind the #. */
export const place = signal(placeOf(location.hash));
/** Raised every half minute: ages are told anew. */
export const minute = signal(0);

function placeOf(hash) {
  const [view, id = ""] = hash.replace(/^#/, "").split("/");
  return { view: view || "run", id: decodeURIComponent(id) };
}

addEventListener("hashchange", () => {
  place.value = placeOf(location.hash);
  scrollTo(0, 0);
  document.getElementById("main")?.focus({ preventScroll: true });
});
setInterval(() => { minute.value += 1; }, 30_000);

/** Go to a screen. */
export const go = (view, id = "") => { location.hash = id === "" ? view : `${view}/${encodeURIComponent(id)}`; };

const queue = computed(() => {
  const open = records.value.filter((r) => r.state === "waiting");
  return {
    count: open.length,
    oldest: open[0]?.event.device_at ?? null,
    refused: records.value.filter((r) => r.state === "refused").length,
  };
});

const toneOf = ({ count, refused }, state) => {
  if (refused > 0 || state.startsWith("failed") || state === "unpaired") return "bad";
  return count > 0 ? "warn" : "good";
};

/** Queue and connection, on every screen. */
function Queue() {
  void minute.value;
  const now = queue.value;
  const { state } = link.value;
  const text = now.count === 0 ? t("tablet.queue.none") : t("tablet.queue.some", { n: tn("tablet.records", now.count), age: since(now.oldest) });
  const link_ = state.startsWith("failed") ? "failed" : state;
  return html`<a class=${`t-queue is-${toneOf(now, state)}`} href="#keep" data-queue=${now.count}>
    <span class="t-dot" aria-hidden="true"></span>
    <span class="t-queue-text"><strong>${text}</strong><small>${t(`tablet.link.${link_}`)}${now.refused > 0 ? ` · ${tn("tablet.refused", now.refused)}` : ""}</small></span>
  </a>`;
}

const VIEWS = ["run", "lend", "map", "keep"];

function Nav() {
  const { view } = place.value;
  const isHere = (name) => name === view || (name === "run" && view === "stop");
  return html`<nav class="t-nav" aria-label=${t("tablet.nav")}>
    ${VIEWS.map((name) => html`<a key=${name} href=${`#${name}`} aria-current=${isHere(name) ? "page" : undefined}>${icon(name)}<span>${t(`tablet.view.${name}`)}</span></a>`)}
  </nav>`;
}

/** A clock that is off by more than this is told on every screen. */
const CLOCK_S = 300;

function Troubles() {
  void minute.value;
  const found = [];
  if (trouble.value === "lost") found.push(["bad", t("tablet.trouble.lost")]);
  if (trouble.value === "rewritten") found.push(["warn", t("tablet.trouble.rewritten")]);
  if (link.value.isDoubled) found.push(["bad", t("tablet.trouble.doubled")]);
  if (copy.value.state === "failed") found.push(["bad", t("tablet.trouble.copy_failed")]);
  if (copy.value.state === "ask") found.push(["warn", t("tablet.trouble.copy_ask")]);
  const { offset } = link.value;
  const isOff = Math.abs(offset) > CLOCK_S;
  if (isOff) found.push(["warn", t(offset > 0 ? "tablet.trouble.slow" : "tablet.trouble.fast", { span: spanOf(Math.abs(offset)) })]);
  // Where the clock is wrong, it is no other day.
  if (!isOff && day.value !== null && day.value.service_date !== today()) found.push(["warn", t("tablet.trouble.other_day", { day: dayName(day.value.service_date) })]);
  if (found.length === 0) return null;
  return html`<div class="t-troubles" role="alert">${found.map(([tone, text]) => html`<a key=${text} class=${`t-trouble is-${tone}`} href="#keep">${icon("warn")}<span>${text}</span></a>`)}</div>`;
}

/** A screen in its frame. */
export function Shell({ views }) {
  const { view } = place.value;
  const View = views[view] ?? views.run;
  const told = day.value;
  return html`<div class="t-frame" lang=${lang}>
    <header class="t-top">
      <div class="t-who"><strong>${told?.vehicle.name ?? t("tablet.app")}</strong>
        <small>${told ? dayName(told.service_date, { weekday: "long", day: "numeric", month: "long" }) : ""}</small></div>
      <${Queue} />
    </header>
    <${Troubles} />
    <main id="main" class=${`t-main t-${view}`} tabindex="-1"><${View} id=${place.value.id} /></main>
    <${Nav} />
    <${Said} />
    <${Asked} />
  </div>`;
}
