"""The home page: first steps while a vault is empty; afterwards a question box and what is going on."""

from litestar import get

from domain.documents import LibraryFilter, LibrarySort
from domain.notes import week_of
from domain.progress import percent
from domain.vault import Tools, Vault
from web.rendering import Page, page

N_RECENT = 6


@get("/", include_in_schema=False)
async def show(vault: Vault, tools: Tools) -> Page:
    """Show where to begin, or where to go on."""
    library = await vault.documents.page(LibraryFilter(), LibrarySort.NEWEST, "", N_RECENT)
    conversations, _ = await vault.conversations.page("", N_RECENT)
    syncs = [sync for sync in (await vault.syncs.latest()).values() if not sync.is_final]
    return page(
        "home/index.html",
        documents=library.documents,
        n_documents=library.total,
        conversations=conversations,
        n_integrations=len(await vault.integrations.all()),
        n_members=len(await vault.members.all()),
        notices=await vault.radar.notices(),
        questions=await vault.notes.questions(week_of(tools.now())) if library.total else [],
        syncs=[(sync, percent(sync.progress)) for sync in syncs],
    )


routes = [show]
