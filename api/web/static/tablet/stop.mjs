// A stop: its moments, what is counted there, what the crew must know, whom it expects.

import { useState } from "../vendor/preact/hooks.mjs";
import { clock, day as dayName, number, t, tn } from "../words.mjs";
import { chosen, mode, nameOf, reader, readerName } from "./counter.mjs";
import { day } from "./day.mjs";
import { links } from "./handover.mjs";
import { write } from "./journal.mjs";
import { at, voidEvent } from "./lending.mjs";
import { Moment, Moments } from "./moments.mjs";
import { Boxes, startLeaving } from "./move.mjs";
import { ask, html, icon, say, sound, titleName } from "./parts.mjs";
import { keepPhoto } from "./photos.mjs";
import { standing } from "./run.mjs";
import { go } from "./shell.mjs";
import { SitePhoto } from "./site_photos.mjs";
import { faults, loansOf, now, patronNow, patronsAt, revision, stops, totalOf, visitNow } from "./state.mjs";

const BANDS = ["children", "youth", "adult", "senior"];
const OTHERS = ["references_total", "egov_consultations", "internet_sessions", "visits_disabled", "copies_made", "refusals"];
const RARE = ["views_onboard", "references_virtual", "requests_taken", "loans_other_stock", "loans_installed", "loans_licensed", "loans_own_digital"];
/** What is counted with another, being a part of it. */
const WITH = { references_virtual: "references_total" };
const ANSWERS = ["satisfied_yes", "satisfied_partly", "satisfied_no"];
const SKIPS = ["road", "weather", "site_closed", "nobody", "late", "breakdown", "other"];
const DEFECTS = ["surface", "space", "power", "light", "access", "sign", "safety", "other"];
const CONSULTATIONS = ["egov", "reference", "digital", "legal", "other"];

/** One tap counts one; with `minus` it takes one away, never below nothing. */
function Count({ stop, name, minus }) {
  const amount = visitNow(stop.visit_id).counts[name] ?? 0;
  const isOff = minus && amount <= 0;
  const tap = async () => {
    const one = minus ? -1 : 1;
    const counts = WITH[name] ? { [name]: one, [WITH[name]]: one } : { [name]: one };
    await write({ kind: "count", ...at(stop), body: { counts } });
    navigator.vibrate?.(20);
  };
  const what = t(`tablet.count.${name}`);
  return html`<button type="button" class=${`t-count${minus ? " is-minus" : ""}`} disabled=${isOff} onClick=${tap} data-count=${name}>
    <span>${what}</span> <strong>${number(amount)}</strong> <small aria-hidden="true">${minus ? "−1" : "+1"}</small><span class="sr">${t(minus ? "tablet.count.less" : "tablet.count.more")}</span></button>`;
}

function Counts({ stop }) {
  const [minus, setMinus] = useState(false);
  const [whose, setWhose] = useState("visits_service");
  const v = visitNow(stop.visit_id);
  const wrong = faults(stop.visit_id);
  const own = [["tablet.sum.visits", totalOf(v.counts, "visits_service")], ["tablet.sum.event", totalOf(v.counts, "visits_event")], ["tablet.sum.loans", v.loans], ["tablet.sum.returns", v.returns], ["tablet.sum.renewals", v.renewals], ["tablet.sum.readers", v.readers.size]];
  return html`<section class="t-section" aria-labelledby="counts-title">
    <div class="t-head"><h2 id="counts-title">${t("tablet.counts")}</h2>
      <button type="button" class="t-button t-minus" aria-pressed=${minus ? "true" : "false"} onClick=${() => setMinus(!minus)}>${t("tablet.count.minus")}</button></div>
    <div class="t-modes" role="group" aria-label=${t("tablet.count.visits")}>${["visits_service", "visits_event"].map((name) => html`<button key=${name} type="button" aria-pressed=${whose === name ? "true" : "false"} onClick=${() => setWhose(name)}>${t(`tablet.count.${name}`)}</button>`)}</div>
    <div class="t-counts is-four">${BANDS.map((band) => html`<${Count} key=${band} stop=${stop} name=${`${whose}.${band}`} minus=${minus} />`)}</div>
    ${whose === "visits_event" && html`<div class="t-counts is-two"><${Count} stop=${stop} name="events_count" minus=${minus} />
      <button type="button" class="t-button" onClick=${() => ask(t("tablet.gathering.title"), ({ close }) => html`<${Gathering} stop=${stop} close=${close} />`)}>${t("tablet.gathering.add")}</button></div>`}
    <h3>${t("tablet.count.others")}</h3>
    <div class="t-counts">${OTHERS.map((name) => html`<${Count} key=${name} stop=${stop} name=${name} minus=${minus} />`)}</div>
    <h3>${t("tablet.count.satisfied")}</h3>
    <div class="t-counts">${ANSWERS.map((name) => html`<${Count} key=${name} stop=${stop} name=${name} minus=${minus} />`)}</div>
    <details class="t-more"><summary>${t("tablet.count.rare")}</summary><div class="t-counts">${RARE.map((name) => html`<${Count} key=${name} stop=${stop} name=${name} minus=${minus} />`)}</div></details>
    <dl class="t-sums">${own.map(([code, n]) => html`<div key=${code}><dt>${t(code)}</dt><dd>${number(n)}</dd></div>`)}</dl>
    <div role="status">${wrong.length > 0 && html`<ul class="t-faults">${wrong.map(([code, facts]) => html`<li key=${code}>${t(code, facts)}</li>`)}</ul>`}</div>
    <div class="t-row">
      <button type="button" class="t-button" onClick=${() => ask(t("tablet.consultation.title"), ({ close }) => html`<${Consultation} stop=${stop} close=${close} />`)}>${t("tablet.consultation.add")}</button>
    </div>
  </section>`;
}

function Gathering({ stop, close }) {
  const [name, setName] = useState("");
  const [came, setCame] = useState({ children: 0, youth: 0, adult: 0, senior: 0 });
  const add = (band, n) => setCame({ ...came, [band]: Math.max(0, Math.min(999, came[band] + n)) });
  const send = async (event) => {
    event.preventDefault();
    if (!name.trim()) return;
    const counts = { events_count: 1 };
    for (const band of BANDS) if (came[band] > 0) counts[`visits_event.${band}`] = came[band];
    await write({ kind: "gathering", ...at(stop), body: { name: name.trim() } }, { kind: "count", ...at(stop), body: { counts, method: "typed" } });
    close();
    say(t("tablet.gathering.done", { name: name.trim() }));
  };
  return html`<form class="t-form" onSubmit=${send}>
    <label class="field"><span>${t("tablet.gathering.name")}</span><input required maxlength="200" value=${name} onInput=${(e) => setName(e.target.value)} /></label>
    ${BANDS.map((band) => html`<div class="t-stepper" key=${band} role="group" aria-label=${t(`tablet.count.visits_service.${band}`)}><span>${t(`tablet.count.visits_service.${band}`)}</span>
      <button type="button" class="t-button" aria-label=${t("tablet.less")} onClick=${() => add(band, -1)}>−</button><output>${number(came[band])}</output>
      <button type="button" class="t-button" aria-label=${t("tablet.more")} onClick=${() => add(band, 1)}>+</button><button type="button" class="t-button" aria-label=${t("tablet.more_five")} onClick=${() => add(band, 5)}>+5</button></div>`)}
    <button class="t-main-button">${t("tablet.write")}</button>
  </form>`;
}

function Consultation({ stop, close }) {
  const put = async (kind) => {
    const events = [{ kind: "consultation", ...at(stop), body: { consultation: kind } }];
    // Form 6-NK counts enquiries and advice together.
    const name = kind === "egov" ? "egov_consultations" : "references_total";
    events.push({ kind: "count", ...at(stop), body: { counts: { [name]: 1 } } });
    await write(...events);
    close();
    say(t("tablet.consultation.done", { kind: t(`tablet.consultation.${kind}`) }));
  };
  return html`<div class="t-choices">${CONSULTATIONS.map((kind) => html`<button key=${kind} type="button" class="t-choice" onClick=${() => put(kind)}>${t(`tablet.consultation.${kind}`)}</button>`)}</div>`;
}

function Skip({ stop, close }) {
  const [isOther, setOther] = useState(false);
  const [note, setNote] = useState("");
  const put = async (reason) => {
    const [event] = (await write({ kind: "skip", ...at(stop), body: { reason, note: note.trim() } })).slice(-1);
    close();
    sound(true);
    say(t("tablet.skip.done", { name: stop.name }), { undo: () => voidEvent(event) });
  };
  if (!isOther) return html`<div class="t-choices">${SKIPS.map((reason) => html`<button key=${reason} type="button" class="t-choice" onClick=${() => (reason === "other" ? setOther(true) : put(reason))}>${t(`tablet.skip.${reason}`)}</button>`)}</div>`;
  return html`<form class="t-form" onSubmit=${(e) => {
    e.preventDefault();
    if (note.trim()) put("other");
  }}><label class="field"><span>${t("tablet.skip.note")}</span><textarea required maxlength="1000" value=${note} onInput=${(e) => setNote(e.target.value)}></textarea></label>
    <button class="t-main-button">${t("tablet.write")}</button></form>`;
}

function Defect({ stop, close }) {
  const [kind, setKind] = useState("surface");
  const [note, setNote] = useState("");
  const [photos, setPhotos] = useState([]);
  const send = async (event) => {
    event.preventDefault();
    await write({ kind: "defect", ...at(stop), body: { defect: kind, note: note.trim(), photo_ids: photos.length > 0 ? photos : undefined } });
    close();
    say(t("tablet.defect.done"));
  };
  const add = async (e) => {
    const ids = [];
    for (const file of [...e.target.files].slice(0, 5)) ids.push(await keepPhoto(file).catch(() => null));
    if (ids.includes(null)) say(t("tablet.defect.bad_photo"), { tone: "bad" });
    setPhotos([...new Set([...photos, ...ids.filter(Boolean)])].slice(0, 20));
  };
  return html`<form class="t-form" onSubmit=${send}>
    <label class="field"><span>${t("tablet.defect.kind")}</span><select value=${kind} onChange=${(e) => setKind(e.target.value)}>${DEFECTS.map((one) => html`<option key=${one} value=${one}>${t(`tablet.defect.${one}`)}</option>`)}</select></label>
    <label class="field"><span>${t("tablet.note")}</span><textarea maxlength="1000" value=${note} onInput=${(e) => setNote(e.target.value)}></textarea></label>
    <label class="t-button t-file">${icon("camera")}<span>${t("tablet.defect.photo")}</span><input class="sr" type="file" accept="image/*" capture="environment" multiple onChange=${add} /></label>
    ${photos.length > 0 && html`<p role="status">${tn("tablet.photos", photos.length)}</p>`}
    <button class="t-main-button">${t("tablet.write")}</button>
  </form>`;
}

const yesNo = (claim) => (claim === null || claim === undefined ? null : t(claim ? "tablet.yes" : "tablet.no"));

function Site({ stop }) {
  const { site } = stop;
  if (!site) return stop.note ? html`<section class="t-section"><p>${stop.note}</p></section>` : null;
  const rows = [
    ["tablet.site.notes", site.notes], ["tablet.site.contact", site.contact], ["tablet.site.surface", site.surface],
    ["tablet.site.room", site.room_m === null ? null : t("tablet.metres", { n: number(site.room_m) })], ["tablet.site.power", yesNo(site.power)],
    ["tablet.site.signal", yesNo(site.mobile_signal)], ["tablet.site.light", yesNo(site.light)], ["tablet.site.toilet", yesNo(site.toilet)], ["tablet.site.step_free", yesNo(site.step_free)],
    ["tablet.site.permission", site.permission_until_date && dayName(site.permission_until_date, { day: "numeric", month: "long", year: "numeric" })],
  ].filter(([, value]) => value);
  const phone = site.contact.match(/\+?\d[\d\s()-]{6,}\d/)?.[0];
  return html`<section class="t-section" aria-labelledby="site-title"><h2 id="site-title">${t("tablet.site")}</h2>
    ${site.photo && html`<${SitePhoto} stop=${stop} />`}
    ${rows.length === 0 ? html`<p class="soft">${t("tablet.site.nothing")}</p>` : html`<dl class="t-facts">${rows.map(([code, value]) => html`<div key=${code}><dt>${t(code)}</dt><dd>${value}</dd></div>`)}</dl>`}
    <div class="t-row">${phone && html`<a class="t-button" href=${`tel:${phone.replace(/[^+\d]/g, "")}`}>${t("tablet.call", { phone })}</a>`}
      <button type="button" class="t-button" onClick=${() => ask(t("tablet.defect.title"), ({ close }) => html`<${Defect} stop=${stop} close=${close} />`)}>${t("tablet.defect.add")}</button></div></section>`;
}

/** Lend to a reader who has no card at hand: who is visited at home, or a group's teacher. */
function serve(patron, stop) {
  reader.value = patron;
  mode.value = "lend";
  chosen.value = stop.visit_id;
  go("lend");
}

/** Households and groups of a stop, and at a private stop everybody. */
function Regulars({ stop }) {
  const isPrivate = stop.kind === "private";
  const list = patronsAt(stop.stop_id).filter((p) => isPrivate || p.kind !== "person");
  if (list.length === 0) return null;
  return html`<h3>${t(isPrivate ? "tablet.people.home" : "tablet.people.regulars")}</h3><ul class="t-list">${list.map((p) => html`<li key=${p.patron_id}><div class="t-line">
    <span>${readerName(p)}<small>${[t(`tablet.kind.${p.kind}`), tn("tablet.has", loansOf(p.patron_id).length)].join(" · ")}</small></span>
    <button type="button" class="t-button" onClick=${() => serve(p, stop)}>${t("tablet.people.serve")}<span class="sr"> ${readerName(p)}</span></button></div></li>`)}</ul>`;
}

function Leave({ stop }) {
  const begin = () => {
    chosen.value = stop.visit_id;
    startLeaving();
    go("lend");
  };
  return html`<div class="t-row"><button type="button" class="t-button" onClick=${begin}>${t("tablet.box.leave")}</button></div>`;
}

function People({ stop }) {
  if (!stop.site) return null;
  const told = day.value;
  const s = now();
  const holds = stop.to_hand_over.map((id) => s.holds.get(id)).filter(Boolean);
  const back = stop.expected_back.map((id) => told.loanOf.get(id)).filter(Boolean);
  const isBack = (loan) => s.loanOfItem.get(loan.item_id)?.loan_id !== loan.loan_id || s.loanOfItem.get(loan.item_id)?.due_date !== loan.due_date;
  const title = (itemId, titleId) => titleName(told.titleOf.get(titleId ?? told.itemOf.get(itemId)?.title_id), itemId);
  return html`<section class="t-section" aria-labelledby="people-title"><h2 id="people-title">${t("tablet.people")}</h2>
    <h3>${t("tablet.people.holds")}</h3>
    ${holds.length === 0 ? html`<p class="soft">${t("tablet.people.no_holds")}</p>` : html`<ul class="t-list">${holds.map((h) => html`<li key=${h.hold_id} class=${h.state === "handed" ? "is-done" : ""}><span>${title(h.item_id, h.title_id)}</span><small>${nameOf(h.patron_id)}${h.state === "handed" ? ` · ${t("tablet.handed")}` : ""}</small></li>`)}</ul>`}
    <h3>${t("tablet.people.back")}</h3>
    ${back.length === 0 ? html`<p class="soft">${t("tablet.people.no_back")}</p>` : html`<ul class="t-list">${back.map((loan) => html`<li key=${loan.loan_id} class=${isBack(loan) ? "is-done" : ""}><span>${title(loan.item_id)}</span><small>${nameOf(loan.patron_id)} · ${isBack(loan) ? t("tablet.came_back") : t("tablet.due", { day: dayName(loan.due_date, { day: "numeric", month: "short" }) })}</small></li>`)}</ul>`}
    ${stop.blocked.length > 0 && html`<h3>${t("tablet.people.blocked")}</h3><ul class="t-list">${stop.blocked.map((id) => html`<li key=${id}><span>${nameOf(id)}</span><small>${(patronNow(id)?.blocks ?? []).map((b) => t(`tablet.block.${b.reason}`)).join(", ")} · ${tn("tablet.has", loansOf(id).length)}</small></li>`)}</ul>`}
    <${Regulars} stop=${stop} />
    ${stop.boxes_back.length > 0 && html`<h3>${t("tablet.people.boxes")}</h3><${Boxes} stop=${stop} />`}
    <${Leave} stop=${stop} />
  </section>`;
}

/** A stop. */
export function Stop({ id }) {
  void revision.value;
  const stop = stops.value.find((s) => s.visit_id === id);
  if (!stop) return html`<div class="t-empty"><p>${t("tablet.stop.gone")}</p><a class="t-button" href="#run">${t("tablet.view.run")}</a></div>`;
  const v = visitNow(id);
  const { text, tone } = standing(stop);
  const hasPlace = Number.isFinite(stop.lon) && Number.isFinite(stop.lat);
  return html`<div class="t-stop-head"><a class="t-back" href="#run">${icon("back")}<span class="sr">${t("tablet.back_to_run")}</span></a>
      <div><h1>${stop.name}</h1><p>${stop.is_unplanned ? t("tablet.unplanned") : t("tablet.stop.times", { from: clock(stop.start_s), until: clock(stop.end_s) })} <span class=${`badge ${tone ? `badge-${tone}` : ""}`}>${text}</span>${stop.kind === "private" && html` <span class="badge">${t("tablet.stop.private")}</span>`}</p></div></div>
    <${Moment} stop=${stop} />
    <${Moments} stop=${stop} />
    ${v.skip && !v.moments.open && html`<div class="note note-warn"><p>${t("tablet.skipped", { reason: v.skip.reason === "other" ? v.skip.note : t(`tablet.skip.${v.skip.reason}`) })}</p><button type="button" class="t-button" onClick=${() => voidEvent(v.skipped)}>${t("tablet.skip.void")}</button></div>`}
    <${Counts} stop=${stop} />
    <${People} stop=${stop} />
    <${Site} stop=${stop} />
    ${hasPlace && html`<section class="t-section" aria-labelledby="way-title"><h2 id="way-title">${t("tablet.way")}</h2><div class="t-row">
      ${links(stop).map(([name, href]) => html`<a key=${name} class="t-button" href=${href} target=${href.startsWith("https") ? "_blank" : undefined} rel="noopener">${t(`tablet.way.${name}`)}</a>`)}
      <a class="t-button" href=${`#map/${encodeURIComponent(id)}`}>${icon("map")}${t("tablet.view.map")}</a></div></section>`}
    ${!v.moments.open && !v.skip && stop.state !== "cancelled" && html`<div class="t-row"><button type="button" class="t-button is-bad" onClick=${() => ask(t("tablet.skip.title", { name: stop.name }), ({ close }) => html`<${Skip} stop=${stop} close=${close} />`)}>${t("tablet.skip.add")}</button></div>`}`;
}
