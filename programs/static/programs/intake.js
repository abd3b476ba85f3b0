// The intake page: tabs, the pain map, live values, and a draft that is kept on the server. Without this file all
// parts stand below each other and saving works. What is typed stays in the page's memory until the server has it:
// health data are not left behind in the storage of a browser that others use.
const form = document.getElementById("intake");
const lost = document.getElementById("in-lost");
const status = document.getElementById("in-status");
const parts = [...document.querySelectorAll(".in-tabs a")];
const AFTER_TYPING = 600;
const KEEP_AFTER = 2500;
const TRY_AGAIN = 8000;

// --- parts

function show(key, focus = true) {
  for (const link of parts) {
    const isShown = link.dataset.tab === key;
    link.setAttribute("aria-selected", isShown);
    link.tabIndex = isShown ? 0 : -1;
    document.getElementById(`tab-${link.dataset.tab}`).hidden = !isShown;
  }
  document.getElementById("in-next").hidden = key === parts.at(-1).dataset.tab;
  history.replaceState(null, "", `#part-${key}`); // no id of the page: the browser does not scroll to it
  if (focus) document.querySelector(`#tab-${key} :is(input, select, textarea):not([type=hidden])`)?.focus({ preventScroll: true });
  if (focus) toTop(document.getElementById(`tab-${key}`));
  if (form.dataset.changed) keep();
}

// A part begins below the tabs, which stay in sight.
function toTop(panel) {
  const covered = document.querySelector(".in-top").getBoundingClientRect().bottom;
  if (panel.getBoundingClientRect().top < covered) panel.scrollIntoView({ block: "start" });
}

function current() {
  return parts.findIndex((link) => link.getAttribute("aria-selected") === "true");
}

function go(place) {
  show(parts[Math.min(Math.max(place, 0), parts.length - 1)].dataset.tab);
}

function setUpTabs() {
  document.querySelector(".in-page").classList.add("in-tabbed");
  const list = document.querySelector(".in-tabs");
  list.setAttribute("role", "tablist");
  parts.forEach((link, place) => {
    link.setAttribute("role", "tab");
    link.addEventListener("click", (event) => { event.preventDefault(); show(link.dataset.tab); });
    link.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = parts[(place + step + parts.length) % parts.length];
      show(next.dataset.tab, false);
      next.focus();
    });
  });
  for (const part of document.querySelectorAll(".in-panel")) part.setAttribute("role", "tabpanel");
  document.getElementById("in-next").addEventListener("click", () => go(current() + 1));
  document.addEventListener("keydown", (event) => {
    if (event.altKey && /^[1-9]$/.test(event.key)) { event.preventDefault(); go(Number(event.key) - 1); }
  });
  for (const link of document.querySelectorAll("[data-go]")) {
    link.addEventListener("click", (event) => { event.preventDefault(); lead(link.dataset.go); });
  }
  const wrong = document.querySelector("[data-go]");
  const asked = location.hash.replace("#part-", "");
  if (wrong) lead(wrong.dataset.go);
  else show(parts.some((link) => link.dataset.tab === asked) ? asked : parts[0].dataset.tab, false);
}

// To a field, wherever it stands.
function lead(name) {
  const cell = form.querySelector(`[data-cell="${name}"]`);
  if (!cell) return;
  show(cell.closest(".in-panel").id.replace("tab-", ""), false);
  const folded = cell.closest("details");
  if (folded) folded.open = true;
  cell.querySelector("input, select, textarea")?.focus();
  cell.scrollIntoView({ block: "center" });
}

// --- typing: arrow keys step a number, a digit answers a question, Enter goes on instead of saving half a form

function onKey(event) {
  const field = event.target;
  if (event.key === "Enter" && field.matches("input, select")) {
    event.preventDefault();
    const fields = [...form.querySelectorAll("input:not([type=hidden]), select, textarea")].filter((one) => one.checkVisibility());
    fields[fields.indexOf(field) + 1]?.focus();
  } else if (field.matches(".in-num") && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    event.preventDefault();
    const value = Number(field.value.replace(",", ".")) || 0;
    field.value = Math.round((value + (event.key === "ArrowUp" ? 1 : -1)) * 100) / 100;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  } else if (field.matches("[type=radio]")) {
    onPoints(event, [...form.querySelectorAll(`[name="${field.name}"]`)]);
  }
}

function onPoints(event, options) {
  if (event.key === "Backspace" || event.key === "Delete") {
    for (const option of options) option.checked = false;
  } else if (/^\d$/.test(event.key)) {
    const chosen = options.find((option) => option.value === event.key) ?? (event.key === "1" && options.find((option) => option.value === "10"));
    if (!chosen) return;
    chosen.checked = true;
    (nextQuestion(chosen) ?? chosen).focus();
  } else return;
  event.preventDefault();
  options[0].dispatchEvent(new Event("input", { bubbles: true }));
}

// Of the same questionnaire: a page of 18 answers is 18 digits.
function nextQuestion(option) {
  const cells = [...(option.closest(".in-items")?.children ?? [])];
  const next = cells[cells.findIndex((cell) => cell.contains(option)) + 1];
  return next?.querySelector("[type=radio]:checked") ?? next?.querySelector("[type=radio]");
}

// --- pain map

function setUpMap() {
  for (const region of document.querySelectorAll(".in-region")) {
    const boxes = () => [...form.querySelectorAll(`[name="${region.closest("svg").dataset.field}"]`)];
    region.addEventListener("click", () => {
      const box = boxes().find((one) => one.value === region.dataset.code);
      box.checked = !box.checked;
      box.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
  form.addEventListener("focusin", (event) => markFocus(event.target, true));
  form.addEventListener("focusout", (event) => markFocus(event.target, false));
}

function regionsOf(box) {
  return document.querySelectorAll(`svg[data-field="${box.name}"] [data-code="${box.value}"]`);
}

function markFocus(box, on) {
  if (box.matches("[name=locations], [name=other_knee_locations]")) {
    for (const region of regionsOf(box)) region.classList.toggle("in-focus", on);
  }
}

function paintMap() {
  for (const box of form.querySelectorAll("[name=locations], [name=other_knee_locations]")) {
    for (const region of regionsOf(box)) region.classList.toggle("in-on", box.checked);
  }
}

// --- live values

let typing, keeping, again, asking = 0;

function onInput(event) {
  form.dataset.changed = "1";
  if (event.target.matches("[type=checkbox]")) paintMap();
  clearTimeout(typing);
  clearTimeout(keeping);
  typing = setTimeout(derive, AFTER_TYPING);
  // A red flag does not wait.
  keeping = setTimeout(keep, event.target.name === "red_flags" ? 0 : KEEP_AFTER);
}

function send(address) {
  return fetch(address, { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "manual" });
}

async function derive() {
  const mine = ++asking;
  try {
    const answer = await send(form.dataset.values);
    if (answer.ok && mine === asking) paint(await answer.json());
  } catch { /* offline: keep() says so */ }
}

function paint(found) {
  for (const output of form.querySelectorAll("[data-derived]")) {
    const row = found.derived.find((one) => one.name === output.dataset.derived);
    output.textContent = row?.text ?? "";
    output.classList.toggle("in-deficit", row?.deficit === true);
  }
  for (const place of form.querySelectorAll("[data-error]")) {
    place.textContent = found.errors[place.dataset.error] ?? "";
    place.closest("[data-cell]").classList.toggle("in-wrong", Boolean(place.textContent));
  }
  for (const place of form.querySelectorAll("[data-questions]")) paintQuestions(place, found.questions[place.dataset.questions] ?? []);
  paintReview(found);
  document.getElementById("in-flags").hidden = !found.flags.length;
  document.getElementById("in-flag-list").textContent = found.flags.join("; ");
}

function paintQuestions(place, questions) {
  const kept = new Set([...place.querySelectorAll("input:checked")].map((box) => box.value));
  const had = [...place.querySelectorAll("input")].map((box) => box.value).join();
  if (had === questions.map((one) => one.key).join()) return;
  place.replaceChildren(...questions.map((one) => {
    const label = document.createElement("label");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", name: "confirmed", value: one.key, checked: kept.has(one.key) });
    const text = document.createElement("span");
    text.append(`${one.text} `, Object.assign(document.createElement("strong"), { textContent: "Keep it" }));
    label.className = "in-question";
    label.append(box, text);
    return label;
  }));
}

function paintReview(found) {
  const rows = found.derived.map((one) => {
    const row = document.createElement("tr");
    const head = Object.assign(document.createElement("th"), { scope: "row", textContent: one.of });
    const text = Object.assign(document.createElement("td"), { textContent: one.text });
    const mark = Object.assign(document.createElement("td"), { textContent: one.deficit ? "Deficit" : "", className: "in-deficit" });
    row.append(head, text, mark);
    return row;
  });
  document.querySelector("#in-derived tbody").replaceChildren(...rows);
  const texts = found.warnings.length ? found.warnings : ["Nothing stands out."];
  document.querySelector("#in-warnings ul").replaceChildren(...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}

// --- the draft

let underWay = Promise.resolve(true);

// One at a time, so that an older one never comes last. True once the server has it.
function keep() {
  clearTimeout(keeping);
  clearTimeout(again);
  underWay = underWay.then(keepNow, keepNow);
  return underWay;
}

async function keepNow() {
  const sent = String(new URLSearchParams(new FormData(form)));
  let answer;
  try {
    answer = await fetch(form.dataset.draft, { method: "POST", body: new URLSearchParams(sent), redirect: "manual" });
  } catch {
    return trouble("No connection. What you typed is kept on this page and sent as soon as the connection is back: leave the page open.");
  }
  if (answer.status === 204) return kept(sent);
  if (answer.status === 409) return trouble("This assessment is saved already, or signed by a colleague. Reload the page to see it; copy what you typed first.");
  if (answer.type === "opaqueredirect" || answer.status === 403) return signedOut();
  return trouble("The service could not keep what you typed just now. It is tried again: leave the page open.");
}

function kept(sent) {
  if (String(new URLSearchParams(new FormData(form))) === sent) delete form.dataset.changed;
  lost.hidden = true;
  status.textContent = `Draft kept at ${new Date().toLocaleTimeString([], { timeStyle: "short" })}`;
  return true;
}

function trouble(text) {
  lost.replaceChildren(Object.assign(document.createElement("h2"), { textContent: "Not kept yet" }), Object.assign(document.createElement("p"), { textContent: text }));
  lost.hidden = false;
  status.textContent = "Not kept yet";
  again = setTimeout(keep, TRY_AGAIN);
  return false;
}

// Signing in again gives a new token: it is taken from a fresh copy of this page, once there is one.
async function signedOut() {
  const page = await fetch(location.pathname + location.search, { redirect: "manual" });
  const token = page.ok && new DOMParser().parseFromString(await page.text(), "text/html").querySelector("#intake [name=csrfmiddlewaretoken]");
  if (token && token.value !== form.csrfmiddlewaretoken.value && !signedOut.tried) {
    form.csrfmiddlewaretoken.value = token.value;
    signedOut.tried = true;
    const done = await keepNow();
    signedOut.tried = false;
    return done;
  }
  trouble("You are signed out. What you typed is kept on this page: sign in again in another tab, then come back. It is sent by itself.");
  const link = Object.assign(document.createElement("a"), { href: "/admin/", target: "_blank", rel: "noopener", textContent: "Sign in in another tab", className: "kc-button" });
  lost.append(link);
  return false;
}

// Saved only once the draft has arrived: a form that is sent into nothing would be gone. And once: a second click
// would make a second assessment.
async function onSubmit(event) {
  if (form.dataset.step === "kept") { form.dataset.step = "sent"; return; }
  event.preventDefault();
  if (form.dataset.step) return;
  form.dataset.step = "keeping";
  const button = event.submitter;
  if (!(await keep())) {
    delete form.dataset.step;
    return lost.scrollIntoView({ block: "center" });
  }
  form.dataset.step = "kept";
  form.requestSubmit(button);
}

if (form?.dataset.draft) {
  setUpTabs();
  setUpMap();
  form.addEventListener("input", onInput);
  form.addEventListener("keydown", onKey);
  form.addEventListener("submit", onSubmit);
  window.addEventListener("online", () => form.dataset.changed && keep());
  window.addEventListener("focus", () => form.dataset.changed && !lost.hidden && keep());
  window.addEventListener("pageshow", () => delete form.dataset.step);
  document.addEventListener("visibilitychange", () => document.hidden && form.dataset.changed && keep());
  window.addEventListener("beforeunload", (event) => {
    const flagged = !document.getElementById("in-flags").hidden;
    if (form.dataset.step !== "sent" && (form.dataset.changed || flagged)) event.preventDefault();
  });
}
