"""The design's table of ten defects, row by row, through a proxy that sends each request to the next process.

Row 1 (OAuth) stands in `test_consents.py`, rows 4 and 10 in `test_bounds.py` too. Rows 6 to 9 (entities,
graph, claims, detectors) are kept by the rule that no process remembers anything: `tests/test_architecture.py` walks
the code for it.
"""

import asyncio
import re

import psutil
import psycopg
import pytest

from tests.scale.cluster import Cluster
from tests.scale.people import Person, Seen, person, write_documents

N_TENANTS = 20
"""The predecessor's memory would grow by 8 GB meanwhile."""


async def test_row_2_progress_of_a_sync_is_live_on_every_instance(several: Cluster) -> None:
    folder = write_documents(several.folder / "row-2", 120)
    several.embedder.latency_s = 0.4
    async with person(several.url) as ada:
        await ada.sign_up()
        sync_id = await ada.connect_folder(folder)
        tabs = [Seen(), Seen(), Seen()]
        watching = [asyncio.create_task(ada.watch(sync_id, seen)) for seen in tabs]
        while not tabs[0].numbers or not 0 < tabs[0].numbers[-1] < 100:  # noqa: ASYNC110  # another process moves it
            await asyncio.sleep(0.02)
        reloaded, after_reload = await ada.visit(f"/syncs/{sync_id}"), Seen()
        assert "Reading and indexing" in reloaded.words or "Done" in reloaded.words
        await ada.watch(sync_id, after_reload)
        await asyncio.gather(*watching)
    several.embedder.latency_s = 0.0
    for seen in (*tabs, after_reload):
        assert ">Done<" in seen.markups[-1]
        assert seen.numbers == sorted(seen.numbers), "progress went backwards"
    assert len(tabs[0].markups) > 3, "it was seen moving"
    assert len({name for seen in tabs for name in seen.instances}) == 3, "every tab was served by another process"


async def test_row_3_memory_of_a_web_process_does_not_grow_with_tenants(several: Cluster) -> None:
    async def live_in_a_tenant() -> None:
        async with person(several.url) as somebody:
            await somebody.sign_up()
            for path in ("/documents", "/integrations", "/search?q=delivery", "/conversations", "/"):
                await somebody.visit(path)

    def megabytes() -> list[float]:
        return [psutil.Process(web.process.pid).memory_info().rss / 2**20 for web in several.webs]

    for _ in range(6):
        await live_in_a_tenant()
    before = megabytes()
    for _ in range(N_TENANTS):
        await live_in_a_tenant()
    grown = [after - before for before, after in zip(before, megabytes(), strict=True)]
    assert max(grown) < 5, f"{grown} MB more for {N_TENANTS} tenants; the predecessor took 400 MB each"


async def test_row_4_settings_changed_once_hold_for_the_next_job_of_every_worker(several: Cluster) -> None:
    async with person(several.url) as ada:
        await ada.sign_up()
        folders = [several.folder / f"row-4-{number}" for number in range(4)]
        for folder in folders:
            folder.mkdir()
            (folder / "long.md").write_text("word " * 400)
        syncs = [await ada.connect_folder(folder) for folder in folders]
        for sync_id in syncs:
            assert "could not be read" not in (await ada.watch(sync_id, Seen())).markups[-1]
        await ada.visit("/settings/reading")
        await ada.submit("/settings/reading", max_characters="1000")
        for folder in folders:
            (folder / "long.md").write_text("words " * 400)
        for sync_id in [await ada.sync_again(sync_id) for sync_id in syncs]:
            assert "1 item could not be read" in (await ada.watch(sync_id, Seen())).markups[-1]


async def test_row_5_a_question_embedded_by_one_instance_is_a_hit_on_the_others(several: Cluster) -> None:
    question = "Which pelican guards the northern breakwater?"
    async with person(several.url) as ada:
        await ada.sign_up()
        ada.served_by.clear()
        for _ in range(6):
            await ada.visit(f"/search?q={question}")
        assert set(ada.served_by) == {"web1", "web2", "web3"}
    assert several.embedder.asked.count(question) == 1


async def test_row_5_fifty_who_miss_one_text_at_once_wait_for_one_computation(several: Cluster) -> None:
    question = "How many otters work the night shift?"
    several.embedder.latency_s = 0.3
    async with person(several.url) as ada:
        await ada.sign_up()
        answers = await asyncio.gather(*(ada.client.get(f"/search?q={question}") for _ in range(50)))
    several.embedder.latency_s = 0.0
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["X-Instance"] for answer in answers}) == 3
    assert several.embedder.asked.count(question) == 1


async def test_a_session_opened_on_one_instance_holds_on_all_and_ends_on_all_at_once(several: Cluster) -> None:
    async with person(several.url) as ada, person(several.url) as ada_at_home:
        await ada.sign_up()
        await ada_at_home.sign_in(ada.email)
        for browser in (ada, ada_at_home):
            browser.served_by.clear()
            for _ in range(3):
                assert (await browser.visit("/integrations")).path == "/integrations"
            assert len(browser.served_by) == 3
        folder = write_documents(several.folder / "sessions", 60)
        several.embedder.latency_s = 1.0
        sync_id = await ada.connect_folder(folder)
        stream = asyncio.create_task(lines_of(ada_at_home, f"/syncs/{sync_id}/events"))
        await ada.visit("/settings/sessions")
        await ada.submit("/settings/sessions/ending")
        several.embedder.latency_s = 0.0
        for browser in (ada, ada_at_home):
            for _ in range(3):
                assert (await browser.visit("/integrations")).path.startswith("/session/new")
        assert "event: close" not in await asyncio.wait_for(stream, 10), "it was ended, not finished"


async def lines_of(somebody: Person, path: str) -> list[str]:
    async with somebody.client.stream("GET", path, follow_redirects=False) as response:
        return [line async for line in response.aiter_lines()]


@pytest.mark.long
async def test_a_rolling_restart_of_all_web_processes_loses_no_request(several: Cluster) -> None:
    async with person(several.url) as ada:
        await ada.sign_up()
        statuses: list[int] = []
        is_rolling = True

        async def browse() -> None:
            while is_rolling:
                statuses.append((await ada.client.get("/integrations", follow_redirects=False)).status_code)

        browsing = [asyncio.create_task(browse()) for _ in range(4)]
        for web in several.webs:
            await asyncio.to_thread(web.stop)
            web.start()
            await asyncio.to_thread(web.wait_until_ready)
        is_rolling = False
        await asyncio.gather(*browsing)
        assert len(statuses) > 50
        assert set(statuses) == {200}


async def test_counts_of_a_finished_sync_are_the_documents_that_stand(several: Cluster) -> None:
    async with person(several.url) as ada:
        await ada.sign_up()
        sync_id = await ada.connect_folder(write_documents(several.folder / "counts", 25))
        seen = await ada.watch(sync_id, Seen())
        counts = re.findall(r"(\d+)\s*</dd>|>(\d+)<", seen.markups[-1])
        await ada.visit("/documents")
    assert "25" in {one or other for one, other in counts}
    assert "25 documents" in ada.words


async def test_twenty_web_and_ten_worker_processes_would_stay_under_a_hundred_connections(several: Cluster) -> None:
    async with person(several.url) as ada:
        await ada.sign_up()
        sync_id = await ada.connect_folder(write_documents(several.folder / "connections", 40))
        watching = asyncio.create_task(ada.watch(sync_id, Seen()))
        await asyncio.gather(*(ada.client.get("/documents") for _ in range(60)))
        await watching
    with psycopg.connect(several.database_url) as connection:
        row = connection.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        ).fetchone()
    assert row is not None
    n_processes = len(several.webs) + len(several.workers)
    assert row[0] <= 3 * n_processes, "three for each process: 20 web and 10 workers take 90"
