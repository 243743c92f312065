"""Work or personal: the owner's queue of what could not be told apart, decided by button or by key."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from domain.errors import Invalid
from domain.privacy import DecidedBy, Label, by_examples
from domain.vault import Vault
from web.forms import Form
from web.numbers import whole_number
from web.rendering import Page, page, see_other, wants_region

N_REVIEWS = 20
N_REVISED = 500
"""Open questions that are judged anew after a decision; the others follow with the next."""
TABS = ((Label.UNSURE, "Not certain"), (Label.PERSONAL, "Personal"), (Label.WORK, "Work"))


@get("/reviews", include_in_schema=False)
async def index(vault: Vault, label: FromQuery[str] = "unsure", after: FromQuery[str] = "") -> Page:
    """Show what the viewer's own accounts have brought, by label; only to the viewer."""
    return await reviews_page(vault, label_of(label), whole_number(after) or 0)


@post("/reviews/{document_id:int}", include_in_schema=False)
async def decide(
    request: Request[Any, Any, Any], vault: Vault, form: Form, document_id: FromPath[int]
) -> Response[Any]:
    """Write down what a document is, and judge open questions by it. Raises: NotFound for what is not one's own."""
    await vault.reviews.decide(document_id, label_of(form.value("label")))
    await revise(vault)
    shown = label_of(form.value("shown") or "unsure")
    if wants_region(request):
        return await reviews_page(vault, shown, 0)
    return see_other(f"/reviews?label={shown.value}")


async def revise(vault: Vault) -> None:
    """Judge the viewer's open questions anew, by all that was decided so far."""
    document_ids, vectors = await vault.reviews.open_questions(N_REVISED)
    if not document_ids:
        return
    examples = (await vault.reviews.judge(vault.viewer.user_id)).examples
    for document_id, vector in zip(document_ids, vectors, strict=True):
        verdict = by_examples(vector, examples)
        if verdict.decided_by is DecidedBy.EXAMPLES and verdict.label is not Label.UNSURE:
            await vault.reviews.put(document_id, vault.viewer.user_id, verdict, None)


async def reviews_page(vault: Vault, label: Label, after_id: int) -> Page:
    """Return the page of one label."""
    counts = await vault.reviews.counts()
    found = await vault.reviews.page(label, after_id, N_REVIEWS + 1)
    tabs = [(f"{name} ({counts.get(each, 0):,})", f"/reviews?label={each.value}", each is label) for each, name in TABS]
    return page(
        "reviews/index.html",
        "reviews/_queue.html",
        label=label,
        tabs=tabs,
        reviews=found[:N_REVIEWS],
        is_first_page=not after_id,
        next_after=found[N_REVIEWS - 1].document_id if len(found) > N_REVIEWS else None,
    )


def label_of(entered: str) -> Label:
    """Return a label. Raises: Invalid for anything else."""
    try:
        return Label(entered)
    except ValueError as error:
        raise Invalid("Say whether it is work, personal, or not certain.") from error


routes = [index, decide]
