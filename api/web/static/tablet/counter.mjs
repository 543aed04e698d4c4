// Who stands at the counter and what is done there: shared by the screens of lending.

import { signal } from "../vendor/preact/signals.mjs";
import { day as dayName, t } from "../words.mjs";
import { day } from "./day.mjs";
import { titleName } from "./parts.mjs";
import { current, now, patronNow, stops } from "./state.mjs";

export const MODES = ["lend", "return", "renew", "move"];
export const mode = signal("lend");
/** The reader who stands here: known, or `{card}` of one whom the tablet does not know. */
export const reader = signal(null);
/** The visit that somebody chose; else the one at which we are. */
export const chosen = signal("");

export const stopNow = () => stops.value.find((s) => s.visit_id === chosen.value) ?? current.value;
export const shortDay = (iso) => dayName(iso, { weekday: "short", day: "numeric", month: "long" });
/** A date that may lie in another year. */
export const longDay = (iso) => dayName(iso, { day: "numeric", month: "long", year: "numeric" });
export const readerName = (one) => one.name || (one.card ? t("tablet.card", { card: one.card }) : t("tablet.card.ends", { end: one.card_end }));

export const nameOf = (patronId) => {
  const patron = patronNow(patronId);
  return patron ? readerName(patron) : t("tablet.reader.other");
};

export const bookName = (itemId) => titleName(day.value.titleOf.get(day.value.itemOf.get(itemId)?.title_id), itemId);

/** A new or renewed reader's card as it was scanned. */
export const patronOfOwnCard = (card) => patronNow(now().cards.get(card) ?? "") ?? null;
