// Recovery codes: to the clipboard, or onto paper.
const codes = [...document.querySelectorAll(".kc-codes code")].map((code) => code.textContent).join("\n");
const told = document.querySelector("[data-told]");

document.querySelector("[data-copy]").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(codes);
    told.textContent = "Copied.";
  } catch {
    told.textContent = "The browser did not let us copy: select the codes, or print them.";
  }
});
document.querySelector("[data-print]").addEventListener("click", () => window.print());
