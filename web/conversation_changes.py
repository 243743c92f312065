"""What changed since a conversation's last question."""

from litestar import get
from litestar.params import FromPath

from domain.changes import changes_since
from domain.vault import Tools, Vault
from web.narrowing import passage_path
from web.rendering import Page, page


@get("/conversations/{conversation_id:int}/changes", include_in_schema=False)
async def show(vault: Vault, tools: Tools, conversation_id: FromPath[int]) -> Page:
    """Show edits of the cited documents, and new ones near the question."""
    conversation = await vault.conversations.get(conversation_id)
    changes = await changes_since(vault, tools, conversation_id)
    near = [
        (passage, passage_path(passage.document_id, passage.version_id, passage.start, passage.end))
        for passage in changes.near
    ]
    return page("conversations/changes.html", conversation=conversation, changes=changes, near=near)


routes = [show]
