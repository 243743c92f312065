"""The page of one gap: its evidence in context, the question, to whom it goes, its answers, and how to give one."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from markupsafe import Markup

from domain.access import Reason
from domain.addressees import addressees
from domain.answering import answer_gap
from domain.errors import Invalid
from domain.gap_answers import GapAnswer, Via, checked
from domain.gap_context import context
from domain.people import Viewer
from domain.syncs import Trigger
from domain.uploads import Stored, Upload
from domain.vault import Tools, Vault
from web.doors import Doors
from web.forms import Form
from web.gaps import shown
from web.limits import limit_uploads
from web.markdown import render_markdown
from web.multipart import SPOOL, Spool, UploadRequest
from web.numbers import whole_number
from web.rendering import Page, page, see_other
from web.uploads import MAX_REQUEST_BYTES, put_aside_files, safe_name, upload_integration

THANKS = "Thank you. The answer is being read, and found by everybody who may read the document."
LOOK = "Please look at the marked fields."


class ShownAnswer(msgspec.Struct, frozen=True):
    """An answer as the page has it."""

    answer: GapAnswer
    markup: Markup
    files: tuple[str, ...]


@get("/gaps/{gap_id:int}", include_in_schema=False)
async def show(vault: Vault, tools: Tools, gap_id: FromPath[int], document: FromQuery[str] = "") -> Page:
    """Show a gap, with the evidence in one document where the address names it."""
    return await gap_page(vault, tools, gap_id, whole_number(document), Form(), 200)


@post(
    "/gaps/{gap_id:int}/answers",
    include_in_schema=False,
    guards=[limit_uploads],
    request_class=UploadRequest,
    request_max_body_size=MAX_REQUEST_BYTES,
)
async def answer(
    request: UploadRequest, viewer: Viewer, doors: Doors, tools: Tools, form: Form, gap_id: FromPath[int]
) -> Response[Any]:
    """Keep an answer with its files, and ask for the syncs that read them.

    The transaction is opened here, after the last byte has come in: a slow line must not hold a connection.
    """
    document_id = whole_number(form.value("document"))
    try:
        checked(form.value("text"))
        spool = (await request.form()).get(SPOOL)
        sent = spool if isinstance(spool, Spool) and spool.files else None
        put_files = await put_aside_files(doors, tools, viewer, sent) if sent else []
        async with doors.open_vault(viewer) as vault:
            gap = await vault.gap_answers.gap(gap_id, document_id)
            files = await keep_attached(vault, sent, put_files, gap.document_id) if sent else []
            reviewer_id = whole_number(form.value("reviewer"))
            await answer_gap(vault, gap, form.value("text"), Via.PAGE, reviewer_id, files)
    except Invalid as error:
        async with doors.open_vault(viewer) as vault:
            return await gap_page(vault, tools, gap_id, document_id, form.refused(error), 422)
    return see_other(f"/gaps/{gap_id}", THANKS)


@post("/gaps/{gap_id:int}/requests", include_in_schema=False)
async def pass_on(vault: Vault, tools: Tools, form: Form, gap_id: FromPath[int]) -> Response[Any]:
    """Ask another member instead."""
    user_id = whole_number(form.value("person"))
    if user_id is None:
        refused = form.refused(Invalid(LOOK, {"person": "Choose who may know."}))
        return await gap_page(vault, tools, gap_id, None, refused, 422)
    try:
        await vault.gap_answers.pass_on(gap_id, user_id, form.value("note"))
    except Invalid as error:
        return await gap_page(vault, tools, gap_id, None, form.refused(error), 422)
    name = next(each.name for each in await vault.gap_answers.requests(gap_id) if each.user_id == user_id)
    await vault.audit.record("gap.passed_on", f"To {name}")
    return see_other(f"/gaps/{gap_id}", f"{name} is asked now. You will not be asked about this again.")


async def keep_attached(vault: Vault, spool: Spool, put_files: Sequence[Stored], document_id: int) -> list[Upload]:
    """Keep the files of an answer for whoever may read the evidence, and ask for the sync that reads them."""
    principals = await vault.documents.principals(document_id)
    contents: Sequence[Stored | AsyncIterator[bytes]] = put_files or [spool.parts(each) for each in spool.files]
    kept = [
        await vault.uploads.add(safe_name(received.name), received.media_type, content, principals)
        for received, content in zip(spool.files, contents, strict=True)
    ]
    await vault.syncs.request((await upload_integration(vault)).id, Trigger.UPLOAD)
    return kept


async def gap_page(vault: Vault, tools: Tools, gap_id: int, document_id: int | None, form: Form, status: int) -> Page:
    """Return the page of a gap with what was entered. Raises: NotFound."""
    gap = await vault.gap_answers.gap(gap_id, document_id)
    read = await vault.documents.version(gap.document_id, gap.version_id)
    readers = (await vault.access.readers(gap.document_id)).reasons
    requests = await vault.gap_answers.requests(gap_id)
    refused = await vault.gap_answers.refused(gap_id)
    answers = await vault.gap_answers.of_gap(gap_id)
    own = next((each for each in answers if each.evidence_document_id == gap.document_id), None)
    return page(
        "gaps/show.html",
        status=status,
        form=form,
        shown=shown(gap),
        context=context(read.text, read.blocks, gap.start, gap.end, tools.analyzer),
        asked=addressees(gap, readers, requests, refused),
        requests=requests,
        others=people(readers, but=vault.viewer.user_id),
        answers=[await show_answer(vault, each) for each in answers],
        own=own,
        may_speak=tools.transcriber is not None,
    )


async def show_answer(vault: Vault, answer: GapAnswer) -> ShownAnswer:
    """Return an answer as markup, with the names of what is attached."""
    return ShownAnswer(answer, render_markdown(answer.text), tuple(await vault.gap_answers.files(answer.id)))


def people(readers: Sequence[Reason], but: int) -> list[tuple[str, str]]:
    """Return the members who may read the evidence, as choices, without the viewer."""
    return [(str(each.user_id), each.name) for each in readers if each.user_id != but]


routes = [show, answer, pass_on]
