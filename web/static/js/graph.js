// Graph: an element with data-graph="URL" draws what that address returns; keys and double clicks walk and expand it.
const frame = document.querySelector("[data-graph]");
const word = document.querySelector("[data-graph-word]");

const colour = (name) => {
  const probe = document.createElement("canvas").getContext("2d");
  const sample = frame.appendChild(document.createElement("i"));
  sample.style.color = `var(${name})`;
  probe.fillStyle = getComputedStyle(sample).color;
  sample.remove();
  probe.fillRect(0, 0, 1, 1);
  return `rgb(${[...probe.getImageData(0, 0, 1, 1).data].slice(0, 3)})`;
};
const elements = ({ nodes, lines }) => [
  ...nodes.map((node) => ({ data: { ...node, size: 14 + 6 * Math.log2(1 + node.size) } })),
  ...lines.map((line) => ({ data: { ...line, width: 1 + Math.log2(line.proofs) } })),
];
const style = () => {
  const text = colour("--color-text"), line = colour("--color-line-strong");
  const label = { label: "data(name)", color: text, "font-size": 11, "text-valign": "bottom", "text-max-width": 140, "text-wrap": "ellipsis", "min-zoomed-font-size": 7 };
  return [
    { selector: "node", style: { ...label, width: "data(size)", height: "data(size)", "background-color": colour("--graph-other") } },
    { selector: "node[kind = 'person']", style: { "background-color": colour("--graph-person") } },
    { selector: "node[kind = 'document']", style: { "background-color": colour("--graph-document"), shape: "round-rectangle" } },
    { selector: "edge", style: { width: "data(width)", "line-color": line, "target-arrow-color": line, "target-arrow-shape": "triangle", "curve-style": "haystack", opacity: 0.6 } },
    { selector: ":selected", style: { "border-width": 4, "border-color": text, "font-size": 14 } },
  ];
};
const layout = (n) => (n > 300 ? { name: "concentric", concentric: (node) => node.degree(), levelWidth: () => 4, minNodeSpacing: 4 } : { name: "cose", animate: false, nodeRepulsion: () => 60000, idealEdgeLength: () => 70 });

const draw = async () => {
  const options = { container: frame, elements: elements(await (await fetch(frame.dataset.graph)).json()), style: style(), maxZoom: 2, textureOnViewport: true, hideEdgesOnViewport: true, pixelRatio: 1 };
  const graph = cytoscape({ ...options, layout: { name: "null" } });
  const arrange = () => graph.layout({ ...layout(graph.nodes().length), fit: true, padding: 30 }).run();
  const choose = (node) => {
    graph.$(":selected").unselect();
    node.select();
    word.textContent = `${node.data("name")}: ${node.degree()} relations here.`;
  };
  const expand = async (node) => {
    const asked = `entity=${node.id()}&size=60&${frame.dataset.narrowed}`;
    graph.add(elements(await (await fetch(`${frame.dataset.expands}?${asked}`)).json()).filter(({ data }) => graph.getElementById(data.id).empty()));
    arrange();
    choose(node);
    frame.dispatchEvent(new CustomEvent("expanded", { bubbles: true, detail: `${frame.dataset.lists}?${asked}` }));
  };
  arrange();
  frame.dataset.drawn = "";
  graph.on("tap", "node", ({ target }) => choose(target));
  graph.on("dbltap", "node", ({ target }) => expand(target));
  frame.addEventListener("keydown", (event) => {
    const chosen = graph.$("node:selected").first(), all = graph.nodes(), step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) choose(all[(all.toArray().indexOf(chosen[0]) + step + all.length) % all.length]);
    else if (event.key === "Enter" && chosen.length) location.assign(`/entities/${chosen.id()}`);
    else if (event.key === "e" && chosen.length) expand(chosen);
    else if ("+-".includes(event.key)) graph.zoom(graph.zoom() * (event.key === "+" ? 1.25 : 0.8));
    else return;
    event.preventDefault();
  });
};
if (frame && window.cytoscape) draw();
