// The filters of the caseload work at once; a menu closes when another one opens, on Escape and on a click elsewhere.
"use strict";

document.addEventListener("change", (event) => {
  if (event.target.matches(".kc-filters select")) event.target.form.requestSubmit();
});

const closeMenus = (kept) => {
  for (const menu of document.querySelectorAll(".kc-menu[open]")) if (menu !== kept) menu.open = false;
};
document.addEventListener("click", (event) => closeMenus(event.target.closest(".kc-menu")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.activeElement.closest(".kc-menu[open]");
  closeMenus();
  if (menu) menu.querySelector("summary").focus();
});
