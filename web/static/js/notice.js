// Notices: a button in one closes it; one that arrives later is brought into view.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-dismisses]")) event.target.closest("[data-notice]").remove();
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.elt.id === "notices") event.detail.elt.scrollIntoView({ block: "nearest" });
});

document.addEventListener("htmx:sendError", () => {
  const template = document.querySelector("[data-offline]");
  document.getElementById("notices")?.replaceChildren(template.content.cloneNode(true));
});
