// In a [data-review] list, j and k move between rows, w and p press the row's button for work or personal.
const LABELS = { w: "work", p: "personal" };

document.addEventListener("keydown", (event) => {
  const list = document.querySelector("[data-review]");
  if (!list || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const rows = [...list.querySelectorAll("[data-review-row]")];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  if (event.key === "j") rows[Math.min(at + 1, rows.length - 1)]?.focus();
  else if (event.key === "k") rows[Math.max(at - 1, 0)]?.focus();
  else if (LABELS[event.key] && at >= 0) {
    list.dataset.reviewAt = at;
    rows[at].querySelector(`button[value="${LABELS[event.key]}"]`)?.click();
  } else return;
  event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const at = event.detail.target?.dataset?.reviewAt;
  if (at === undefined) return;
  document.addEventListener(
    "htmx:afterSettle",
    () => {
      const rows = document.querySelectorAll("[data-review-row]");
      rows[Math.min(Number(at), rows.length - 1)]?.focus();
    },
    { once: true },
  );
});
