"""A small tenant's chunks stand in no graph; those of one that grows are all in it before its search begins to walk."""

import numpy as np
import pytest
import sqlalchemy as sa

from domain.people import Viewer
from domain.search import SearchFilter
from domain.vault import Tools
from infra.database import tenant_transaction
from infra.store import Stores, passages, walking
from tests import factories
from tests.factories import Source

N_OUTSIDE = "select count(*) from chunk_index where tenant_id = :tenant and not is_walked"


async def bring_in(stores: Stores, tools: Tools, viewer: Viewer, source: Source, first: int, last: int) -> None:
    source.files = {f"{number}.md": f"Ship {number} carries {number} tons." for number in range(first, last)}
    sync = await factories.synced(stores, tools, viewer, f"From {first}")
    assert sync.progress.indexed == last - first


async def outside(stores: Stores, viewer: Viewer) -> int:
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        return int((await connection.execute(sa.text(N_OUTSIDE), {"tenant": viewer.tenant_id})).scalar_one())


async def found(stores: Stores, viewer: Viewer) -> int:
    """How many chunks the vector leg finds where it would rather walk."""
    async with stores.open_vault(viewer) as vault:
        return len(await vault.passages.dense(np.eye(384, dtype=np.float32)[0], SearchFilter(), 100))


async def test_a_tenant_that_grows_comes_into_the_graph_bit_by_bit_and_is_found_whole_all_the_time(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "GRAPH_FROM_CHUNKS", 20)
    monkeypatch.setattr(passages, "EXACT_BELOW_CHUNKS", 1)
    await bring_in(stores, tools, viewer, source, 0, 15)
    assert (await outside(stores, viewer), await found(stores, viewer)) == (15, 15)
    await bring_in(stores, tools, viewer, source, 15, 21)
    assert 0 < await outside(stores, viewer) < 21, "earlier ones come along, not all at once"
    assert await found(stores, viewer) == 21
    await bring_in(stores, tools, viewer, source, 21, 31)
    assert (await outside(stores, viewer), await found(stores, viewer)) == (0, 31)
    await bring_in(stores, tools, viewer, source, 31, 32)
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        whole = sa.text("select is_walked from search_models where tenant_id = :tenant")
        assert (await connection.execute(whole, {"tenant": viewer.tenant_id})).scalar_one()
    assert (await outside(stores, viewer), await found(stores, viewer)) == (0, 32)
