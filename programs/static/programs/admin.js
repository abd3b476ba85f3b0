// On a narrow screen the tables of the edit forms lose their head and show each row as a card: every cell
// then says itself what it holds. The hidden row that new ones are copied from is labelled like the others.
function labelCells(table) {
  const heads = [...table.tHead.querySelectorAll("th")].map((head) =>
    (head.querySelector("span > span")?.firstChild?.textContent ?? "").trim()
  );
  for (const row of table.querySelectorAll(":scope > tbody > tr.form-row")) {
    [...row.cells].forEach((cell, place) => {
      if (!heads[place]) return;
      cell.dataset.label = heads[place];
      cell.querySelector("input:not([type=hidden]), select, textarea")?.setAttribute("aria-label", heads[place]);
    });
  }
}

// The same for the rows of a list.
function labelResults(table) {
  const heads = [...table.tHead.querySelectorAll("th")].map((head) =>
    (head.querySelector(".text")?.textContent ?? "").trim()
  );
  for (const row of table.querySelectorAll("tr.data-row")) {
    [...row.cells].forEach((cell, place) => {
      if (heads[place]) cell.dataset.label = heads[place];
    });
  }
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("table[data-inline-formset]").forEach(labelCells);
  document.querySelectorAll("table.result-list").forEach(labelResults);
});
