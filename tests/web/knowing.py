"""Answering in tests: documents that leave something open, and a worker that reads what people answer."""

from dataclasses import dataclass, replace

from domain.found_gaps import FoundGap, GapFilter
from domain.gap_answers import ANSWERS, ANSWERS_KIND
from domain.integrations import Connector, Integration, IntegrationKind
from domain.people import Viewer, system_viewer
from domain.studying import study
from domain.syncs import Trigger
from domain.vault import OpenVault, Tools
from infra.connectors.answers import AnswersConnector
from infra.connectors.upload import UploadConnector
from infra.store import Stores
from infra.worker import run_sync
from tests import factories

LOST = "Somebody should clean the filter of the press."
ANSWER = "Zelda Quist cleans the sieve each **Monday**."


@dataclass(frozen=True)
class Knowing:
    """A vault in which people answer."""

    stores: Stores
    tools: Tools
    viewer: Viewer

    async def gaps(self, viewer: Viewer | None = None) -> list[FoundGap]:
        """The open gaps, as one may see them."""
        async with self.stores.open_vault(viewer or self.viewer) as vault:
            return list((await vault.gaps.page(GapFilter(), 50)).gaps)

    async def read_answers(self) -> None:
        """What a worker does once somebody has answered."""
        async with self.stores.open_vault(self.viewer) as vault:
            held = await vault.integrations.find(ANSWERS_KIND, ANSWERS)
            assert held is not None
            asked = await vault.syncs.request(held.id, Trigger.UPLOAD)
        await self._run(asked.id)

    async def read_uploads(self) -> None:
        """What a worker does with attached files."""
        async with self.stores.open_vault(self.viewer) as vault:
            held = await vault.integrations.find(IntegrationKind.UPLOAD, "Uploads")
            assert held is not None
            asked = await vault.syncs.request(held.id, Trigger.UPLOAD)
        await self._run(asked.id)

    async def _run(self, sync_id: int) -> None:
        own = replace(self.tools, connect=_connect)
        ended = await run_sync(self.stores.open_vault, own, system_viewer(self.viewer.tenant_id), sync_id)
        assert ended is not None
        assert (ended.state, ended.reason) == ("succeeded", "")
        await study(self.stores.open_vault, system_viewer(self.viewer.tenant_id), own)

    async def synced(self) -> None:
        """The folder of the tests, read again."""
        await factories.studied(self.stores, self.tools, self.viewer)


def _connect(integration: Integration, viewer: Viewer, open_vault: OpenVault) -> Connector:
    if integration.kind == ANSWERS_KIND:
        return AnswersConnector(viewer, open_vault)
    return UploadConnector(viewer, open_vault)
