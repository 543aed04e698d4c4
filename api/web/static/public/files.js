// Pages that stay as files: hides what is over by now, shortens the list of places to what is typed.
// No module: the pages open from disk. The folds are those of data/model/place_search.py.

(() => {
  "use strict";
  const CYRILLIC = {
    а: "a", б: "b", в: "v", г: "g", д: "d", е: "e", ж: "zh", з: "z", и: "i", й: "i", к: "k",
    л: "l", м: "m", н: "n", о: "o", п: "p", р: "r", с: "s", т: "t", у: "u", ф: "f", х: "h",
    ц: "c", ч: "ch", ш: "sh", щ: "sh", ъ: "", ы: "i", ь: "", э: "e", ю: "u", я: "a",
  };
  const FOLDS = [
    ["shch", "sh"], ["sch", "sh"], ["tch", "ch"], ["kh", "h"], ["ts", "c"], ["tz", "c"],
    ["yo", "e"], ["ye", "e"], ["yu", "u"], ["ya", "a"], ["ju", "u"], ["ja", "a"], ["je", "e"],
    ["iu", "u"], ["ia", "a"], ["ie", "e"], ["io", "e"], ["y", "i"], ["j", "i"], ["x", "ks"],
    ["w", "v"], ["'", ""],
  ];

  const soundOf = (name) => {
    let plain = name.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
    plain = plain.replace(/[^\p{L}\p{N}]+/gu, " ").trim();
    let latin = Array.from(plain, (letter) => CYRILLIC[letter] ?? letter).join("");
    for (const [spelling, sound] of FOLDS) latin = latin.replaceAll(spelling, sound);
    return latin.replace(/(.)\1+/gu, "$1");
  };

  for (const part of document.querySelectorAll("[data-closes]")) {
    if (new Date(part.dataset.closes) < new Date()) part.hidden = true;
  }

  const field = document.querySelector("[data-filter]");
  if (!field) return;
  const rows = Array.from(document.querySelectorAll(`#${field.dataset.filter} > li`));
  const told = document.querySelector("[data-filter-count]");
  const filter = () => {
    const asked = soundOf(field.value);
    let shown = 0;
    for (const row of rows) {
      const sounds = (row.dataset.sounds ?? "").split("|");
      row.hidden = asked !== "" && !sounds.some((sound) => sound.includes(asked));
      if (!row.hidden) shown += 1;
    }
    told.textContent = asked === "" ? "" : `${shown} / ${rows.length}`;
  };
  field.addEventListener("input", filter);
  filter();
})();
