// Words of the page's language, from the same catalogues as the server's.
// `await ready` once, then t("code", {fact}) and tn("code", 5, {fact}).

/** Language of the page. */
export const lang = document.documentElement.lang || "en";
const locale = lang === "en" ? "en-GB" : lang;
const rules = new Intl.PluralRules(locale);
const figures = new Intl.NumberFormat(locale);
// The order in which the catalogues hold the forms.
const FORMS = lang === "ru" ? ["one", "few", "many"] : ["one", "other"];

let words = {};

/** Resolves when the words are there. */
export const ready = fetch(`/words/${lang}.json`)
  // With no network, words of before are better than none.
  .catch(() => fetch(`/words/${lang}.json`, { cache: "force-cache" }))
  .then((answer) => {
    if (!answer.ok) throw new Error(`words: ${answer.status}`);
    return answer.json();
  })
  .then((loaded) => { words = loaded; });

const fill = (text, facts) =>
  text.replace(/\{(\w+)\}/g, (whole, name) => (name in facts ? String(facts[name]) : whole));

/** The message of a code with its facts; a code without a message stands for itself. */
export function t(code, facts = {}) {
  const text = words[code];
  return fill(Array.isArray(text) ? text[0] : text ?? code, facts);
}

/** The plural form of a code for a number; {n} is the formatted number. */
export function tn(code, n, facts = {}) {
  const forms = words[code];
  if (!Array.isArray(forms)) return code;
  const place = FORMS.indexOf(rules.select(n));
  return fill(forms[place < 0 ? forms.length - 1 : place] ?? forms.at(-1), { n: number(n), ...facts });
}

/** A number by locale. */
export const number = (value) => figures.format(value);

/** Seconds from midnight as HH:MM; past midnight it says 24:10. */
export const clock = (seconds) =>
  [seconds / 3600, (seconds % 3600) / 60].map((part) => String(Math.trunc(part)).padStart(2, "0")).join(":");

/** A service date (YYYY-MM-DD) by locale. */
export function day(iso, options = { weekday: "short", day: "numeric", month: "long" }) {
  return new Intl.DateTimeFormat(locale, { timeZone: "UTC", ...options }).format(new Date(`${iso}T00:00Z`));
}
