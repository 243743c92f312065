// Times: the title of a <time> shows the moment in the reader's own time zone.
const format = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "short" });

const localise = (root) => {
  for (const element of root.querySelectorAll("time[data-local-time]")) {
    element.title = format.format(new Date(element.dateTime));
    element.removeAttribute("data-local-time");
  }
};

localise(document);
document.addEventListener("htmx:load", (event) => localise(event.detail.elt));
