"""Changes: what is new for a conversation since its last question, in the sources it rests on and in what lies near."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from domain.conversations import Message, MessageRole
from domain.documents import Document
from domain.errors import NotFound
from domain.followups import standalone
from domain.retrieval import find_passages
from domain.search import Analyzer, Passage, SearchFilter
from domain.vault import Tools, Vault

MAX_EDITED = 5
MAX_LINES = 4
"""Sentences shown of each side of an edit."""
MAX_CHARACTERS = 200_000
"""Of each version; a longer one is compared as far as this."""
N_NEAR = 20


class Edit(msgspec.Struct, frozen=True):
    """A cited document that says something else now: sentences that came, and those that went."""

    document: Document
    cited_version_id: int
    added: tuple[str, ...]
    removed: tuple[str, ...]


class Changes(msgspec.Struct, frozen=True):
    """What changed since the last question, asked at `since`; `near` are new passages on what was asked."""

    since: datetime
    question: str
    edits: tuple[Edit, ...]
    near: tuple[Passage, ...]
    n_gone: int
    """Cited documents that are deleted, or closed to the viewer by now."""

    @property
    def is_empty(self) -> bool:
        """Whether all is as it was."""
        return not (self.edits or self.near or self.n_gone)


async def changes_since(vault: Vault, tools: Tools, conversation_id: int) -> Changes:
    """Return what changed since the last question of a conversation. Raises: NotFound, also where nothing was asked."""
    messages = await vault.conversations.messages(conversation_id)
    questions = [message for message in messages if message.role is MessageRole.QUESTION]
    if not questions:
        raise NotFound("Nothing was asked in this conversation yet.")
    last = questions[-1]
    cited = cited_versions(messages)
    documents = await vault.documents.get_many(sorted(cited))
    edited = [each for each in documents if each.indexed_at > last.created_at and each.version_id not in cited[each.id]]
    edits = [await _edit(vault, tools.analyzer, each, max(cited[each.id])) for each in edited[:MAX_EDITED]]
    asked = standalone(last.text, [each.text for each in questions[:-1]])
    near = await _near(vault, tools, asked, last.created_at, {each.id for each in documents})
    return Changes(last.created_at, last.text, tuple(edits), tuple(near), len(cited) - len(documents))


def cited_versions(messages: Sequence[Message]) -> dict[int, set[int]]:
    """Return the versions that a conversation's answers cite, by document."""
    cited: dict[int, set[int]] = {}
    for message in messages:
        for sentence in message.answer.sentences if message.answer else ():
            for citation in sentence.citations:
                cited.setdefault(citation.document_id, set()).add(citation.version_id)
    return cited


async def _edit(vault: Vault, analyzer: Analyzer, document: Document, cited_version_id: int) -> Edit:
    old = await vault.documents.version(document.id, cited_version_id)
    new = await vault.documents.version(document.id)
    before, after = sentences(old.text, analyzer), sentences(new.text, analyzer)
    added = [each for each in after if each not in set(before)]
    removed = [each for each in before if each not in set(after)]
    return Edit(document, cited_version_id, tuple(added[:MAX_LINES]), tuple(removed[:MAX_LINES]))


def sentences(text: str, analyzer: Analyzer) -> list[str]:
    """Return a text's sentences, each on one line, in order, once."""
    cut = text[:MAX_CHARACTERS]
    return list(dict.fromkeys(" ".join(cut[start:end].split()) for start, end in analyzer.sentences(cut)))


async def _near(vault: Vault, tools: Tools, question: str, since: datetime, cited_ids: set[int]) -> list[Passage]:
    """Return the best passage of each document that came or changed since, and is near the question; uncited only."""
    found = await find_passages(vault, tools, question, SearchFilter(), N_NEAR)
    documents = await vault.documents.get_many(sorted({passage.document_id for passage in found} - cited_ids))
    new_ids = {document.id for document in documents if document.indexed_at > since}
    best: dict[int, Passage] = {}
    for passage in found:
        if passage.document_id in new_ids:
            best.setdefault(passage.document_id, passage)
    return list(best.values())
