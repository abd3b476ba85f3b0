"use strict";
/* Of several alerts at once: only the fields that the chosen act needs. Without script all of them show. */
(() => {
  const what = document.querySelector("select[name=what]");
  if (!what) return;
  const show = () => document.querySelectorAll("[data-for]").forEach((field) => {
    field.hidden = Boolean(field.dataset.for) && field.dataset.for !== what.value;
  });
  what.addEventListener("change", show);
  show();
})();
