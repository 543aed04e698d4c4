// What waits and what was sent; the second copy and how to take it in again; the map, the look.

import { useEffect, useRef, useState } from "../vendor/preact/hooks.mjs";
import { signal } from "../vendor/preact/signals.mjs";
import { lang, number, t, tn } from "../words.mjs";
import * as copy from "./copy.mjs";
import { day, dayTrouble, fetchDay, overSince } from "./day.mjs";
import { gpsTrouble } from "./gps.mjs";
import { journalId, lastSequence, records, sendRefusedAgain, settle, trouble } from "./journal.mjs";
import { downloadMap, mapState } from "./map_store.mjs";
import { html, icon, momentOf, Said, say, since, spanOf } from "./parts.mjs";
import { forgetRelay, pair, relay, restoreFromRelay } from "./relay.mjs";
import { minute } from "./shell.mjs";
import { link, sync } from "./sync.mjs";

const REMIND_RECORDS = 20;
let installing = null;
const canInstall = signal(false);
addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  installing = event;
  canInstall.value = true;
});

const size = (bytes) => number(Math.round(bytes / 104_857.6) / 10);

function Restore() {
  const field = useRef(null);
  const take = async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    try {
      const { events, fresh, bad, isWhole } = await copy.restore(file);
      const text = t("tablet.restore.done", { all: tn("tablet.records", events.length), fresh: number(fresh) });
      say(isWhole ? text : `${text} ${t("tablet.restore.cut", { bad: number(bad) })}`, { tone: isWhole ? "good" : "warn" });
      sync({ isAsked: true });
    } catch (error) {
      const known = ["copy.foreign", "copy.too_large"].includes(error.message);
      say(t(known ? `tablet.${error.message}` : "tablet.copy.unreadable"), { tone: "bad" });
    }
    if (field.current) field.current.value = "";
  };
  return html`<label class="t-button t-file"><span>${t("tablet.restore")}</span><input class="sr" type="file" ref=${field} accept=".journal,.ndjson,.txt,application/x-ndjson" onChange=${take} /></label>`;
}

function Lost() {
  if (trouble.value === "") return null;
  return html`<section class=${`note ${trouble.value === "lost" ? "note-bad" : "note-warn"}`} role="alert"><p>${t(`tablet.trouble.${trouble.value}.text`)}</p>
    <div class="t-row">${trouble.value === "lost" && html`<${Restore} />`}<button type="button" class="t-button" onClick=${settle}>${t("tablet.trouble.understood")}</button></div></section>`;
}

function Doubled() {
  if (!link.value.isDoubled) return null;
  return html`<section class="note note-bad" role="alert"><p>${t("tablet.trouble.doubled.text")}</p></section>`;
}

function Queue() {
  void minute.value;
  const all = records.value;
  const waits = all.filter((r) => r.state === "waiting");
  const bad = all.filter((r) => r.state === "refused");
  const asks = all.filter((r) => r.answer === "conflict");
  const state = link.value.state.startsWith("failed") ? "failed" : link.value.state;
  return html`<section class="t-section" aria-labelledby="queue-title"><h2 id="queue-title">${t("tablet.queue")}</h2>
    <dl class="t-facts">
      <div><dt>${t("tablet.queue.waits")}</dt><dd><strong>${number(waits.length)}</strong></dd></div>
      <div><dt>${t("tablet.queue.oldest")}</dt><dd>${waits.length > 0 ? `${since(waits[0].event.device_at)} (${momentOf(waits[0].event.device_at)})` : "–"}</dd></div>
      <div><dt>${t("tablet.queue.sent")}</dt><dd>${number(all.filter((r) => r.state === "answered").length)}</dd></div>
      <div><dt>${t("tablet.queue.last")}</dt><dd>${link.value.at ? momentOf(link.value.at) : t("tablet.never")}</dd></div>
      <div><dt>${t("tablet.queue.link")}</dt><dd>${t(`tablet.link.${state}`)}${state === "failed" ? `: ${link.value.state.slice(7)}` : ""}</dd></div>
      ${Math.abs(link.value.offset) > 30 && html`<div><dt>${t("tablet.queue.clock")}</dt><dd>${t(link.value.offset > 0 ? "tablet.queue.slow" : "tablet.queue.fast", { span: spanOf(Math.abs(link.value.offset)) })}</dd></div>`}
    </dl>
    <div class="t-row"><button type="button" class="t-main-button" onClick=${() => sync({ isAsked: true })}>${t("tablet.queue.send")}</button>
      ${link.value.state === "unpaired" && html`<a class="t-button" href="/pair">${t("tablet.pair")}</a>`}</div>
    ${bad.length > 0 && html`<h3>${tn("tablet.refused", bad.length)}</h3><ul class="t-list">${bad.map((r) => html`<li key=${r.event.event_id}><span>${t(`tablet.event.${r.event.kind}`)}, ${momentOf(r.event.device_at)}</span><small class="is-bad">${r.message}</small></li>`)}</ul>
      <button type="button" class="t-button" onClick=${async () => {
        await sendRefusedAgain();
        sync({ isAsked: true });
      }}>${t("tablet.queue.again")}</button>`}
    ${asks.length > 0 && html`<h3>${tn("tablet.conflicts", asks.length)}</h3><p class="soft">${t("tablet.conflicts.text")}</p><ul class="t-list">${asks.map((r) => html`<li key=${r.event.event_id}><span>${t(`tablet.event.${r.event.kind}`)}, ${momentOf(r.event.device_at)}</span><small>${r.message}</small></li>`)}</ul>`}
  </section>`;
}

const RELAY_TONE = { on: "good", sending: "good", away: "warn" };

/** The vehicle's own computer: what it has, or how to connect one. */
function Relay() {
  void minute.value;
  const { state, url, at, count, why } = relay.value;
  const [told, setTold] = useState({ url: "https://", secret: "" });
  const connect = (event) => {
    event.preventDefault();
    if (pair(told.url.trim(), told.secret.trim())) say(t("tablet.relay.paired"));
    else say(t("tablet.relay.failed"), { tone: "bad" });
  };
  const take = async () => {
    try {
      const { all, fresh } = await restoreFromRelay();
      say(t("tablet.relay.restored", { n: tn("tablet.records", all), fresh: number(fresh) }));
    } catch {
      say(t("tablet.relay.failed"), { tone: "bad" });
    }
  };
  return html`<section class="t-section" aria-labelledby="relay-title"><h2 id="relay-title">${t("tablet.relay")}</h2>
    ${state === "none" ? html`<p>${t("tablet.relay.none")}</p><details><summary>${t("tablet.relay.connect")}</summary><form class="t-form" onSubmit=${connect}>
      <label class="field"><span>${t("tablet.relay.address")}</span><input type="url" required maxlength="200" value=${told.url} onInput=${(e) => setTold({ ...told, url: e.target.value })} /></label>
      <label class="field"><span>${t("tablet.relay.secret")}</span><input required maxlength="200" autocomplete="off" value=${told.secret} onInput=${(e) => setTold({ ...told, secret: e.target.value })} /></label>
      <button class="t-main-button">${t("tablet.relay.connect")}</button></form></details>`
    : html`${at !== null && html`<p data-relay-count=${count}>${t("tablet.relay.at", { n: tn("tablet.records", count), at: momentOf(at) })}</p>`}
      <p><span class=${`badge badge-${RELAY_TONE[state] ?? "bad"}`}>${t(`tablet.relay.${state}`, { url, why })}</span> <small>${url}</small></p>
      <div class="t-row"><button type="button" class="t-button" onClick=${take}>${t("tablet.relay.restore")}</button>
      <button type="button" class="t-button" onClick=${forgetRelay}>${t("tablet.relay.forget")}</button></div>`}
  </section>`;
}

function Copy() {
  void minute.value;
  const { state, name, at, count } = copy.copy.value;
  const behind = records.value.length - count;
  return html`<section class="t-section" aria-labelledby="copy-title"><h2 id="copy-title">${t("tablet.copy")}</h2>
    <p>${at ? t("tablet.copy.at", { name, at: momentOf(at), age: since(at) }) : t("tablet.copy.none")}</p>
    ${state !== "on" && behind >= REMIND_RECORDS && html`<p class="t-hint is-warn">${t("tablet.copy.behind", { n: tn("tablet.records", behind) })}</p>`}
    <div class="t-row">
      ${copy.canFollow && state !== "on" && state !== "ask" && html`<button type="button" class="t-main-button" onClick=${() => copy.choose().catch(() => {})}>${t("tablet.copy.choose")}</button>`}
      ${state === "ask" && html`<button type="button" class="t-main-button" onClick=${() => copy.resume()}>${t("tablet.copy.resume")}</button>`}
      <button type="button" class="t-button" onClick=${() => copy.hand()}>${t("tablet.copy.hand")}</button>
      <${Restore} />
    </div>
    ${state === "on" && html`<p class="soft">${t("tablet.copy.on")}</p>`}
    <p class="soft">${t("tablet.copy.text")}</p></section>`;
}

function Offline() {
  const [persisted, setPersisted] = useState(null);
  useEffect(() => { navigator.storage?.persisted?.().then(setPersisted); }, []);
  const map = mapState.value;
  const told = day.value;
  const worker = "serviceWorker" in navigator && navigator.serviceWorker.controller !== null;
  return html`<section class="t-section" aria-labelledby="off-title"><h2 id="off-title">${t("tablet.offline")}</h2>
    <dl class="t-facts">
      <div><dt>${t("tablet.offline.app")}</dt><dd>${worker ? t("tablet.yes") : t(isSecureContext ? "tablet.offline.reload" : "tablet.offline.https")}</dd></div>
      <div><dt>${t("tablet.offline.day")}</dt><dd>${momentOf(told.made_at)} · ${t("tablet.offline.expires", { at: momentOf(told.expires_at) })}</dd></div>
      <div><dt>${t("tablet.offline.persisted")}</dt><dd>${persisted === null ? "–" : persisted ? t("tablet.yes") : t("tablet.offline.not_persisted")}</dd></div>
      <div><dt>${t("tablet.offline.map")}</dt><dd>${told.map === null ? t("tablet.map.none") : map.state === "whole" ? t("tablet.map.whole", { size: size(map.size) }) : t("tablet.map.part", { part: size(map.have), size: size(told.map.size_bytes) })}</dd></div>
      <div><dt>${t("tablet.offline.gps")}</dt><dd>${gpsTrouble.value === "" ? t("tablet.yes") : t(`tablet.gps.${gpsTrouble.value}`)}</dd></div>
      <div><dt>${t("tablet.offline.journal")}</dt><dd><code>${journalId()}</code> · ${number(lastSequence())}</dd></div>
    </dl>
    <div class="t-row">
      <button type="button" class="t-button" onClick=${async () => {
        const isNew = await fetchDay();
        say(dayTrouble.value === "" ? t(isNew ? "tablet.day.new" : "tablet.day.same") : t("tablet.day.not", { why: t(`tablet.daytrouble.${dayTrouble.value.split(":")[0]}`) }), { tone: dayTrouble.value === "" ? "good" : "warn" });
      }}>${t("tablet.day.fetch")}</button>
      ${told.map && map.state !== "whole" && html`<button type="button" class="t-button" disabled=${map.state === "loading"} onClick=${() => downloadMap(told.map)}>${icon("map")}${t("tablet.map.fetch")}</button>`}
      ${canInstall.value && html`<button type="button" class="t-button" onClick=${async () => {
        await installing.prompt();
        canInstall.value = false;
      }}>${t("tablet.install")}</button>`}
    </div></section>`;
}

function choose(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Without it the choice lasts as long as the page.
  }
}

function Look() {
  const [look, setLook] = useState(document.documentElement.dataset.look);
  const pick = (value) => {
    choose("tablet-look", value);
    document.documentElement.dataset.look = value;
    setLook(value);
  };
  return html`<section class="t-section" aria-labelledby="look-title"><h2 id="look-title">${t("tablet.look")}</h2>
    <div class="t-modes" role="group" aria-labelledby="look-title">${["auto", "sun", "night"].map((name) => html`<button key=${name} type="button" aria-pressed=${look === name ? "true" : "false"} onClick=${() => pick(name)}>${t(`tablet.look.${name}`)}</button>`)}</div>
    <div class="t-modes" role="group" aria-label=${t("tablet.language")}>${["ru", "en"].map((code) => html`<button key=${code} type="button" lang=${code} aria-pressed=${lang === code ? "true" : "false"} onClick=${() => {
      choose("tablet-lang", code);
      location.reload();
    }}>${code === "ru" ? "Русский" : "English"}</button>`)}</div></section>`;
}

/** The screen of the journal. */
export function Keep() {
  return html`<h1 class="sr">${t("tablet.view.keep")}</h1><${Lost} /><${Doubled} /><${Queue} /><${Relay} /><${Copy} /><${Offline} /><${Look} />`;
}

/** Before a day is here: pair, try again, or take a copy in. */
export function Unpaired() {
  const [why, detail] = [dayTrouble.value.split(":")[0], dayTrouble.value.split(":").slice(1).join(":")];
  const waits = records.value.filter((r) => r.state === "waiting").length;
  // A device that was paired before, and is not let in any more: lost, stolen, or replaced.
  const state = why === "unpaired" && journalId() !== "" ? "revoked" : why || (overSince.value === null ? "none" : "over");
  return html`<div class="t-frame"><main class="t-main t-alone" id="main" tabindex="-1"><h1>${t("tablet.app")}</h1>
    <p class="lead">${t(`tablet.start.${state}`, { message: detail })}</p>
    ${overSince.value !== null && html`<div class="note note-warn"><p>${t("tablet.start.expired", { at: momentOf(overSince.value) })}</p></div>`}
    ${!isSecureContext && html`<div class="note note-bad"><p>${t("tablet.offline.https")}</p></div>`}
    ${waits > 0 && html`<div class="note note-warn"><p>${t("tablet.start.waits", { n: tn("tablet.records", waits) })}</p></div>`}
    ${trouble.value === "lost" && html`<div class="note note-bad" role="alert"><p>${t("tablet.trouble.lost.text")}</p></div>`}
    <div class="t-row">
      ${why === "unpaired" && html`<a class="t-main-button" href="/pair">${t("tablet.pair")}</a>`}
      <button type="button" class="t-button" onClick=${async () => {
        await fetchDay();
        sync({ isAsked: true });
      }}>${t("tablet.start.again")}</button>
      <${Restore} /><button type="button" class="t-button" onClick=${() => copy.hand()}>${t("tablet.copy.hand")}</button>
    </div></main><${Said} /></div>`;
}
