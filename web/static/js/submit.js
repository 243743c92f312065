// Forms: Ctrl+Enter (Cmd+Enter) sends one from its text area; data-enter-sends makes plain Enter do it;
// data-submits-on-change sends one when a choice is made; data-confirms asks first.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !event.target.matches?.("textarea")) return;
  const isEnough = event.target.hasAttribute("data-enter-sends") && !event.shiftKey;
  if (!isEnough && !event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  event.target.form?.requestSubmit();
});

document.addEventListener("change", (event) => {
  if (event.target.closest("[data-submits-on-change]")) event.target.form?.requestSubmit();
});

document.addEventListener(
  "submit",
  (event) => {
    const question = event.submitter?.dataset.confirms ?? event.target.dataset.confirms;
    if (question && !window.confirm(question)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  },
  { capture: true },
);
