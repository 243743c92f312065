"""The search page: one address for the words, the filters and the page of results, so that any view can be shared."""

from datetime import date
from typing import Any

import msgspec
from litestar import Request, get

from domain.documents import Facets, LibraryFilter, LibrarySort
from domain.errors import Invalid
from domain.retrieval import MAX_QUESTION_CHARACTERS, Results, search
from domain.spoken_filters import Spoken, read_spoken, without
from domain.vault import Tools, Vault
from web.excerpts import show_hit
from web.filters import media_type
from web.forms import Form
from web.narrowing import FILTER_NAMES, one_line, path_with, read_filter
from web.rendering import Page, is_htmx, page

PAGE_SIZE = 10
N_RECENT = 6
MAX_READ_CHARACTERS = 20_000


class Chip(msgspec.Struct, frozen=True):
    """An active filter, and the address without it."""

    name: str
    value: str
    path_without: str


class Asked(msgspec.Struct, frozen=True):
    """What an address asks for."""

    values: dict[str, str]
    """`q`, the filters, `literal` and `key`, cleaned; empty ones stay empty."""
    is_cut: bool
    spoken: tuple[Spoken, ...] = ()
    """Filters that the words themselves name."""

    @property
    def question(self) -> str:
        """The words."""
        return self.values["q"]

    @property
    def searched(self) -> str:
        """The words that are left to search for; all of them where they name nothing but filters."""
        return without(self.question, self.spoken) or self.question

    @property
    def narrowing(self) -> dict[str, str]:
        """The values to narrow by, spoken or chosen."""
        return self.values | {each.name: each.value for each in self.spoken}

    @property
    def path_literal(self) -> str:
        """The address that takes every word for a word."""
        return path_with("/search", {**self.values, "key": "", "literal": "1"})

    @property
    def path(self) -> str:
        """The address of the first page of these results."""
        return path_with("/search", {**self.values, "key": ""})

    @property
    def path_bare(self) -> str:
        """The address of the same words without filters."""
        return path_with("/search", {"q": self.question, "literal": "1" if self.spoken else ""})

    def path_without(self, name: str) -> str:
        """Return the address with one filter less: without its words, where it was spoken."""
        said = [each for each in self.spoken if each.name == name]
        words = without(self.question, said) if said else self.question
        return path_with("/search", {**self.values, "q": words, "key": "", name: ""})

    def path_after(self, key: str) -> str:
        """Return the address of the page after `key`."""
        return path_with("/search", {**self.values, "key": key})


@get("/search", include_in_schema=False)
async def index(request: Request[Any, Any, Any], vault: Vault, tools: Tools) -> Page:
    """Show what matches; without words, show where to begin."""
    facets = await vault.documents.facets()
    asked = heard(read_asked(request), facets, tools.now().date())
    form = Form(values=asked.values)
    context: dict[str, Any] = {"asked": asked, "facets": choices(facets, asked.values)}
    if not asked.question:
        recent = await vault.documents.page(LibraryFilter(), LibrarySort.NEWEST, "", N_RECENT)
        return page("search/index.html", "search/_start.html", form=form, recent=recent, **context)
    try:
        narrowed = read_filter(asked.narrowing)
        results = await search(vault, tools, asked.searched, narrowed, asked.values["key"], PAGE_SIZE)
    except Invalid as error:
        return page("search/index.html", "search/_refused.html", status=422, form=form.refused(error), **context)
    return results_page(request, asked, results, {**context, "form": form, "chips": chips(asked, facets)})


def results_page(request: Request[Any, Any, Any], asked: Asked, results: Results, context: dict[str, Any]) -> Page:
    """Return results; HTMX gets further pages without what stands around them."""
    fragment = "search/_hits.html" if asked.values["key"] else "search/_results.html"
    has_words = any(marked.marks for hit in results.hits for marked in hit.passages)
    hits = [show_hit(hit) for hit in results.hits]
    shown = page("search/index.html", fragment, results=results, hits=hits, has_words=has_words, **context)
    if is_htmx(request) and not asked.values["key"]:
        shown.headers["HX-Push-Url"] = asked.path
    return shown


def read_asked(request: Request[Any, Any, Any]) -> Asked:
    """Return what the address asks for, without characters that cannot be printed."""
    given = request.query_params
    words = " ".join(one_line(given.get("q", "").replace("\n", " "), MAX_READ_CHARACTERS).split())
    others = {name: one_line(given.get(name, "")) for name in (*FILTER_NAMES, "literal", "key")}
    return Asked({"q": words[:MAX_QUESTION_CHARACTERS], **others}, is_cut=len(words) > MAX_QUESTION_CHARACTERS)


def heard(asked: Asked, facets: Facets, today: date) -> Asked:
    """Return what is asked for with the filters its words name; those chosen in the form go before."""
    if asked.values["literal"]:
        return asked
    is_timed = bool(asked.values["since"] or asked.values["until"])
    spoken = (
        each
        for each in read_spoken(asked.question, facets, today)
        if not asked.values[each.name] and not (is_timed and each.name in ("since", "until"))
    )
    return msgspec.structs.replace(asked, spoken=tuple(spoken))


def chips(asked: Asked, facets: Facets) -> list[Chip]:
    """Return the active filters in words."""
    names = {str(integration_id): name for integration_id, name in facets.integrations}
    values = asked.narrowing
    words = {
        "integration": ("Source", names.get(values["integration"], "unknown")),
        "type": ("Type", media_type(values["type"])),
        "author": ("Author", values["author"]),
        "since": ("From", values["since"]),
        "until": ("Until", values["until"]),
    }
    return [Chip(*words[name], asked.path_without(name)) for name in FILTER_NAMES if values[name]]


def choices(facets: Facets, values: dict[str, str]) -> dict[str, list[tuple[str, str]]]:
    """Return what each filter can be set to; a value that is set is always among them."""
    offered = {
        "integration": [(str(one), name) for one, name in facets.integrations],
        "type": [(one, media_type(one)) for one in facets.media_types],
        "author": [(one, one) for one in facets.authors],
    }
    for name, options in offered.items():
        if values[name] and values[name] not in {value for value, _ in options}:
            options.append((values[name], values[name]))
    return offered


routes = [index]
