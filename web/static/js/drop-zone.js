// Drop zone: files dropped on it go into its file input; their names and sizes are listed before they are sent.
const sizeInWords = (bytes) =>
  bytes < 1024 * 1024 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;

const show = (zone, input) => {
  const list = zone.querySelector("[data-files]");
  if (!list) return;
  const shown = [...input.files].slice(0, 20).map((file) => `${file.name} (${sizeInWords(file.size)})`);
  if (input.files.length > shown.length) shown.push(`and ${input.files.length - shown.length} more`);
  list.replaceChildren(...shown.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
};

const zoneOf = (event) => event.target.closest?.("[data-drop-zone]");

for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    const zone = zoneOf(event);
    if (!zone) return;
    event.preventDefault();
    zone.classList.toggle("drop-zone--over", type === "dragenter" || type === "dragover");
    if (type !== "drop" || !event.dataTransfer.files.length) return;
    const input = zone.querySelector("input[type=file]");
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

document.addEventListener("change", (event) => {
  const zone = zoneOf(event);
  if (!zone || event.target.type !== "file") return;
  show(zone, event.target);
  if (zone.hasAttribute("data-sends")) event.target.form.requestSubmit();
});
