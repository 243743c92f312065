// A search field with data-narrows="ID" hides, below that element, each [data-narrowed] without the typed words.
document.addEventListener("input", (event) => {
  const field = event.target.closest?.("[data-narrows]");
  if (!field) return;
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const option of document.getElementById(field.dataset.narrows)?.querySelectorAll("[data-narrowed]") ?? []) {
    const text = option.textContent.toLowerCase();
    option.hidden = !option.querySelector("input:checked") && !words.every((word) => text.includes(word));
  }
});
