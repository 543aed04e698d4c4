// New readers, and those whose registration is renewed; with no network.

import { useState } from "../vendor/preact/hooks.mjs";
import { t } from "../words.mjs";
import { reader, readerName, longDay, stopNow } from "./counter.mjs";
import { day, patronOfCard } from "./day.mjs";
import { nextCard, register, renewedUntil, reregister, voidEvent } from "./lending.mjs";
import { ask, html, say, sound } from "./parts.mjs";
import { now } from "./state.mjs";

const KINDS = ["person", "home", "collective"];
const EARLIEST = "1890-01-01";

/** Whether a card is somebody's already. */
const isTaken = async (card) => now().cards.has(card) || (await patronOfCard(card)) !== null;

function Registration({ card: given, close }) {
  const [told, setTold] = useState({ name: "", birth_date: "", phone: "", kind: "person", is_disabled: false, card: given, agrees: false });
  const [fault, setFault] = useState("");
  const set = (name) => (e) => setTold({ ...told, [name]: e.target.type === "checkbox" ? e.target.checked : e.target.value });
  const isPerson = told.kind !== "collective";
  const send = async (event) => {
    event.preventDefault();
    const name = told.name.trim().replace(/\s+/g, " ");
    const card = told.card.trim();
    if (!name) return;
    if (card && (await isTaken(card))) {
      sound(false);
      setFault(t("tablet.register.taken", { card }));
      return;
    }
    const made = await register(stopNow(), { ...told, name, card, birth_date: isPerson ? told.birth_date : "", phone: told.phone.trim() });
    reader.value = made.patron;
    close();
    sound(true);
    say(t("tablet.register.done", { name, card: card || "–" }), {
      undo: async () => {
        await voidEvent(made.event);
        if (reader.value?.patron_id === made.patron.patron_id) reader.value = null;
      },
    });
  };
  return html`<form class="t-form" onSubmit=${send}>
    <div class="t-modes" role="group" aria-label=${t("tablet.register.kind")}>${KINDS.map((kind) => html`<button key=${kind} type="button" aria-pressed=${told.kind === kind ? "true" : "false"} onClick=${() => setTold({ ...told, kind })}>${t(`tablet.register.kind.${kind}`)}</button>`)}</div>
    <label class="field"><span>${t(isPerson ? "tablet.register.name" : "tablet.register.group")}</span><input id="register-name" required maxlength="200" autocomplete="off" value=${told.name} onInput=${set("name")} /></label>
    ${isPerson && html`<label class="field"><span>${t("tablet.register.born")}</span><input type="date" min=${EARLIEST} max=${day.value.service_date} value=${told.birth_date} onInput=${set("birth_date")} /><small class="hint">${t("tablet.register.born.hint")}</small></label>`}
    <label class="field"><span>${t("tablet.register.phone")}</span><input type="tel" maxlength="200" autocomplete="off" value=${told.phone} onInput=${set("phone")} /></label>
    <label class="field"><span>${t("tablet.register.card")}</span><input id="register-card" maxlength="64" autocomplete="off" value=${told.card} onInput=${set("card")} />${fault && html`<small class="fault" role="alert">${fault}</small>`}</label>
    ${isPerson && html`<label class="t-check"><input type="checkbox" checked=${told.is_disabled} onChange=${set("is_disabled")} /><span>${t("tablet.register.disabled")}</span></label>`}
    <label class="t-check"><input type="checkbox" required checked=${told.agrees} onChange=${set("agrees")} /><span>${t("tablet.register.consent")}</span></label>
    <button class="t-main-button">${t("tablet.register.do")}</button>
  </form>`;
}

/** Ask for a new reader's data; without a card the next number of this tablet is proposed. */
export const askRegistration = (card = "") =>
  ask(t("tablet.register.title"), ({ close }) => html`<${Registration} card=${card || nextCard()} close=${close} />`);

function Renewal({ patron, close }) {
  const [card, setCard] = useState("");
  const [fault, setFault] = useState("");
  const send = async (event) => {
    event.preventDefault();
    const fresh = card.trim();
    if (fresh && (await isTaken(fresh))) {
      sound(false);
      setFault(t("tablet.register.taken", { card: fresh }));
      return;
    }
    const made = await reregister(stopNow(), patron, fresh);
    reader.value = made.patron;
    close();
    sound(true);
    say(t("tablet.reregister.done", { name: readerName(patron), day: longDay(made.event.body.expires_date) }), {
      undo: async () => {
        await voidEvent(made.event);
        if (reader.value?.patron_id === patron.patron_id) reader.value = patron;
      },
    });
  };
  return html`<form class="t-form" onSubmit=${send}>
    <p>${t("tablet.reregister.text", { day: longDay(renewedUntil()) })}</p>
    <label class="field"><span>${t("tablet.reregister.card")}</span><input maxlength="64" autocomplete="off" value=${card} onInput=${(e) => setCard(e.target.value)} />${fault && html`<small class="fault" role="alert">${fault}</small>`}</label>
    <button class="t-main-button">${t("tablet.reregister.do")}</button>
  </form>`;
}

/** Ask whether a reader's registration is to be renewed. */
export const askRenewal = (patron) => ask(readerName(patron), ({ close }) => html`<${Renewal} patron=${patron} close=${close} />`);
