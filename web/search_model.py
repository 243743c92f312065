"""The search model: which one questions are compared by, how far the next one is, and the click that changes over."""

import msgspec
from litestar import Response, get, post

from domain.errors import Conflict
from domain.model_changes import Figures, FillState, SearchModel
from domain.model_runs import choose
from domain.vault import Tools, Vault
from web.forms import Form
from web.rendering import Page, page, see_other
from web.sessions import require_admin

PATH = "/settings/search-model"
MISSING = (
    "Some passages have no vectors of this model yet. They are being filled in; choose it again when that is done."
)


class Row(msgspec.Struct, frozen=True):
    """A model of the comparison."""

    name: str
    is_read: bool
    figures: Figures


@get(PATH, include_in_schema=False, guards=[require_admin])
async def show(vault: Vault, tools: Tools) -> Page:
    """Show the model that is read, the one beside it, and what the comparison has said."""
    change = await vault.models.current()
    following = next((label for label in tools.embedders if label != change.model), "")
    return page(
        "search_model/show.html",
        change=change,
        name=name_of(change.model),
        following=following,
        following_name=name_of(following),
        is_known=following == change.other,
        is_ready=following == change.other and change.state is FillState.READY,
        is_switched=change.changed_at is not None,
        rows=rows(change),
    )


@post(PATH, include_in_schema=False, guards=[require_admin])
async def choose_model(vault: Vault, tools: Tools, form: Form) -> Response[str]:
    """Compare questions by the other model from now on, or by the one before again."""
    model = form.value("model")
    try:
        is_chosen = await choose(vault, tools, model)
    except Conflict as error:
        return see_other(PATH, error.message)
    if not is_chosen:
        return see_other(PATH, MISSING)
    await vault.audit.record("search_model.chosen", name_of(model))
    return see_other(PATH, f"Questions are compared by {name_of(model)} now.")


def name_of(label: str) -> str:
    """Return a model's name without its revision, which is a number of sixty-four digits."""
    return label.rpartition("@")[0] or label


def rows(change: SearchModel) -> list[Row]:
    """Return the models compared, the one that is read first."""
    figures = {} if change.evaluation is None else change.evaluation.figures
    return [
        Row(name_of(label), label == change.model, figures[label])
        for label in (change.model, change.other)
        if label in figures
    ]


routes = [show, choose_model]
