"""Answers to gaps, read back from the vault as documents; each new version of an answer is one of its document."""

from collections.abc import AsyncIterator, Sequence

from domain.errors import NotFound
from domain.gap_answers import ANSWERS_KIND, PendingAnswer
from domain.handovers import DOCUMENT_PREFIX, PendingHandover, document_of
from domain.integrations import Connector, Entry, Gone, Item, Page
from domain.kinds import Kind
from domain.people import Viewer
from domain.vault import OpenVault
from infra.connectors.kinds import Access, ConnectorKind

PAGE_SIZE = 50


class AnswersConnector:
    """Lists what no document holds yet. There is no cursor: an answer that was missed once comes with the next sync."""

    is_snapshot = False

    def __init__(self, viewer: Viewer, open_vault: OpenVault) -> None:
        self._viewer = viewer
        self._open_vault = open_vault

    async def pages(self, cursor: str) -> AsyncIterator[Page]:  # noqa: ARG002  # see above
        """Yield handovers and answers whose present version is not read yet."""
        async with self._open_vault(self._viewer) as vault:
            handovers = await vault.handovers.pending()
        if handovers:
            yield Page(tuple(_handover_item(each) for each in handovers), cursor="")
        last_id = 0
        while True:
            async with self._open_vault(self._viewer) as vault:
                found = await vault.gap_answers.pending(last_id, PAGE_SIZE)
            if not found:
                return
            last_id = found[-1].id
            yield Page(tuple(_item(each) for each in found), cursor="")

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these once more."""
        entries: list[Entry] = []
        for external_id in external_ids:
            found = await self._read(external_id)
            if found is None:
                entries.append(Gone(external_id))
            else:
                entries.append(_item(found) if isinstance(found, PendingAnswer) else _handover_item(found))
        yield Page(tuple(entries), cursor="")

    async def fetch(self, item: Item) -> bytes:
        """Return an answer under its question, or a handover, as a Markdown file. Raises: NotFound."""
        found = await self._read(item.external_id)
        if found is None:
            raise NotFound("This answer is not kept any more.")
        if isinstance(found, PendingHandover):
            return document_of(found).encode()
        return f"# {_one_line(found.question)}\n\n{found.text}\n".encode()

    async def _read(self, external_id: str) -> PendingAnswer | PendingHandover | None:
        number = int(external_id.removeprefix(DOCUMENT_PREFIX))
        async with self._open_vault(self._viewer) as vault:
            if external_id.startswith(DOCUMENT_PREFIX):
                return await vault.handovers.pending_one(number)
            return next(iter(await vault.gap_answers.get_many([number])), None)


def _one_line(question: str) -> str:
    return " ".join(question.split())


def _item(answer: PendingAnswer) -> Item:
    return Item(
        external_id=str(answer.id),
        name=f"answer-{answer.id}.md",
        revision=str(answer.ordinal),
        media_type="text/markdown",
        author=answer.author,
        modified_at=answer.updated_at,
        principals=answer.principals,
    )


def _handover_item(handover: PendingHandover) -> Item:
    external_id = f"{DOCUMENT_PREFIX}{handover.id}"
    return Item(
        external_id=external_id,
        name=f"{external_id}.md",
        revision=str(handover.revision),
        media_type="text/markdown",
        author=handover.name,
        modified_at=handover.updated_at,
        principals=handover.principals,
    )


def _connect(access: Access) -> Connector:
    return AnswersConnector(access.viewer, access.open_vault)


KIND = ConnectorKind(Kind(ANSWERS_KIND, "Answers to gaps", "note"), _connect)
