// Forms of things: choosing several from many, a photo, focus on what is wrong.

const DEBOUNCE_MS = 120;
const MOST_FOUND = 30;

const fold = (text) => text.toLocaleLowerCase().replaceAll("ё", "е");

/** A `select multiple` as chips with a search field; the select stays and is what is sent. */
function chooseSeveral(holder, number) {
  const select = holder.querySelector("select");
  const words = JSON.parse(holder.dataset.words);
  const label = holder.querySelector("label");
  const chips = document.createElement("ul");
  chips.className = "chips";
  const input = document.createElement("input");
  const list = document.createElement("ul");
  const told = document.createElement("p");
  list.className = "found";
  list.id = `found-${number}`;
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", label.textContent.trim());
  told.className = "sr";
  told.setAttribute("role", "status");
  input.id = `${select.id}-find`;
  input.type = "search";
  input.placeholder = words.find;
  input.autocomplete = "off";
  for (const [name, value] of Object.entries({
    role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list",
  })) input.setAttribute(name, value);
  for (const name of ["aria-describedby", "aria-invalid"]) {
    if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
  }
  label.htmlFor = input.id;
  select.hidden = true;
  select.after(chips, input, list, told);
  const options = [...select.options];
  let current = -1;

  function showChips() {
    chips.replaceChildren(...options.filter((o) => o.selected).map((option) => {
      const chip = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "×";
      button.setAttribute("aria-label", `${words.remove}: ${option.text}`);
      button.addEventListener("click", () => { option.selected = false; showChips(); input.focus(); });
      chip.append(option.text, button);
      return chip;
    }));
    chips.hidden = chips.childElementCount === 0;
  }

  function close() {
    list.hidden = true;
    current = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function take(option) {
    option.selected = true;
    input.value = "";
    close();
    showChips();
  }

  function mark(place) {
    const items = [...list.children];
    items.forEach((item, i) => item.setAttribute("aria-selected", String(i === place)));
    current = place;
    if (items[place] === undefined) return;
    input.setAttribute("aria-activedescendant", items[place].id);
    items[place].scrollIntoView({ block: "nearest" });
  }

  function search() {
    const wanted = fold(input.value.trim());
    if (wanted === "") { close(); return; }
    const found = options.filter((o) => !o.selected && fold(o.text).includes(wanted)).slice(0, MOST_FOUND);
    list.replaceChildren(...found.map((option, i) => {
      const item = document.createElement("li");
      item.id = `${list.id}-${i}`;
      item.setAttribute("role", "option");
      item.textContent = option.text;
      item.addEventListener("pointerdown", (event) => { event.preventDefault(); take(option); });
      item.take = () => take(option);
      return item;
    }));
    list.hidden = found.length === 0;
    input.setAttribute("aria-expanded", String(found.length > 0));
    told.textContent = found.length === 0 ? words.none : words.found.replace("{n}", found.length);
    mark(found.length > 0 ? 0 : -1);
  }

  let timer;
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, DEBOUNCE_MS); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      clearTimeout(timer);
      if (list.hidden) search();
      list.children[current]?.take();
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      close();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !list.hidden) {
      event.preventDefault();
      const count = list.childElementCount;
      mark((current + (event.key === "ArrowDown" ? 1 : count - 1)) % count);
    }
  });
  showChips();
}

/** A photo is sent as soon as it is chosen; the form then carries its name. */
function takePhoto(holder) {
  const words = JSON.parse(holder.dataset.words);
  const hidden = holder.querySelector("input[type=hidden]");
  const file = holder.querySelector("input[type=file]");
  const remove = holder.querySelector("[data-remove]");
  const fault = holder.querySelector("[data-fault]");

  function show() {
    holder.querySelector("img")?.remove();
    remove.hidden = hidden.value === "";
    if (hidden.value === "") return;
    const picture = document.createElement("img");
    picture.src = holder.dataset.shown + encodeURIComponent(hidden.value);
    picture.alt = words.alt;
    holder.prepend(picture);
  }

  function tell(text) {
    fault.textContent = text;
    fault.hidden = text === "";
  }

  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    if (chosen === undefined) return;
    tell(words.uploading);
    try {
      const answer = await fetch(holder.dataset.photo, { method: "PUT", body: chosen });
      const told = await answer.json();
      if (answer.ok) {
        hidden.value = told.photo;
        show();
        tell("");
      } else {
        tell(told.message);
      }
    } catch {
      tell(words.failed);
    }
    file.value = "";
  });
  remove.addEventListener("click", () => { hidden.value = ""; show(); file.focus(); });
}

document.querySelectorAll("[data-several]").forEach(chooseSeveral);
document.querySelectorAll("[data-photo]").forEach(takePhoto);
document.querySelector("[data-focus]")?.focus();

// Choosing a date is choosing "from a date".
const from = document.getElementById("f-from-date");
from?.addEventListener("change", () => {
  const since = document.querySelector("input[name=since][value=date]");
  if (since) since.checked = true;
});
