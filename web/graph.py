"""The graph explorer: a part of the graph as a table, on a canvas where there is a script, and as files."""

from typing import Any

import msgspec
from litestar import Request, Response, get

from domain.entities import EntityKind, GraphFilter, Subgraph
from domain.errors import Invalid
from domain.graph_files import as_graphml, as_json_ld
from domain.vault import Vault
from web.doors import WebSettings
from web.narrowing import one_line, path_with, read_filter
from web.numbers import whole_number
from web.rendering import Page, page
from web.words import KIND_WORDS, RELATION_WORDS

N_START = 12
N_NODES = 150
MAX_NODES = 2_000
N_ROWS = 200


class Node(msgspec.Struct, frozen=True):
    """An entity on the canvas."""

    id: str
    name: str
    kind: str
    size: int


class Line(msgspec.Struct, frozen=True):
    """A relation on the canvas."""

    id: str
    source: str
    target: str
    words: str
    proofs: int


class Drawing(msgspec.Struct, frozen=True):
    """What the canvas draws."""

    nodes: tuple[Node, ...]
    lines: tuple[Line, ...]


class Asked(msgspec.Struct, frozen=True):
    """What an address asks for."""

    values: dict[str, str]
    entity_id: int | None
    narrowed: GraphFilter
    size: int

    def path(self, path: str) -> str:
        """Return another address of the same part."""
        return path_with(path, self.values)


def read_asked(request: Request[Any, Any, Any]) -> Asked:
    """Return what an address asks for; what makes no sense does not narrow. Raises: Invalid for no day."""
    values = {name: one_line(request.query_params.get(name, "")) for name in ("entity", "q", "kind", "since", "size")}
    values["kind"] = values["kind"] if values["kind"] in set(EntityKind) else ""
    kinds = (EntityKind(values["kind"]),) if values["kind"] else ()
    since = read_filter({"since": values["since"]}).since
    size = min(whole_number(values["size"]) or N_NODES, MAX_NODES)
    return Asked(values, whole_number(values["entity"]), GraphFilter(kinds, since), size)


async def load(vault: Vault, asked: Asked) -> Subgraph:
    """Return the part: around an entity, around what the words name, or around what is named most."""
    if asked.entity_id is not None:
        start = [(await vault.entities.get(asked.entity_id)).id]
    elif asked.values["q"]:
        found = await vault.graph.named(asked.values["q"], N_START)
        found = found or list((await vault.entities.page("", asked.values["q"], "", N_START)).entities)
        start = [entity.id for entity in found]
    else:
        start = await vault.graph.overview(N_START)
    return await vault.graph.neighbourhood(start, asked.narrowed, asked.size) if start else Subgraph((), ())


@get("/graph", include_in_schema=False)
async def show(request: Request[Any, Any, Any], vault: Vault) -> Page:
    """Show a part of the graph, narrowed as the address says."""
    try:
        asked, problem = read_asked(request), ""
    except Invalid as error:
        asked, problem = (
            Asked({"entity": "", "q": "", "kind": "", "since": "", "size": ""}, None, GraphFilter(), N_NODES),
            error.message,
        )
    part = await load(vault, asked)
    names = {entity.id: entity for entity in part.entities}
    return page(
        "graph/show.html",
        status=422 if problem else 200,
        asked=asked,
        problem=problem,
        part=part,
        rows=[(names[edge.subject_id], edge, names[edge.object_id]) for edge in part.edges[:N_ROWS]],
        n_rows=N_ROWS,
        kinds=KIND_WORDS,
        relation_words=RELATION_WORDS,
    )


@get("/graph/drawing", include_in_schema=False)
async def draw(request: Request[Any, Any, Any], vault: Vault) -> Response[bytes]:
    """Return the same part for the canvas."""
    part = await load(vault, read_asked(request))
    drawing = Drawing(
        tuple(Node(str(each.id), each.name, each.kind.value, each.n_documents) for each in part.entities),
        tuple(
            Line(
                f"{edge.subject_id}-{edge.kind}-{edge.object_id}",
                str(edge.subject_id),
                str(edge.object_id),
                RELATION_WORDS[edge.kind][0],
                edge.n_proofs,
            )
            for edge in part.edges
        ),
    )
    return Response(msgspec.json.encode(drawing), media_type="application/json", headers={"Cache-Control": "no-store"})


@get("/graph/graphml", include_in_schema=False)
async def export_graphml(request: Request[Any, Any, Any], vault: Vault) -> Response[bytes]:
    """Return the same part as GraphML."""
    return _file(as_graphml(await load(vault, _large(request))), "application/xml", "knowledge.graphml")


@get("/graph/json-ld", include_in_schema=False)
async def export_json_ld(request: Request[Any, Any, Any], vault: Vault, settings: WebSettings) -> Response[bytes]:
    """Return the same part as JSON-LD."""
    content = as_json_ld(await load(vault, _large(request)), settings.base_url)
    return _file(content, "application/ld+json", "knowledge.jsonld")


def _large(request: Request[Any, Any, Any]) -> Asked:
    asked = read_asked(request)
    return asked if asked.values["size"] else msgspec.structs.replace(asked, size=MAX_NODES)


def _file(content: bytes, media_type: str, name: str) -> Response[bytes]:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)


routes = [show, draw, export_graphml, export_json_ld]
