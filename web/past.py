"""The vault as it stood: a search as of a day, over the versions of that day."""

import msgspec
from litestar import get
from litestar.params import FromQuery

from domain.errors import Invalid
from domain.looking_back import look_back, ranked
from domain.people import Viewer
from domain.retrieval import checked_question
from domain.search import Passage
from domain.vault import Tools
from web.conversations import read_as_of
from web.doors import Doors
from web.forms import Form
from web.narrowing import one_line, passage_path
from web.rendering import Page, page

N_PASSAGES = 20


class ShownPassage(msgspec.Struct, frozen=True):
    """A passage of a day gone by, and where it stands."""

    passage: Passage
    path: str


@get("/past", include_in_schema=False)
async def show(viewer: Viewer, doors: Doors, tools: Tools, q: FromQuery[str] = "", as_of: FromQuery[str] = "") -> Page:
    """Show the passages that stood on a day and are nearest to a question."""
    form = Form({"q": one_line(q, 1000), "as_of": one_line(as_of)})
    if not form.value("q"):
        return page("past/show.html", form=form, found=None)
    try:
        question = checked_question(form.value("q"))
        moment = read_as_of(form, tools.now()) or tools.now()
    except Invalid as error:
        return page("past/show.html", status=422, form=form.refused(error), found=None)
    async with doors.open_vault(viewer) as vault:
        past = await look_back(vault, tools, question, moment, N_PASSAGES)
    passages = await ranked(past, tools.embedder, tools.analyzer, N_PASSAGES)
    return page("past/show.html", form=form, found=[show_passage(passage) for passage in passages])


def show_passage(passage: Passage) -> ShownPassage:
    """Return a passage with its address."""
    path = passage_path(passage.document_id, passage.version_id, passage.start, passage.end)
    return ShownPassage(passage, path)


routes = [show]
