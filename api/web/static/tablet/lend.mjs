// Lending: a reader's card, then books; returns and renewals. What is scanned decides; what speaks
// against it is asked. Nothing is confirmed before it lies in the journal.

import { useEffect, useRef, useState } from "../vendor/preact/hooks.mjs";
import { signal } from "../vendor/preact/signals.mjs";
import { number, t, tn } from "../words.mjs";
import { bookName, chosen, longDay, mode, MODES, nameOf, patronOfOwnCard, reader, readerName, shortDay, stopNow } from "./counter.mjs";
import { day, itemOfCode, patronOfCard } from "./day.mjs";
import { lend, objections, renew, renewalObjections, staleHours, takeBack, voidEvent, warningsOf } from "./lending.mjs";
import { Move, scanMove } from "./move.mjs";
import { ask, asked, closeAsked, html, icon, momentOf, say, sound, timeOf } from "./parts.mjs";
import { askRegistration, askRenewal } from "./register.mjs";
import { scanned, watch, whenScanned } from "./scanner.mjs";
import { go, place } from "./shell.mjs";
import { loansOf, now, patronNow, revision, stops } from "./state.mjs";

const LOG_MAX = 12;
const found = signal(null);
let isBusy = false;

/** An objection in words. */
function objectionText(o) {
  const facts = { ...o };
  if (o.rule === "blocked") facts.reasons = o.reasons.map((r) => t(`tablet.block.${r}`)).join(", ");
  if (o.date) facts.date = shortDay(o.date);
  if (o.rule === "lent_to_other") facts.name = o.patron_id ? nameOf(o.patron_id) : t("tablet.reader.other");
  return t(`tablet.rule.${o.rule}`, facts);
}

function Against({ list, verb, go: act, close }) {
  const isFirm = list.some((o) => o.isFirm);
  return html`<ul class="t-faults">${list.map((o) => html`<li key=${o.rule} class=${o.isFirm ? "is-firm" : ""}>${objectionText(o)}</li>`)}</ul>
    ${isFirm && html`<p>${t("tablet.firm")}</p>`}
    <div class="t-row"><button type="button" class="t-main-button" onClick=${close}>${t("tablet.dont")}</button>
    ${!isFirm && html`<button type="button" class="t-button is-bad" onClick=${async () => {
      close();
      await act(list.map((o) => o.rule));
    }}>${verb}</button>`}</div>`;
}

async function against(title, list, verb, act) {
  sound(false);
  ask(title, ({ close }) => html`<${Against} list=${list} verb=${verb} go=${act} close=${close} />`);
}

async function doLend(itemId, overrides = []) {
  const { event, due, hold } = await lend(stopNow(), reader.value, itemId, overrides);
  sound(true);
  say(t(hold ? "tablet.lent_hold" : "tablet.lent", { title: bookName(itemId), day: shortDay(due.due_date) }), { undo: () => voidEvent(event) });
}

async function doReturn(itemId) {
  const { event, loan } = await takeBack(stopNow(), itemId);
  sound(true);
  const waits = [...now().holds.values()].some((h) => ["ready", "waiting"].includes(h.state) && h.title_id === day.value.itemOf.get(itemId)?.title_id);
  const text = loan ? t("tablet.returned", { title: bookName(itemId), name: loan.patron_id ? nameOf(loan.patron_id) : t("tablet.reader.other") }) : t("tablet.returned_free", { title: bookName(itemId) });
  say(waits ? `${text} ${t("tablet.returned_waits")}` : text, { undo: () => voidEvent(event), tone: waits ? "warn" : "good" });
}

async function doRenew(itemId, overrides = []) {
  const { event, due } = await renew(stopNow(), itemId, overrides);
  sound(true);
  say(t("tablet.renewed", { title: bookName(itemId), day: shortDay(due.due_date) }), { undo: () => voidEvent(event) });
}

async function tryLend(itemId) {
  const item = day.value.itemOf.get(itemId);
  const list = reader.value.patron_id && item ? objections(reader.value, item) : [];
  if (!reader.value.patron_id) {
    const other = now().loanOfItem.get(itemId);
    if (other) list.push({ rule: "lent_to_other", patron_id: other.patron_id });
    if (item && !item.is_for_loan) list.push({ rule: "not_for_loan", isFirm: true });
  }
  if (staleHours() > 0) list.push({ rule: "stale", hours: staleHours() });
  if (list.length === 0) return doLend(itemId);
  // A copy that is too old is no rule of the library: the crew is asked, the journal is not told.
  return against(bookName(itemId), list, t("tablet.lend_anyway"), (rules) => doLend(itemId, rules.filter((r) => r !== "stale" && r !== "lent_to_other")));
}

async function tryRenew(itemId) {
  const loan = now().loanOfItem.get(itemId);
  if (!loan) {
    sound(false);
    return say(t("tablet.not_lent", { title: bookName(itemId) }), { tone: "bad" });
  }
  const list = renewalObjections(loan);
  if (list.length === 0) return doRenew(itemId);
  return against(bookName(itemId), list, t("tablet.renew_anyway"), (rules) => doRenew(itemId, rules));
}

function Own({ itemId, close }) {
  const act = (call) => async () => {
    close();
    await call(itemId);
  };
  return html`<p>${t("tablet.own.text", { name: readerName(reader.value) })}</p><div class="t-row">
    <button type="button" class="t-main-button" onClick=${act(doReturn)}>${t("tablet.return")}</button>
    <button type="button" class="t-button" onClick=${act(tryRenew)}>${t("tablet.renew")}</button></div>`;
}

function Unknown({ code, close }) {
  const act = (call) => async () => {
    close();
    await call();
  };
  const takeCard = () => {
    reader.value = { card: code };
  };
  return html`<p>${t("tablet.unknown.text", { code })}</p><div class="t-choices">
    ${mode.value === "lend" && html`<button type="button" class="t-choice" onClick=${act(() => askRegistration(code))}>${t("tablet.unknown.new")}</button>
    <button type="button" class="t-choice" onClick=${act(takeCard)}>${t("tablet.unknown.card")}</button>`}
    ${mode.value === "lend" && reader.value && html`<button type="button" class="t-choice" onClick=${act(() => tryLend(code))}>${t("tablet.unknown.lend")}</button>`}
    <button type="button" class="t-choice" onClick=${act(() => doReturn(code))}>${t("tablet.unknown.return")}</button>
    <button type="button" class="t-choice" onClick=${close}>${t("tablet.unknown.no")}</button></div>`;
}

function Free({ itemId }) {
  const loan = now().loanOfItem.get(itemId);
  return html`<p>${loan ? t("tablet.first.lent", { name: loan.patron_id ? nameOf(loan.patron_id) : t("tablet.reader.other"), day: shortDay(loan.due_date) }) : t("tablet.first.card")}</p>
    <div class="t-row">${loan && html`<button type="button" class="t-main-button" onClick=${async () => {
      closeAsked();
      await doReturn(itemId);
    }}>${t("tablet.return")}</button>`}<button type="button" class="t-button" onClick=${closeAsked}>${t("tablet.close")}</button></div>`;
}

async function handle(code) {
  const known = await patronOfCard(code);
  const patron = known ? patronNow(known.patron_id) : patronOfOwnCard(code);
  if (patron) {
    if (mode.value === "move") mode.value = "lend";
    reader.value = patron;
    sound(true);
    return;
  }
  if (mode.value === "move") return void scanMove(code);
  const item = itemOfCode(code);
  if (!item) {
    // A book of another branch, or lent before this tablet knew of it, may still be taken back.
    if (mode.value === "return" && now().loanOfItem.has(code)) return void (await doReturn(code));
    sound(false);
    ask(t("tablet.unknown.title"), ({ close }) => html`<${Unknown} code=${code} close=${close} />`);
    return;
  }
  const itemId = item.item_id;
  if (mode.value === "return") return void (await doReturn(itemId));
  if (mode.value === "renew") return void (await tryRenew(itemId));
  if (reader.value === null) {
    sound(false);
    ask(bookName(itemId), () => html`<${Free} itemId=${itemId} />`);
    return;
  }
  const loan = now().loanOfItem.get(itemId);
  if (loan?.patron_id && loan.patron_id === reader.value.patron_id) {
    ask(bookName(itemId), ({ close }) => html`<${Own} itemId=${itemId} close=${close} />`);
    return;
  }
  await tryLend(itemId);
}

/** A code was scanned, on whatever screen. */
async function take(code) {
  if (day.value === null) return;
  // A question is open, or the scan before is not written yet: neither must be guessed away.
  if (asked.value !== null || isBusy) {
    sound(false);
    return;
  }
  isBusy = true;
  const began = performance.now();
  try {
    if (place.value.view !== "lend") go("lend");
    await handle(code);
  } catch (error) {
    sound(false);
    say(t("tablet.not_written", { why: error.message }), { tone: "bad" });
    throw error;
  } finally {
    isBusy = false;
    requestAnimationFrame(() => { document.body.dataset.scanMs = (performance.now() - began).toFixed(1); });
  }
}
whenScanned(take);

/** Readers and books of a name, for who has no card with them. */
function search(text) {
  const wanted = text.trim().toLocaleLowerCase();
  if (wanted.length < 2) return null;
  const has = (name) => name.toLocaleLowerCase().includes(wanted);
  const told = day.value;
  return {
    patrons: [...told.patrons.filter((p) => !now().patrons.has(p.patron_id)), ...now().patrons.values()].filter((p) => has(p.name) || (p.card_end && p.card_end === wanted)).slice(0, 8),
    items: told.items.filter((i) => {
      const title = told.titleOf.get(i.title_id);
      return title && has(`${title.author} ${title.name}`);
    }).slice(0, 8),
  };
}

function Scan() {
  const [text, setText] = useState("");
  const field = useRef(null);
  const send = (event) => {
    event.preventDefault();
    // A typed name finds; a typed or scanned code acts.
    const hit = found.value;
    const code = text;
    setText("");
    found.value = null;
    if (hit && hit.patrons.length === 1 && hit.items.length === 0) reader.value = hit.patrons[0];
    else if (hit && hit.patrons.length + hit.items.length > 0) {
      setText(code);
      found.value = hit;
    } else scanned(code);
    field.current.focus();
  };
  const type = (event) => {
    setText(event.target.value);
    found.value = search(event.target.value);
  };
  return html`<form class="t-scan" onSubmit=${send} role="search">
    <label class="sr" for="scan">${t("tablet.scan")}</label>
    <input id="scan" ref=${field} value=${text} onInput=${type} placeholder=${t("tablet.scan")} maxlength="64" autocomplete="off" autocapitalize="off" spellcheck=${false} enterkeyhint="go" />
    <button class="t-button">${t("tablet.scan.do")}</button>
    <button type="button" class="t-button" onClick=${() => ask(t("tablet.camera"), Camera)}>${icon("camera")}<span>${t("tablet.camera")}</span></button>
  </form>`;
}

function Found() {
  const hit = found.value;
  if (hit === null || hit.patrons.length + hit.items.length === 0) return null;
  return html`<ul class="t-list t-found">
    ${hit.patrons.map((p) => html`<li key=${p.patron_id}><button type="button" class="t-line" onClick=${() => {
      reader.value = p;
      found.value = null;
      document.getElementById("scan").value = "";
    }}><span>${readerName(p)}</span><small>${t("tablet.card.ends", { end: p.card_end })}</small></button></li>`)}
    ${hit.items.map((i) => html`<li key=${i.item_id}><button type="button" class="t-line" onClick=${() => {
      found.value = null;
      scanned(i.item_id);
    }}><span>${bookName(i.item_id)}</span><small>${i.item_id}${now().loanOfItem.has(i.item_id) ? ` · ${t("tablet.is_lent")}` : ""}</small></button></li>`)}
  </ul>`;
}

function Camera({ close }) {
  const video = useRef(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let stop = () => {};
    let isGone = false;
    watch(video.current, (code) => {
      close();
      scanned(code);
    }).then((found) => {
      stop = found;
      if (isGone) stop();
    }).catch((error) => setProblem(error.name === "NotAllowedError" ? "denied" : "none"));
    return () => {
      isGone = true;
      stop();
    };
  }, []);
  return html`${problem && html`<p class="note note-warn">${t(`tablet.camera.${problem}`)}</p>`}
    <video class="t-video" ref=${video} muted playsinline aria-label=${t("tablet.camera")}></video>`;
}

function Reader() {
  const one = reader.value;
  if (one === null) {
    return html`<section class="t-reader is-empty"><p>${t(`tablet.wait.${mode.value}`)}</p>
      ${mode.value === "lend" && html`<button type="button" class="t-button" onClick=${() => askRegistration()}>${t("tablet.register.title")}</button>`}</section>`;
  }
  const warnings = one.patron_id ? warningsOf(one) : [{ rule: "unknown_reader" }];
  const loans = one.patron_id ? loansOf(one.patron_id) : [...now().loanOfItem.values()].filter((l) => l.card && l.card === one.card).map((loan) => ({ item_id: loan.item_id, loan }));
  const holds = one.patron_id ? [...now().holds.values()].filter((h) => h.state === "ready" && h.patron_id === one.patron_id && h.item_id) : [];
  const on = day.value.service_date;
  return html`<section class="t-reader" aria-labelledby="reader-name">
    <div class="t-head"><div><h2 id="reader-name">${readerName(one)}</h2>
      <p>${[one.card_end && t("tablet.card.ends", { end: one.card_end }), one.age_years !== null && one.age_years !== undefined && tn("tablet.years", one.age_years), one.kind && one.kind !== "person" && t(`tablet.kind.${one.kind}`), one.expires_date && t("tablet.reader.until", { day: longDay(one.expires_date) })].filter(Boolean).join(" · ")}</p></div>
      <div class="t-tools">${one.patron_id && html`<button type="button" class="t-button" onClick=${() => askRenewal(one)}>${t("tablet.reregister")}</button>`}
      <button type="button" class="t-button" onClick=${() => { reader.value = null; }}>${t("tablet.reader.done")}</button></div></div>
    ${warnings.length > 0 && html`<ul class="t-faults">${warnings.map((o) => html`<li key=${o.rule}>${objectionText(o)}</li>`)}</ul>`}
    ${holds.length > 0 && html`<h3>${t("tablet.people.holds")}</h3><ul class="t-list">${holds.map((h) => html`<li key=${h.hold_id}><div class="t-line"><span>${bookName(h.item_id)}</span>
      <button type="button" class="t-button" onClick=${() => tryLend(h.item_id)}>${t("tablet.hand")}<span class="sr"> ${bookName(h.item_id)}</span></button></div></li>`)}</ul>`}
    <h3>${tn("tablet.has", loans.length)}</h3>
    ${loans.length > 0 && html`<ul class="t-list">${loans.map(({ item_id, loan }) => html`<li key=${item_id}><div class="t-line"><span>${bookName(item_id)}<small class=${loan.due_date < on ? "is-bad" : ""}>${t(loan.due_date < on ? "tablet.overdue" : "tablet.due", { day: shortDay(loan.due_date) })}</small></span>
      <button type="button" class="t-button" onClick=${() => doReturn(item_id)}>${t("tablet.return")}<span class="sr"> ${bookName(item_id)}</span></button>
      <button type="button" class="t-button" onClick=${() => tryRenew(item_id)}>${t("tablet.renew")}<span class="sr"> ${bookName(item_id)}</span></button></div></li>`)}</ul>`}
  </section>`;
}

function Log() {
  const { log } = now();
  const last = log.slice(-LOG_MAX).reverse();
  return html`<section class="t-section" aria-labelledby="log-title"><h2 id="log-title">${t("tablet.log")} <small>${number(log.length)}</small></h2>
    ${last.length === 0 ? html`<p class="soft">${t("tablet.log.none")}</p>` : html`<ul class="t-list">${last.map(({ event, before }) => html`<li key=${event.event_id}><div class="t-line">
      <span>${bookName(event.body.item_id)}<small>${timeOf(event.device_at)} · ${t(`tablet.log.${event.kind}`)}${event.body.due_date ? ` ${t("tablet.until", { day: shortDay(event.body.due_date) })}` : ""}${event.body.patron_id ? ` · ${nameOf(event.body.patron_id)}` : before?.patron_id ? ` · ${nameOf(before.patron_id)}` : ""}</small></span>
      <button type="button" class="t-button" onClick=${() => voidEvent(event)}>${t("tablet.undo")}<span class="sr"> ${bookName(event.body.item_id)}</span></button></div></li>`)}</ul>`}
  </section>`;
}

/** The screen of lending. */
export function Lend() {
  void revision.value;
  const stop = stopNow();
  return html`<h1 class="sr">${t("tablet.view.lend")}</h1>
    <div class="t-lend-top">
      <label class="t-at"><span>${t("tablet.at_stop")}</span><select value=${stop?.visit_id ?? ""} onChange=${(e) => { chosen.value = e.target.value; }}>
        ${stops.value.map((s) => html`<option key=${s.visit_id} value=${s.visit_id}>${s.name}</option>`)}</select></label>
      <p class="t-age">${t("tablet.snapshot", { at: momentOf(day.value.made_at) })}${staleHours() > 0 ? html` <strong class="is-bad">${t("tablet.snapshot.stale")}</strong>` : ""}</p>
    </div>
    <div class="t-modes" role="group" aria-label=${t("tablet.modes")}>${MODES.map((name) => html`<button key=${name} type="button" aria-pressed=${mode.value === name ? "true" : "false"} onClick=${() => { mode.value = name; }}>${t(`tablet.mode.${name}`)}</button>`)}</div>
    <${Scan} /><${Found} />${mode.value === "move" ? html`<${Move} />` : html`<${Reader} /><${Log} />`}`;
}
