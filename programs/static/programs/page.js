// A chart by keyboard: one stop of Tab, then left and right along a row of marks, up and down between rows. What
// is reached, or pointed at, is read out beneath. Without this script the tables and the summary say the same.
function nearest(marks, x) {
  return marks.reduce((best, mark) => (Math.abs(mark.dataset.x - x) < Math.abs(best.dataset.x - x) ? mark : best));
}

// Where a row ends, the next mark of any row on that side.
function beyond(rows, mark, side) {
  const far = (other) => side * (other.dataset.x - mark.dataset.x);
  const marks = rows.flat().filter((other) => far(other) > 0);
  return marks.length ? marks.reduce((best, other) => (far(other) < far(best) ? other : best)) : null;
}

function step(chart, mark, key) {
  const rows = [...chart.querySelectorAll("[data-row]")].map((row) => [...row.querySelectorAll("[tabindex]")]);
  const at = rows.findIndex((row) => row.includes(mark));
  const row = rows[at];
  const place = row.indexOf(mark);
  if (key === "ArrowRight") return row[place + 1] ?? beyond(rows, mark, 1);
  if (key === "ArrowLeft") return row[place - 1] ?? beyond(rows, mark, -1);
  if (key === "Home") return row[0];
  if (key === "End") return row.at(-1);
  const other = key === "ArrowDown" ? rows[at + 1] : key === "ArrowUp" ? rows[at - 1] : null;
  return other && nearest(other, mark.dataset.x);
}

function readable(chart) {
  const line = chart.closest("figure").querySelector("[data-read]");
  const read = (event) => {
    const words = event.target.getAttribute("aria-label");
    if (line && words && event.target.matches("[tabindex]")) line.textContent = words;
  };
  chart.addEventListener("focusin", read);
  chart.addEventListener("mouseover", read);
  chart.addEventListener("keydown", (event) => {
    if (!event.target.matches("[tabindex]")) return;
    const next = step(chart, event.target, event.key);
    if (!next) return;
    event.preventDefault();
    event.target.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  });
}

document.querySelectorAll("[data-chart]").forEach(readable);
