// The form of the calendar asks only for what its kind of entry needs.

const form = document.getElementById("entry-form");
const kind = form?.elements.namedItem("kind");

function show() {
  for (const field of form.querySelectorAll("[data-for]")) {
    field.hidden = !field.dataset.for.split(" ").includes(kind.value);
  }
  for (const hint of form.querySelectorAll("[data-hint]")) hint.hidden = hint.dataset.hint !== kind.value;
}

if (form) {
  kind.addEventListener("change", show);
  const first = form.elements.namedItem("first");
  const last = form.elements.namedItem("last");
  first.addEventListener("change", () => { last.min = first.value; });
  show();
}
