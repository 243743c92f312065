"""Answers to gaps, read back from the vault as documents; each new version of an answer is one of its document."""

from collections.abc import AsyncIterator, Sequence

from domain.errors import NotFound
from domain.gap_answers import ANSWERS_KIND, PendingAnswer
from domain.integrations import Connector, Gone, Item, Page
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
        """Yield answers whose present version is not read yet."""
        last_id = 0
        while True:
            async with self._open_vault(self._viewer) as vault:
                found = await vault.gap_answers.pending(last_id, PAGE_SIZE)
            if not found:
                return
            last_id = found[-1].id
            yield Page(tuple(_item(each) for each in found), cursor="")

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these answers once more."""
        held = {str(each.id): each for each in await self._read(external_ids)}
        yield Page(tuple(_item(held[each]) if each in held else Gone(each) for each in external_ids), cursor="")

    async def fetch(self, item: Item) -> bytes:
        """Return an answer as a Markdown file, under its question. Raises: NotFound."""
        found = await self._read([item.external_id])
        if not found:
            raise NotFound("This answer is not kept any more.")
        return f"# {_one_line(found[0].question)}\n\n{found[0].text}\n".encode()

    async def _read(self, external_ids: Sequence[str]) -> list[PendingAnswer]:
        async with self._open_vault(self._viewer) as vault:
            return await vault.gap_answers.get_many([int(each) for each in external_ids])


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


def _connect(access: Access) -> Connector:
    return AnswersConnector(access.viewer, access.open_vault)


KIND = ConnectorKind(Kind(ANSWERS_KIND, "Answers to gaps", "note"), _connect)
