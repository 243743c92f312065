"""What the graph costs when it is large: a document more, the page of a much-related entity, and its exact undoing."""

import asyncio
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable

import numpy as np
import sqlalchemy as sa
from litestar import Litestar

from bench.house import Measured, scratch_house
from bench.large_graph import FILL
from domain.documents import Arrival, Incoming
from domain.parsing import ParsedDocument
from domain.recognition import extract
from infra.database import tenant_transaction
from infra.logs import configure_logs
from tests.web.browser import PASSWORD, Browser
from web.app import create_app
from web.doors import Doors, WebSettings

N_ROUNDS = 60
TABLES = ("entities", "entity_aliases", "entity_keys", "mentions", "relations", "relation_proofs", "entity_merges")


def text(number: int) -> str:
    """A note with new names and names the vault has, ten sentences long."""
    lines = [f"Kafka{number % 7} depends on PostgreSQL. Anna Brook{number} maintains Kafka.", "Redis uses PostgreSQL."]
    lines += [
        f"Given{(number * 31 + n) % 997} Family{number * 31 + n} reviewed the Ledger{n} service." for n in range(8)
    ]
    return "\n\n".join(["Owner: Lena Okafor", *lines])


async def add_one(measured: Measured, number: int) -> float:
    """Store one document with its graph, as a sync does; return the milliseconds of its transaction."""
    parsed = ParsedDocument(f"Note {number}", text(number), (), "text/plain")
    extraction = extract(parsed, f"note-{number}")
    incoming = Incoming(measured.integration_id, 0, f"note-{number}", "", str(number), 1, "", ("tenant",), parsed)
    started = time.perf_counter()
    async with measured.stores.open_vault(measured.viewer) as vault:
        [document_id] = await vault.documents.put([Arrival(incoming, [], np.zeros((0, 0), np.float32))])
        await vault.entities.put(document_id, extraction)
    return (time.perf_counter() - started) * 1000


async def fill(measured: Measured) -> None:
    """Write the large graph, table by table."""
    binds = {"tenant": measured.viewer.tenant_id, "integration": measured.integration_id}
    async with tenant_transaction(measured.stores.engine, measured.viewer.tenant_id) as connection:
        for statement in FILL:
            used = {name: value for name, value in binds.items() if f":{name}" in statement}
            await connection.execute(sa.text(statement), used)
    async with measured.stores.engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        for table in (*TABLES, "documents", "document_access"):
            await autocommit.execute(sa.text(f"vacuum analyze {table}"))


async def signed_in(measured: Measured) -> Browser:
    """Return the browser of a member of the measured tenant."""
    email = f"{uuid.uuid4().hex[:8]}@bench.example"
    password_hash = await measured.tools.passwords.hash(PASSWORD)
    async with measured.stores.open_lobby() as lobby:
        user = await lobby.add_user(email, "Ada Byron", password_hash)
        await lobby.add_membership(measured.viewer.tenant_id, user.id, measured.viewer.role)
    browser = Browser(_app(measured))
    await browser.visit("/session/new")
    return await browser.submit("/session", email=email, password=PASSWORD)


def _app(measured: Measured) -> Litestar:
    async def nothing() -> dict[str, str]:
        return {}

    doors = Doors(measured.stores.open_vault, measured.stores.open_lobby, None, nothing, nothing)  # type: ignore[arg-type]
    return create_app(doors, measured.tools, WebSettings("http://vault.test", "a secret of the bench alone, long", "0"))


async def timed(work: Callable[[], Awaitable[object]], n_times: int) -> list[float]:
    """Return the milliseconds of each run, after three to warm up."""
    took = []
    for number in range(n_times + 3):
        started = time.perf_counter()
        await work()
        took += [(time.perf_counter() - started) * 1000] if number >= 3 else []
    return sorted(took)


async def delete_all(measured: Measured) -> dict[str, int]:
    """Delete every document, a batch at a time; return what is left in the graph."""
    while True:
        async with tenant_transaction(measured.stores.engine, measured.viewer.tenant_id) as connection:
            rows = await connection.execute(sa.text("select id from documents order by id limit 200"))
            ids = list(rows.scalars())
        if not ids:
            break
        async with measured.stores.open_vault(measured.viewer) as vault:
            await vault.documents.delete(ids)
    async with tenant_transaction(measured.stores.engine, measured.viewer.tenant_id) as connection:
        counts = {table: await connection.execute(sa.text(f"select count(*) from {table}")) for table in TABLES}
        return {table: int(rows.scalar_one()) for table, rows in counts.items()}


async def main() -> None:
    """Print the table."""
    configure_logs("error", is_production=True)
    async with scratch_house() as measured:
        empty = [await add_one(measured, number) for number in range(N_ROUNDS)][5:]
        started = time.perf_counter()
        await fill(measured)
        print(f"\nfilled in {time.perf_counter() - started:.0f} s", flush=True)
        full = [await add_one(measured, 1_000 + number) for number in range(N_ROUNDS)][5:]
        before, after = statistics.median(empty), statistics.median(full)
        print("A document with twenty names, stored with its graph (medians)")
        print(f"  empty vault                              {before:7.1f} ms")
        print(f"  100,000 entities, 1,000,000 relations    {after:7.1f} ms   {after / before:.2f} times", flush=True)
        async with tenant_transaction(measured.stores.engine, measured.viewer.tenant_id) as connection:
            rows = await connection.execute(
                sa.text("select entity_id from entity_aliases where key = 'n:family0 given0'")
            )
            hub = int(rows.scalar_one())
        browser = await signed_in(measured)
        for name, path in (
            ("its page", f"/entities/{hub}"),
            ("its graph", f"/graph?entity={hub}"),
            ("entities", "/entities"),
            ("who knows what", "/knowledge"),
        ):
            took = await timed(lambda path=path: browser.visit(path), 40)  # type: ignore[misc]
            assert browser.status == 200, (path, browser.status)
            print(
                f"  {name:<20} p50 {took[len(took) // 2]:7.1f} ms   p95 {took[int(len(took) * 0.95)]:7.1f} ms",
                flush=True,
            )
        started = time.perf_counter()
        print("Every document deleted, left:", await delete_all(measured), f"in {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    asyncio.run(main())
