"""A part of the graph as a file for other programs: GraphML, and JSON-LD in the words of schema.org."""

import json
from types import MappingProxyType
from xml.etree.ElementTree import Element, SubElement, tostring

from domain.entities import EntityKind, Subgraph

NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
FIELDS = (("name", "node"), ("kind", "node"), ("documents", "node"), ("relation", "edge"), ("proofs", "edge"))
TYPES = MappingProxyType(
    {
        EntityKind.PERSON: "Person",
        EntityKind.SYSTEM: "SoftwareApplication",
        EntityKind.ORGANISATION: "Organization",
        EntityKind.PROJECT: "Project",
        EntityKind.PROCESS: "HowTo",
        EntityKind.DOCUMENT: "CreativeWork",
        EntityKind.TERM: "DefinedTerm",
    }
)


def as_graphml(part: Subgraph) -> bytes:
    """Return GraphML 1.0 (http://graphml.graphdrawing.org/specification.html), UTF-8."""
    root = Element("graphml", xmlns=NAMESPACE)
    for name, which in FIELDS:
        kind = "int" if name in ("documents", "proofs") else "string"
        SubElement(root, "key", {"id": name, "for": which, "attr.name": name, "attr.type": kind})
    graph = SubElement(root, "graph", id="knowledge", edgedefault="directed")
    for entity in part.entities:
        node = SubElement(graph, "node", id=f"e{entity.id}")
        for key, value in (("name", entity.name), ("kind", entity.kind.value), ("documents", str(entity.n_documents))):
            SubElement(node, "data", key=key).text = _printable(value)
    for edge in part.edges:
        line = SubElement(graph, "edge", source=f"e{edge.subject_id}", target=f"e{edge.object_id}")
        SubElement(line, "data", key="relation").text = edge.kind.value
        SubElement(line, "data", key="proofs").text = str(edge.n_proofs)
    content: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def as_json_ld(part: Subgraph, base_url: str) -> bytes:
    """Return JSON-LD 1.1: each entity a node under its address, each relation a property of our own vocabulary."""
    context = {"@vocab": "https://schema.org/", "kv": f"{base_url}/vocabulary#"}
    nodes: dict[int, dict[str, object]] = {
        entity.id: {"@id": f"{base_url}/entities/{entity.id}", "@type": TYPES[entity.kind], "name": entity.name}
        for entity in part.entities
    }
    for edge in part.edges:
        held = nodes[edge.subject_id].setdefault(f"kv:{edge.kind.value}", [])
        if isinstance(held, list):
            held.append({"@id": f"{base_url}/entities/{edge.object_id}"})
    return json.dumps({"@context": context, "@graph": list(nodes.values())}, ensure_ascii=False, indent=1).encode()


def _printable(text: str) -> str:
    """XML 1.0 holds no control characters."""
    return "".join(character for character in text if character.isprintable())
