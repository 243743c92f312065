"""What Postgres says in the end, asked directly: every document once, every sync over, no job left."""

from pathlib import Path

import msgspec
import psycopg


class SyncRow(msgspec.Struct, frozen=True):
    id: int
    state: str
    attempt: int
    progress: dict[str, object]


class Ledger(msgspec.Struct, frozen=True):
    """All tenants together."""

    syncs: list[SyncRow]
    documents: list[tuple[int, str, int]]
    """Integration, external id, number of versions."""
    n_jobs: int


def tenants(connection: psycopg.Connection) -> list[int]:
    with connection.transaction():
        connection.execute("select set_config('kv.lobby', 'on', true)")
        return [row[0] for row in connection.execute("select id from tenants order by id")]


def attempts(database_url: str) -> dict[int, int]:
    """Return the attempt of each sync that is running."""
    return {row.id: row.attempt for row in ledger(database_url).syncs if row.state == "running"}


def ledger(database_url: str) -> Ledger:
    syncs: list[SyncRow] = []
    documents: list[tuple[int, str, int]] = []
    with psycopg.connect(database_url, autocommit=True) as connection:
        for tenant_id in tenants(connection):
            with connection.transaction():
                connection.execute("select set_config('kv.tenant', %s, true)", [str(tenant_id)])
                syncs += [
                    SyncRow(*row)
                    for row in connection.execute("select id, state, attempt, progress from syncs order by id")
                ]
                documents += connection.execute(
                    "select d.integration_id, d.external_id, (select count(*) from document_versions v"
                    " where (v.tenant_id, v.document_id) = (d.tenant_id, d.id)) from documents d order by d.id"
                ).fetchall()
        left = connection.execute("select count(*) from procrastinate_jobs where task_name = 'sync'").fetchone()
    assert left is not None
    return Ledger(syncs, documents, left[0])


def require_everything_once(database_url: str, folders: list[Path]) -> None:
    """Fail unless all files of the folders are documents exactly once, in one version, and all counts add up."""
    held = ledger(database_url)
    assert {row.state for row in held.syncs} == {"succeeded"}, held.syncs
    assert held.n_jobs == 0
    for row in held.syncs:
        progress = row.progress
        assert progress["processed"] == progress["found"] == progress["total"], row
        assert progress["processed"] == progress["indexed"] + progress["skipped"], row  # type: ignore[operator]
    names = sorted(path.name for folder in folders for path in folder.glob("*.md"))
    assert sorted(external_id for _, external_id, _ in held.documents) == names
    assert {n_versions for *_, n_versions in held.documents} == {1}, "a document was written twice"
