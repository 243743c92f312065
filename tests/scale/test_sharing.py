"""Workers of a cluster share one sync; one of those that help is killed in the middle of it."""

import psycopg
import pytest

from tests.scale.cluster import cluster
from tests.scale.instances import until
from tests.scale.ledger import require_everything_once, tenants
from tests.scale.people import Seen, person, write_documents

pytestmark = pytest.mark.long
N_DOCUMENTS = 240


def n_taken(database_url: str) -> int:
    with psycopg.connect(database_url, autocommit=True) as connection:
        [tenant_id] = tenants(connection)
        with connection.transaction():
            connection.execute("select set_config('kv.tenant', %s, true)", [str(tenant_id)])
            row = connection.execute("select count(*) from sync_parts where state = 'taken'").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.timeout(300)
async def test_a_sync_shared_by_three_workers_is_whole_when_one_that_helps_is_killed() -> None:
    with cluster(n_webs=1, n_workers=3, LOG_LEVEL="info", WORKER_CONCURRENCY="1") as running:
        running.embedder.latency_s = 0.3
        folder = write_documents(running.folder / "large", N_DOCUMENTS)
        async with person(running.url) as ada:
            await ada.sign_up()
            sync_id = await ada.connect_folder(folder)
            until(lambda: any("help_started" in worker.said for worker in running.workers), "somebody helps")
            until(lambda: n_taken(running.database_url) > 1, "parts are under way")
            helper = next(worker for worker in running.workers if "help_started" in worker.said)
            helper.kill()
            running.embedder.latency_s = 0.0
            seen = Seen()
            await ada.watch(sync_id, seen)
        assert ">Done<" in seen.markups[-1]
        assert seen.numbers == sorted(seen.numbers), "progress went backwards"
        require_everything_once(running.database_url, [folder])
