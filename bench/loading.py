"""First loads: chunks written under the search indexes, against indexes built afterwards.

    python -m bench.loading [chunks]

A scratch Postgres as the product starts it. A document's three chunks are one statement, as in a sync; the rows lie
ready in the database, so that nothing but tables and indexes is measured.
"""

import sys
import tempfile
import time
import warnings
from pathlib import Path

import psycopg

from infra.embedded import embedded
from infra.migrations import migrate

N_CHUNKS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
CHUNKS_A_DOCUMENT = 3
STAGE = """
create unlogged table staged as
select n as chunk_id, n / {size} as document_id, 120 as n_words,
    array_to_tsvector(array(
        select distinct 'w' || floor(30000 * power(random(), 3)) from generate_series(1, 90 + n * 0)
    )) as tsv,
    cast(l2_normalize(cast(array(
        select random() - 0.5 + 0.3 * sin(n % 200 * d) from generate_series(1, 384) d
    ) as halfvec)) as halfvec(384)) as embedding
from generate_series(0, {n} - 1) n;
create index on staged (document_id);
"""
WORDS = "create index {table}_tsv on {table} using gin (tsv) with (fastupdate = {fastupdate})"
MEANING = "create index {table}_embedding on {table} using hnsw (embedding halfvec_ip_ops)"


def load(connection: psycopg.Connection, table: str, *indexes: str) -> float:
    """Return the seconds for writing all documents, each in a transaction, under these indexes."""
    connection.execute(f"create table {table} (like staged)")
    for index in indexes:
        connection.execute(index.format(table=table, fastupdate="off"))
    started = time.perf_counter()
    for document in range(-(-N_CHUNKS // CHUNKS_A_DOCUMENT)):
        connection.execute(f"insert into {table} select * from staged where document_id = %s", [document])
    return time.perf_counter() - started


def build(connection: psycopg.Connection, index: str, memory: str) -> float:
    """Return the seconds for building an index over a full table."""
    connection.execute(f"set maintenance_work_mem = '{memory}'")
    connection.execute("drop index if exists bare_tsv, bare_embedding")
    started = time.perf_counter()
    connection.execute(index.format(table="bare", fastupdate="off"))
    return time.perf_counter() - started


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, embedded(Path(folder)) as servers:
        migrate(servers.database_url)
        with psycopg.connect(servers.database_url, autocommit=True) as connection:
            connection.execute(STAGE.format(n=N_CHUNKS, size=CHUNKS_A_DOCUMENT))
            per_chunk = 1000 / N_CHUNKS
            print(f"\n{N_CHUNKS:,} chunks, {CHUNKS_A_DOCUMENT} a document; milliseconds a chunk")
            bare = load(connection, "bare")
            print(f"  written without an index        {bare * per_chunk:6.2f}", flush=True)
            for name, index in (("words (GIN)", WORDS), ("meaning (HNSW)", MEANING)):
                under = load(connection, name[:5], index) - bare
                print(f"  {name:15} written under  {under * per_chunk:6.2f}", flush=True)
                for memory in ("64MB", "512MB"):
                    took = build(connection, index, memory)
                    print(
                        f"  {'':15} built after, {memory:5} {took * per_chunk:6.2f}   {under / took:.1f} x", flush=True
                    )
            pending = load(connection, "pending", WORDS.replace("{fastupdate}", "on")) - bare
            print(f"  words with a pending list       {pending * per_chunk:6.2f}", flush=True)


if __name__ == "__main__":
    main()
