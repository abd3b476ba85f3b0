// Imports of the library: reads a chosen file into the text (nothing is uploaded as a file), and narrows down its records.
"use strict";

const MUSCLES = (record) => [...(record.primaryMuscles || []), ...(record.secondaryMuscles || [])];
const UNUSED = new Set(["images", "alternateNames", "level", "mechanic"]);

const fillChoices = (box, records) => {
  const offer = (by, values) => {
    const select = box.querySelector(`[data-by=${by}]`);
    select.length = 1;
    for (const value of [...new Set(values.filter(Boolean))].sort()) select.add(new Option(value, value));
  };
  offer("muscle", records.flatMap((record) => record.muscles));
  offer("category", records.map((record) => record.category));
};

const matcher = (box) => {
  const wanted = (by) => box.querySelector(`[data-by=${by}]`).value;
  const [name, muscle, category] = [wanted("name").trim().toLowerCase(), wanted("muscle"), wanted("category")];
  return (record) =>
    record.name.toLowerCase().includes(name) &&
    (!muscle || record.muscles.includes(muscle)) &&
    (!category || record.category === category);
};

const say = (box, text, wrong = false) => {
  const said = box.querySelector(".kl-said");
  said.textContent = text;
  said.classList.toggle("kl-wrong", wrong);
};

const file = document.querySelector("[data-import]");
if (file) {
  const area = document.querySelector("textarea[name=text]");
  const most = Number(file.dataset.most);
  const filters = file.querySelector(".kl-filters");
  let records = [];
  file.hidden = false;

  const put = (text, what) => {
    const fits = text.length <= most;
    area.value = fits ? text : "";
    const size = `${what}, ${Math.ceil(text.length / 1000)} thousand characters`;
    say(file, fits ? `${size}.` : `${size}: at most ${most / 1000} thousand at once. ${filters ? "Narrow it down." : ""}`, !fits);
  };
  const narrow = () => {
    const found = records.filter(matcher(filters)).map((record) => record.raw);
    const lean = (key, value) => (UNUSED.has(key) ? undefined : value);
    put(found.length ? JSON.stringify(found, lean) : "", `${found.length} of ${records.length} exercises`);
  };
  const read = async (chosen) => {
    const text = await chosen.text();
    if (!filters) return put(text, chosen.name);
    let raw;
    try {
      raw = [JSON.parse(text)].flat();
    } catch {
      return say(file, `${chosen.name} is no JSON.`, true);
    }
    const isRecord = (each) => each && typeof each === "object" && typeof each.name === "string";
    if (!raw.every(isRecord)) return put(text, chosen.name); // the service names what is wrong
    records = raw.map((each) => ({ raw: each, name: each.name, category: String(each.category), muscles: MUSCLES(each) }));
    fillChoices(filters, records);
    filters.hidden = false;
    narrow();
  };
  // On the way down to the input: the theme's own listener there looks for a text box that this page has not.
  const taken = (event) => {
    event.stopPropagation();
    if (event.target.files[0]) read(event.target.files[0]);
  };
  file.querySelector(".kl-choose").addEventListener("change", taken, { capture: true });
  if (filters) filters.addEventListener("input", narrow);
}

const pick = document.querySelector("[data-pick]");
if (pick) {
  const records = [...pick.querySelectorAll(".kl-records li")].map((row) => ({
    row,
    box: row.querySelector("input"),
    name: row.dataset.name,
    category: row.dataset.category,
    muscles: row.dataset.muscle.split("|"),
  }));
  const count = () => say(pick, `${records.filter((record) => record.box.checked).length} ticked.`);
  fillChoices(pick, records);
  pick.querySelector(".kl-pick").hidden = false;
  pick.querySelector(".kl-filters").addEventListener("input", () => {
    const shown = matcher(pick);
    for (const record of records) record.row.hidden = !shown(record);
  });
  pick.addEventListener("change", count);
  for (const button of pick.querySelectorAll("[data-tick]"))
    button.addEventListener("click", () => {
      for (const { row, box } of records)
        if (!box.disabled && (!row.hidden || !button.dataset.tick)) box.checked = Boolean(button.dataset.tick);
      count();
    });
  for (const input of pick.querySelectorAll(".kl-filters input"))
    input.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  count();
}
