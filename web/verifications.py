"""Verifications: what is due, a click that vouches for a document, and who is to do so how often."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from domain.errors import Invalid
from domain.vault import Tools, Vault
from web.forms import Form
from web.numbers import whole_number
from web.rendering import Page, SeeOther, page, see_other

N_DUE = 30
MAX_PAGES = 1000
INTERVALS = (
    ("0", "Once, and when the text changes"),
    ("30", "Every month"),
    ("90", "Every three months"),
    ("180", "Every six months"),
    ("365", "Every year"),
)
LOOK = "Please look at the marked fields."


@get("/verifications", include_in_schema=False)
async def index(vault: Vault, tools: Tools, show: FromQuery[str] = "", after: FromQuery[str] = "") -> Page:
    """Show the documents that are to be verified now: the viewer's own, or everybody's."""
    is_for_all = show == "all"
    offset = min(whole_number(after) or 0, MAX_PAGES * N_DUE)
    now = tools.now()
    due = await vault.verifications.due(now, is_for_all, offset, N_DUE + 1)
    documents = await vault.documents.get_many([each.document_id for each in due[:N_DUE]])
    return page(
        "verifications/index.html",
        due=due[:N_DUE],
        documents={document.id: document for document in documents},
        total=await vault.verifications.count_due(now, is_for_all),
        is_for_all=is_for_all,
        next_path=path_of(is_for_all, offset + N_DUE) if len(due) > N_DUE else "",
        first_path=path_of(is_for_all, 0) if offset else "",
    )


@post("/documents/{document_id:int}/verifications", include_in_schema=False)
async def verify(vault: Vault, tools: Tools, form: Form, document_id: FromPath[int]) -> SeeOther:
    """Write down that the viewer vouches for the version they saw."""
    document = await vault.documents.get(document_id)
    version_id = whole_number(form.value("version")) or document.version_id
    await vault.verifications.verify(document_id, version_id, tools.now())
    await vault.audit.record("document.verified", document.title)
    back = "/verifications" if form.value("from") == "queue" else f"/documents/{document_id}"
    return see_other(back, f"Verified: “{document.title}”.")


@post("/documents/{document_id:int}/verifier", include_in_schema=False)
async def arrange(vault: Vault, tools: Tools, form: Form, document_id: FromPath[int]) -> Response[Any]:
    """Name who verifies a document, and how often; nobody, where nobody is chosen."""
    document = await vault.documents.get(document_id)
    if not form.value("verifier"):
        await vault.verifications.end(document_id)
        await vault.audit.record("document.verifier_removed", document.title)
        return see_other(f"/documents/{document_id}", "Nobody is asked to verify this document any more.")
    verifier_id, every_days = whole_number(form.value("verifier")), whole_number(form.value("every_days") or "0")
    if verifier_id is None or every_days is None:
        raise Invalid(LOOK, {"verifier": "Choose a person and an interval from the lists."})
    await vault.verifications.arrange(document_id, verifier_id, every_days, tools.now())
    await vault.audit.record("document.verifier_named", document.title)
    return see_other(f"/documents/{document_id}", "Saved. It stands in that person's list when it is due.")


def path_of(is_for_all: bool, offset: int) -> str:
    """Return the address of a page of the queue."""
    asked = [*(["show=all"] if is_for_all else []), *([f"after={offset}"] if offset else [])]
    return f"/verifications?{'&'.join(asked)}" if asked else "/verifications"


routes = [index, verify, arrange]
