// Keeps "where is it now" fresh: the part of the page is fetched again; without scripts a link does.

const EVERY_MS = 30_000;

let timer = 0;

const part = () => document.querySelector("[data-now]");

async function refresh() {
  clearTimeout(timer);
  const held = part();
  if (held === null) return;
  try {
    const answer = await fetch(held.dataset.now, { headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(`${answer.status}`);
    put(held, await answer.text());
  } catch {
    const lost = held.querySelector("[data-now-lost]");
    if (lost !== null) lost.hidden = false;
  }
  plan();
}

/** Put the new part in place; what is unfolded and where the keyboard is stays so. */
function put(held, text) {
  const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-now]");
  if (fresh === null) return;
  held.querySelectorAll("details").forEach((box, place) => {
    const twin = fresh.querySelectorAll("details")[place];
    if (twin !== undefined) twin.open = box.open;
  });
  const links = [...held.querySelectorAll("a, summary")];
  const focused = links.indexOf(document.activeElement);
  held.replaceWith(fresh);
  if (focused >= 0) [...fresh.querySelectorAll("a, summary")][focused]?.focus();
}

function plan() {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(refresh, EVERY_MS);
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-now-refresh]") === null) return;
  event.preventDefault();
  void refresh();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else void refresh();
});
plan();
