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

// A form that answers with a file leaves its page as it is: the page says that the file is there, and when.
async function download(event) {
  const form = event.target;
  event.preventDefault();
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
  const named = /filename(?:="|\*=utf-8'')([^";]+)/.exec(answer.headers.get("Content-Disposition") ?? "");
  if (!named) return form.submit(); // refused: the page that says why
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = decodeURIComponent(named[1]);
  link.click();
  form.reset();
  const done = document.createElement("p");
  done.className = "kc-done";
  done.setAttribute("role", "status");
  done.textContent = `${new Date().toLocaleTimeString([], { timeStyle: "short" })}: ${link.download} was made and downloaded.`;
  form.after(done);
}

// What is typed and not saved is marked, and the browser asks before it is lost: by a link, or by another form.
function guard(area) {
  area.addEventListener("input", (event) => (event.target.form.dataset.typed = "yes"));
  area.addEventListener("submit", (event) => {
    if (event.submitter?.formTarget !== "_blank") delete event.target.dataset.typed;
  });
  addEventListener("beforeunload", (event) => area.querySelector("form[data-typed]") && event.preventDefault());
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-guard]").forEach(guard);
  document.querySelectorAll("form[data-download]").forEach((form) => form.addEventListener("submit", download));
  document.querySelectorAll("table[data-inline-formset]").forEach(labelCells);
  document.querySelectorAll("table.result-list").forEach(labelResults);
});
