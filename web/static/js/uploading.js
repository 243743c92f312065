// Uploading: while a form's files travel, its button rests and a line says that this takes a moment.
document.addEventListener("submit", (event) => {
  const words = event.target.querySelector("[data-uploading]");
  if (!words || event.defaultPrevented) return;
  words.hidden = false;
  event.target.querySelector("[type=submit]").setAttribute("aria-disabled", "true");
});

window.addEventListener("pageshow", () => {
  for (const words of document.querySelectorAll("[data-uploading]")) {
    words.hidden = true;
    words.closest("form").querySelector("[type=submit]").removeAttribute("aria-disabled");
  }
});
