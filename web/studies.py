"""Whether new documents are still being read for names and gaps: a notice that asks again by itself until they are."""

from litestar import get
from litestar.params import FromQuery

from domain.vault import Vault
from web.rendering import Page, page


@get("/studies", include_in_schema=False)
async def show(vault: Vault, since: FromQuery[str] = "") -> Page:
    """Show the notice; who has waited, with `since`, is told when the reading has ended."""
    is_studying = await vault.studies.is_under_way()
    return page("studies/show.html", "studies/_notice.html", is_studying=is_studying, has_waited=bool(since))


routes = [show]
