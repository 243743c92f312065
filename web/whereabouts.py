"""Why can't I find this? A page that follows an address or a title from its source to its place in a search."""

from litestar import get
from litestar.params import FromQuery

from domain.errors import Invalid
from domain.ranking import ask_here, rank_with_feedback
from domain.retrieval import by_document
from domain.search import SearchFilter
from domain.vault import Tools, Vault
from domain.whereabouts import Evidence, Placing, checked, explain
from web.forms import Form
from web.rendering import Page, page


@get("/whereabouts", include_in_schema=False)
async def show(vault: Vault, tools: Tools, wanted: FromQuery[str] = "", words: FromQuery[str] = "") -> Page:
    """Show how far something came; without anything to look for, the form."""
    form = Form(values={"wanted": wanted, "words": words})
    if not wanted:
        return page("whereabouts/show.html", form=form, findings=(), sightings=(), is_asked=False)
    try:
        looked_for = checked(wanted)
    except Invalid as error:
        return page(
            "whereabouts/show.html", status=422, form=form.refused(error), findings=(), sightings=(), is_asked=False
        )
    evidence = await vault.whereabouts.look(looked_for)
    integrations, latest = await vault.integrations.all(), await vault.syncs.latest()
    placing = await place(vault, tools, evidence, words)
    findings = explain(
        looked_for, evidence, integrations, list(latest.values()), placing, is_admin=vault.viewer.is_admin
    )
    return page("whereabouts/show.html", form=form, findings=findings, sightings=evidence.sightings, is_asked=True)


async def place(vault: Vault, tools: Tools, evidence: Evidence, words: str) -> Placing | None:
    """Return where the document stands in a search for these words; None where there is nothing to place."""
    searched = " ".join(words.split())[:1000]
    if not evidence.sightings or not searched:
        return None
    asked = await ask_here(vault, tools, searched)
    groups = by_document(await rank_with_feedback(vault, asked, SearchFilter()))
    wanted = evidence.sightings[0].document_id
    places = (number for number, group in enumerate(groups, start=1) if group[0].document_id == wanted)
    return Placing(searched, next(places, None))


routes = [show]
