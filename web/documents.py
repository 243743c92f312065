"""The library, and the page of one document: its text with the cited passage marked, its versions, its neighbours."""

from collections.abc import Sequence
from typing import Any

from litestar import Request, Response, delete, get, post
from litestar.params import FromPath, FromQuery

from domain.documents import Document
from domain.people import EVERYONE, Viewer, user_principal
from domain.vault import Tools, Vault
from web.document_links import linked, named_most
from web.document_text import anchor, is_within, read
from web.filters import plural
from web.forms import Form
from web.library import SORTS, choices, read_query
from web.numbers import whole_number, whole_numbers
from web.rendering import Page, SeeOther, page, see_other
from web.verifications import INTERVALS

N_DOCUMENTS = 50
N_NEIGHBOURS = 5
N_READERS = 6
LOST_PASSAGE = "The passage this link points at is not in this version of the document, so nothing is marked."


@get("/documents", include_in_schema=False)
async def index(request: Request[Any, Any, Any], vault: Vault) -> Page:
    """Show the library, narrowed and ordered as the address says."""
    query = read_query(request.query_params)
    library = await vault.documents.page(query.narrowed, query.sort, query.key, N_DOCUMENTS)
    shown = page(
        "documents/index.html",
        "documents/_library.html",
        query=query,
        library=library,
        choices=choices(await vault.documents.facets()),
        sorts=SORTS,
        form=Form(values=query.entered),
    )
    shown.headers["HX-Push-Url"] = query.path()
    return shown


@get("/documents/{document_id:int}", include_in_schema=False)
async def show(
    vault: Vault,
    tools: Tools,
    document_id: FromPath[int],
    version: FromQuery[str] = "",
    start: FromQuery[str] = "",
    end: FromQuery[str] = "",
    part: FromQuery[str] = "",
) -> Page:
    """Show a document, or an older version of it, with the passage `start` to `end` marked."""
    document = await vault.documents.get(document_id)
    shown = await vault.documents.version(document_id, whole_number(version))
    access = await vault.access.readers(document_id)
    span = span_of(start, end)
    reading = read(shown.text, shown.blocks, span, whole_number(part) or 1, document.title)
    mentions = await vault.graph.in_document(document_id) if shown.is_current else []
    is_lost = bool(start or end) and (span is None or not is_within(shown.text, span) or reading.mark_start is None)
    return page(
        "documents/show.html",
        document=document,
        version=shown,
        reading=linked(reading, mentions),
        named=named_most(mentions),
        anchor=anchor,
        readers=readers_in_words(access.principals, vault.viewer),
        access=access,
        n_shown_readers=N_READERS,
        neighbours=await vault.documents.neighbours(document_id, N_NEIGHBOURS),
        source_url=document.url if document.url.startswith(("https://", "http://")) else "",
        passage_note=LOST_PASSAGE if is_lost else "",
        verification=await vault.verifications.get(document_id),
        verifiers=[("", "Nobody"), *((str(each.user_id), each.name) for each in access.reasons)],
        intervals=INTERVALS,
        moment=tools.now(),
        answer=await vault.gap_answers.behind(document_id),
        completions=await vault.gap_answers.completing(document_id),
    )


@get("/documents/{document_id:int}/readers", include_in_schema=False)
async def show_readers(vault: Vault, document_id: FromPath[int]) -> Page:
    """List who may read a document, and why."""
    document = await vault.documents.get(document_id)
    return page("documents/readers.html", document=document, access=await vault.access.readers(document_id))


@get("/documents/{document_id:int}/versions", include_in_schema=False)
async def show_versions(vault: Vault, document_id: FromPath[int]) -> Page:
    """List the versions of a document."""
    document = await vault.documents.get(document_id)
    versions = await vault.documents.versions(document_id)
    return page("documents/versions.html", document=document, versions=versions)


@post("/documents/deletions", include_in_schema=False)
async def delete_many(request: Request[Any, Any, Any], vault: Vault, form: Form) -> Response[Any]:
    """Delete the chosen documents; without a script to ask first, ask on a page of its own."""
    document_ids = whole_numbers((await request.form()).getall("document", []))
    if not document_ids:
        return see_other("/documents", "Nothing was chosen, so nothing was deleted. Tick the documents first.")
    if form.value("is_unasked"):
        return page("documents/deletion.html", document_ids=document_ids)
    n_deleted = await vault.documents.delete(document_ids)
    await vault.audit.record("document.deleted", plural(n_deleted, "document"))
    return see_other("/documents", f"{plural(n_deleted, 'document')} deleted, gone from search at once.")


@post("/documents/{document_id:int}/deletion", include_in_schema=False)
async def delete_by_form(vault: Vault, form: Form, document_id: FromPath[int]) -> Response[Any]:
    """Delete a document, for browsers, whose forms know no DELETE."""
    if form.value("is_unasked"):
        return page("documents/deletion.html", document_ids=[(await vault.documents.get(document_id)).id])
    return await delete_document(vault, document_id)


@delete("/documents/{document_id:int}", include_in_schema=False, status_code=303)
async def delete_one(vault: Vault, document_id: FromPath[int]) -> SeeOther:
    """Delete a document."""
    return await delete_document(vault, document_id)


async def delete_document(vault: Vault, document_id: int) -> SeeOther:
    """Delete a document the viewer may see, and say so. Raises: NotFound."""
    document: Document = await vault.documents.get(document_id)
    await vault.documents.delete([document_id])
    await vault.audit.record("document.deleted", document.title)
    return see_other("/documents", f"“{document.title}” was deleted. It is gone from search at once.")


def span_of(start: str, end: str) -> tuple[int, int] | None:
    """Return the passage an address names, or None when it names none that makes sense."""
    first, last = whole_number(start), whole_number(end)
    return (first, last) if first is not None and last is not None and first < last else None


def readers_in_words(principals: Sequence[str], viewer: Viewer) -> str:
    """Return who may read a document, as the viewer would say it."""
    if EVERYONE in principals:
        return f"Everyone in {viewer.tenant_name}"
    others = [principal for principal in principals if principal != user_principal(viewer.user_id)]
    n_people = sum(principal.startswith("user:") for principal in others)
    n_groups = len(others) - n_people
    words = [plural(n_people, "other person", "other people")] if n_people else []
    words += [plural(n_groups, "group")] if n_groups else []
    if len(others) == len(principals):
        return " and ".join(words)
    return " and ".join(["You", *words]) if words else "Only you"


routes = [index, show, show_readers, show_versions, delete_many, delete_by_form, delete_one]
