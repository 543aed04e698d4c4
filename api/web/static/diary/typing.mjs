// Typing in a paper sheet: Enter goes on to the next box, arrows up and down to the next stop.

const form = document.querySelector("[data-typing]");

function column(input) {
  const row = input.closest("tr");
  if (row === null) return null;
  return { row, place: [...row.querySelectorAll("input")].indexOf(input) };
}

function go(target) {
  target.focus();
  if (target instanceof HTMLInputElement) target.select();
}

function onKey(event) {
  const input = event.target;
  if (!(input instanceof HTMLInputElement)) return;
  if (event.key === "Enter") {
    const boxes = [...form.querySelectorAll("input:not([type=hidden]), button")];
    const next = boxes[boxes.indexOf(input) + 1];
    event.preventDefault();
    if (next !== undefined) go(next);
    return;
  }
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const here = column(input);
  if (here === null) return;
  const other = event.key === "ArrowDown" ? here.row.nextElementSibling : here.row.previousElementSibling;
  const target = other?.querySelectorAll("input")[here.place];
  if (target === undefined) return;
  event.preventDefault();
  go(target);
}

form?.addEventListener("keydown", onKey);
