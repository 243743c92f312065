"""Answering from a mail: a signed link opens one question for one person, signed in or not, and nothing else."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from domain.answering import answer_gap
from domain.errors import Invalid, NotFound
from domain.gap_answers import Via
from domain.gap_context import context
from domain.notes import AnswerLink
from domain.people import Viewer
from domain.vault import Tools
from web.doors import Doors
from web.forms import Form
from web.gaps import shown
from web.rendering import Page, page, see_other
from web.visits import visit_of

OVER = "This link is not complete, or is too old. Sign in, and find the question under Gaps."
THANKS = "Thank you. Your answer is kept, and found by everybody who may read the document."


@get("/questions/{token:str}", include_in_schema=False)
async def show(request: Request[Any, Any, Any], doors: Doors, tools: Tools, token: FromPath[str]) -> Response[Any]:
    """Show the question that a link stands for; who is signed in gets the gap's own page."""
    link = read_link(tools, token)
    signed_in = visit_of(request).viewer
    if signed_in and (signed_in.tenant_id, signed_in.user_id) == (link.tenant_id, link.user_id):
        return see_other(f"/gaps/{link.gap_id}#answer")
    return await question_page(doors, tools, token, Form(), 200)


@post("/questions/{token:str}/answers", include_in_schema=False)
async def answer(doors: Doors, tools: Tools, form: Form, token: FromPath[str]) -> Response[Any]:
    """Keep the answer of whoever the link was sent to."""
    link = read_link(tools, token)
    try:
        async with doors.open_vault(await viewer_of(doors, link)) as vault:
            gap = await vault.gap_answers.gap(link.gap_id)
            await answer_gap(vault, gap, form.value("text"), Via.MAIL, None)
    except Invalid as error:
        return await question_page(doors, tools, token, form.refused(error), 422)
    return page("questions/thanks.html", words=THANKS)


async def question_page(doors: Doors, tools: Tools, token: str, form: Form, status: int) -> Page:
    """Return the page of a link with what was entered. Raises: NotFound."""
    link = read_link(tools, token)
    asked = await viewer_of(doors, link)
    async with doors.open_vault(asked) as vault:
        gap = await vault.gap_answers.gap(link.gap_id)
        read = await vault.documents.version(gap.document_id, gap.version_id)
    return page(
        "questions/show.html",
        status=status,
        form=form,
        token=token,
        asked=asked,
        shown=shown(gap),
        context=context(read.text, read.blocks, gap.start, gap.end, tools.analyzer),
    )


def read_link(tools: Tools, token: str) -> AnswerLink:
    """Return what a link stands for. Raises: NotFound, which says no more than that it does not work."""
    try:
        link = tools.links.read(token, tools.now()) if tools.links else None
    except Invalid as error:
        raise NotFound(OVER) from error
    if link is None or not link.gap_id:
        raise NotFound(OVER)
    return link


async def viewer_of(doors: Doors, link: AnswerLink) -> Viewer:
    """Return the person a link was sent to, as long as they are a member. Raises: NotFound."""
    async with doors.open_lobby() as lobby:
        return await lobby.viewer(link.tenant_id, link.user_id)


routes = [show, answer]
