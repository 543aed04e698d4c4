// What every page does: close an open menu by Escape or a click elsewhere, print.

const openMenus = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-print]")) window.print();
  for (const menu of openMenus()) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

/** Tell something in passing; screen readers hear it. */
export function toast(text, { seconds = 6 } = {}) {
  const box = document.createElement("div");
  box.className = "toast";
  box.textContent = text;
  document.getElementById("toasts")?.append(box);
  setTimeout(() => box.remove(), seconds * 1000);
}

// Instants come in UTC; people read them in the time of their own clock.
const locale = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
const instants = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

/** Write the instants within an element in the browser's time zone. */
export function tellInstants(root = document) {
  for (const time of root.querySelectorAll("time[data-when]")) {
    time.textContent = instants.format(new Date(time.dateTime));
    time.removeAttribute("data-when");
  }
}
tellInstants();
document.addEventListener("htmx:after:swap", () => tellInstants());

// After a form came back with a fault, the fault is read first.
document.querySelector("[data-focus]")?.focus();

document.body.dataset.ready = "";
