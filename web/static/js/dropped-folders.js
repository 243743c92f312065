// Dropped folders: a drop zone with data-takes-folders receives the files inside of dropped folders, in place of the folders.
const filesIn = async (entry) => {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    // A reader gives at most a hundred entries at a time, and none when it is through.
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!entries.length) return found;
    for (const child of entries) found.push(...(await filesIn(child)));
  }
};

document.addEventListener(
  "drop",
  async (event) => {
    const zone = event.target.closest?.("[data-takes-folders]");
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    if (!zone || !entries.some((entry) => entry.isDirectory)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    zone.classList.remove("drop-zone--over");
    const chosen = new DataTransfer();
    for (const entry of entries) {
      for (const file of await filesIn(entry)) if (!file.name.startsWith(".")) chosen.items.add(file);
    }
    const input = zone.querySelector("input[type=file]");
    input.files = chosen.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  },
  { capture: true },
);
