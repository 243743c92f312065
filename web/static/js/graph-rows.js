// Graph rows: where a graph says that it has "expanded", the rows at the address it names join those with data-relations.
document.addEventListener("expanded", async ({ detail }) => {
  const rows = document.querySelector("[data-relations]");
  const page = new DOMParser().parseFromString(await (await fetch(detail)).text(), "text/html");
  const found = [...page.querySelectorAll("[data-relations] > tr")].filter((row) => !document.getElementById(row.id));
  rows?.append(...found);
});
