"""Search statements: exact BM25, the index that serves them, and that they show nothing foreign."""

import math
import uuid
from collections import Counter

import numpy as np
import pytest
import sqlalchemy as sa

from domain.lexical import K1, B
from domain.people import Viewer
from domain.retrieval import search
from domain.search import SearchFilter
from domain.vault import Tools
from infra.database import tenant_transaction
from infra.store import Stores, passage_sql, passages
from infra.store.access import access_binds
from infra.store.columns import N_PARTS
from tests import factories
from tests.factories import Source

TEXTS = {
    "a.md": "The pump cools the reactor. The pump is old.",
    "b.md": "The reactor was painted green in spring, and the paint is peeling by now.",
    "c.md": "A pump handle.",
    "d.md": "Lunch is at noon.",
}


async def scores(stores: Stores, viewer: Viewer, question: str) -> dict[str, float]:
    async with stores.open_vault(viewer) as vault:
        found = await vault.passages.lexical(question, SearchFilter(), 50)
        loaded = await vault.passages.load([each.chunk_id for each in found])
    return {passage.title: each.score for passage, each in zip(loaded, found, strict=True)}


async def test_the_lexical_score_is_bm25_with_the_tenants_own_statistics(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = dict(TEXTS)
    await factories.synced(stores, tools, viewer)
    words = {
        name: Counter(
            [each.lexeme for each in tools.analyzer.words(text)]
            + 2 * [each.lexeme for each in tools.analyzer.words(name.removesuffix(".md"))]
        )
        for name, text in TEXTS.items()
    }
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        pivot = (await connection.execute(sa.text("select pivot_words from lexical_statistics"))).scalar_one()
    mean = sum(sum(counted.values()) for counted in words.values()) / len(words)
    assert pivot == pytest.approx(mean, rel=0.15), "the weights were settled against the tenant's mean length"

    def bm25(name: str) -> float:
        total = 0.0
        for lexeme in ("pump", "reactor"):
            n = sum(lexeme in counted for counted in words.values())
            idf = math.log(1 + (len(words) - n + 0.5) / (n + 0.5))
            tf = words[name][lexeme]
            norm = K1 * (1 - B + B * sum(words[name].values()) / pivot)
            total += idf * tf * (K1 + 1) / (tf + norm)
        return total

    found = await scores(stores, viewer, "pump reactors")
    assert found == pytest.approx({title: bm25(f"{title}.md") for title in found}, rel=1e-4)
    assert list(found) == sorted(found, key=found.__getitem__, reverse=True)
    assert set(found) == {"a", "b", "c"}


async def test_statistics_stay_exact_under_insertion_change_and_deletion(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = dict(TEXTS)
    await factories.synced(stores, tools, viewer)
    source.files["a.md"] = "Only turbines here."
    del source.files["b.md"]
    source.files["e.md"] = "Turbines and pumps."
    await factories.synced(stores, tools, viewer)
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        counted = (await connection.execute(sa.text("select lexeme, n_chunks from lexemes where n_chunks <> 0"))).all()
        true = (
            await connection.execute(
                sa.text(
                    "select w.lexeme, count(*)::int from chunk_index i, unnest(i.tsv) w where i.tenant_id = :tenant"
                    " and left(w.lexeme, 1) <> ' ' group by 1"
                ),
                {"tenant": viewer.tenant_id},
            )
        ).all()
        totals = (await connection.execute(sa.text("select n_chunks, n_words from lexical_statistics"))).one()
        true_totals = (
            await connection.execute(
                sa.text("select count(*), sum(n_words) from chunk_index where tenant_id = :tenant"),
                {"tenant": viewer.tenant_id},
            )
        ).one()
    assert sorted(map(tuple, counted)) == sorted(map(tuple, true))
    assert tuple(totals) == tuple(true_totals)


async def test_nobody_finds_what_is_not_theirs(stores: Stores, tools: Tools, viewer: Viewer, source: Source) -> None:
    source.files = {"secret.md": "# Secret\n\nThe xylophone is hidden.", "open.md": "# Open\n\nA xylophone concert."}
    source.principals = {"secret.md": (f"user:{viewer.user_id}",)}
    await factories.synced(stores, tools, viewer)
    colleague = await factories.member(stores.engine, viewer.tenant_id)
    stranger = await factories.member(stores.engine)
    vector = (await tools.embedder.embed(["xylophone"]))[0]
    for asker, expected in ((viewer, {"Secret", "Open"}), (colleague, {"Open"}), (stranger, set())):
        async with stores.open_vault(asker) as vault:
            lexical = await vault.passages.lexical("xylophone", SearchFilter(), 50)
            dense = await vault.passages.dense(vector, SearchFilter(), 50)
            for leg in (lexical, dense):
                loaded = await vault.passages.load([each.chunk_id for each in leg])
                assert {passage.title for passage in loaded} == expected
                assert len(loaded) == len(leg), "a leg proposes nothing that may not be read"


async def test_a_passage_of_another_tenant_can_not_be_loaded_by_its_number(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {"a.md": "# A\n\nXylophone."}
    await factories.synced(stores, tools, viewer)
    async with stores.open_vault(viewer) as vault:
        ids = [each.chunk_id for each in await vault.passages.lexical("xylophone", SearchFilter(), 5)]
    stranger = await factories.member(stores.engine)
    async with stores.open_vault(stranger) as vault:
        assert await vault.passages.load(ids) == []
        assert not (await vault.passages.vectors(ids)).any()


async def test_the_statements_leak_nothing_even_when_they_name_the_wrong_tenant(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    """Row security on documents is the second lock: the index itself has no policy."""
    source.files = {"a.md": "# A\n\nXylophone."}
    await factories.synced(stores, tools, viewer)
    stranger = await factories.member(stores.engine)
    async with tenant_transaction(stores.engine, stranger.tenant_id) as connection:
        store = passages.PassageStore(connection, viewer, stores.analyzer, ("words@1",))
        vector = (await tools.embedder.embed(["xylophone"]))[0]
        assert await store.dense(vector, SearchFilter(), 5) == []
        rows = await connection.execute(
            sa.text(passage_sql.LEXICAL.format(worded="", within="")),
            {
                **access_binds(viewer),
                "mine": list(viewer.principals),
                "tenant": viewer.tenant_id,
                "part": viewer.tenant_id % N_PARTS,
                "sv": "{1:1}/1000000000",
                "query": f"' {viewer.tenant_id}'",
                "integration": None,
                "media_type": "",
                "author": "",
                "since": None,
                "until": None,
                "limit": 5,
            },
        )
        assert rows.all() == []


@pytest.fixture
async def crowded(stores: Stores, viewer: Viewer) -> Viewer:
    """A tenant with so many chunks that reading them all would cost more than its indexes."""
    binds = {"tenant": viewer.tenant_id, "name": uuid.uuid4().hex}
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        for statement in CROWD:
            await connection.execute(sa.text(statement), binds)
    async with stores.engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await autocommit.execute(sa.text("analyze chunk_index, documents, document_access"))
    return viewer


MANY = "insert into lexical_statistics (tenant_id, n_chunks, n_words) values (:tenant, 50000, 150000)"
CROWD = (
    "insert into integrations (tenant_id, kind, name) values (:tenant, 'folder', :name)",
    "insert into documents"
    " (tenant_id, integration_id, external_id, title, media_type, size_bytes, content_hash, sorted_at)"
    " select :tenant, i.id, n::text, 'T', 'text/plain', 1, '', now() from integrations i, generate_series(1, 3000) n"
    " where i.tenant_id = :tenant and i.name = :name",
    "insert into document_versions (tenant_id, document_id, ordinal, text, blocks, metadata, content_hash)"
    " select tenant_id, id, 1, '', '[]', '{}', '' from documents where tenant_id = :tenant",
    "insert into document_access select tenant_id, id, 'tenant' from documents where tenant_id = :tenant",
    "insert into chunks (tenant_id, document_id, version_id, ordinal, start_at, end_at, heading_path, text,"
    " content_hash, model) select tenant_id, document_id, id, 0, 0, 0, '{}', '', '', '' from document_versions"
    " where tenant_id = :tenant",
    "insert into chunk_index select tenant_id, id, document_id, 3,"
    " array_to_tsvector(array[' ' || tenant_id, 'common', 'word' || (id % 500)]),"
    " cast('{1:1}/1000000000' as sparsevec),"
    " (select array_agg(sin(c.id * g)) from generate_series(1, 384) g)::real[]::halfvec(384)"
    " from chunks c where tenant_id = :tenant",
)


async def explained(stores: Stores, viewer: Viewer, statement: str, **binds: object) -> str:
    given = {
        "mine": list(viewer.principals),
        "integration": None,
        "media_type": "",
        "author": "",
        "since": None,
        "until": None,
        "limit": 10,
    }
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        assert not (await connection.execute(sa.text("select usesuper from pg_user where usename = user"))).scalar()
        rows = await connection.execute(
            sa.text(f"explain {statement}"),
            {**given, **access_binds(viewer), "tenant": viewer.tenant_id, "part": viewer.tenant_id % N_PARTS, **binds},
        )
        return "\n".join(rows.scalars())


async def test_a_phrase_is_looked_for_only_where_its_words_are(stores: Stores, crowded: Viewer) -> None:
    leg = passage_sql.DENSE_OF_ALL.format(worded="", within=passage_sql.WITHIN["phrases"])
    phrased = f"' {crowded.tenant_id}' & 'word7' & 'word8'"
    plan = await explained(stores, crowded, leg, vector=str([0.0] * 384), model="words@1", phrased=phrased)
    assert f"chunk_index_tsv_{crowded.tenant_id % N_PARTS} " in plan, plan


async def test_the_lexical_leg_uses_the_word_index_as_the_plain_role(stores: Stores, crowded: Viewer) -> None:
    plan = await explained(
        stores,
        crowded,
        passage_sql.LEXICAL.format(worded="", within=""),
        sv="{1:1}/1000000000",
        query=f"' {crowded.tenant_id}' & ('word7' | 'word8')",
    )
    assert f"chunk_index_tsv_{crowded.tenant_id % N_PARTS} " in plan, plan


async def test_the_vector_leg_of_a_large_tenant_walks_the_graph(stores: Stores, crowded: Viewer) -> None:
    vector = "[1" + ",0" * 383 + "]"
    plan = await explained(stores, crowded, passage_sql.DENSE.format(worded=""), vector=vector, model="words@1")
    assert f"chunk_index_walk_{crowded.tenant_id % N_PARTS} " in plan, plan
    async with tenant_transaction(stores.engine, crowded.tenant_id) as connection:
        await connection.execute(sa.text(MANY), {"tenant": crowded.tenant_id})
    async with stores.open_vault(crowded) as vault:
        unit = np.eye(384, dtype=np.float32)[0]
        proposed = await vault.passages.propose({}, unit, SearchFilter(), 10 * passages.WALK_DEPTH)
    assert len(proposed.chunk_ids) == passages.WALK_DEPTH, "fewer candidates are enough there"


async def test_the_vector_leg_of_a_large_tenant_finds_what_a_member_may_read_of_it(
    stores: Stores, crowded: Viewer
) -> None:
    """Nine of ten documents are closed to the member, yet the walk goes on until enough have passed."""
    member = await factories.member(stores.engine, crowded.tenant_id)
    binds = {"tenant": crowded.tenant_id}
    async with tenant_transaction(stores.engine, crowded.tenant_id) as connection:
        await connection.execute(
            sa.text(
                "update document_access set principal = 'user:0' where tenant_id = :tenant and document_id % 10 > 0"
            ),
            binds,
        )
        await connection.execute(sa.text(MANY), binds)
    chance = np.random.default_rng(5)
    any_vector, shares = chance.normal(size=384).astype(np.float32), []
    async with stores.open_vault(member) as vault:
        assert isinstance(vault.passages, passages.PassageStore)
        stored = await vault.passages.vectors(
            [each.chunk_id for each in await vault.passages.dense_exact(any_vector, SearchFilter(), 10)]
        )
        for near in stored:
            vector = near + chance.normal(scale=np.abs(near).mean(), size=384).astype(np.float32)
            vector /= np.linalg.norm(vector)
            found = await vault.passages.dense(vector, SearchFilter(), 50)
            best = await vault.passages.dense_exact(vector, SearchFilter(), 10)
            assert len(found) == 50
            shares.append(len({each.chunk_id for each in best} & {each.chunk_id for each in found[:10]}) / 10)
    assert np.mean(shares) >= 0.9, "`python -m bench.searching` measures it at size"


async def test_the_vector_leg_of_a_small_tenant_is_exact(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {f"{number}.md": f"# {number}\n\nword{number} word{number + 1} apple." for number in range(30)}
    await factories.synced(stores, tools, viewer)
    vector = (await tools.embedder.embed(["word7 apple"]))[0]
    async with stores.open_vault(viewer) as vault:
        found = await vault.passages.dense(vector, SearchFilter(), 30)
        vectors = await vault.passages.vectors([each.chunk_id for each in found])
    cosines = vectors @ vector
    assert np.all(np.diff(cosines) <= 1e-3)
    assert [each.score for each in found] == pytest.approx(cosines.tolist(), abs=2e-3)


@pytest.mark.parametrize(
    "question",
    [
        "'",
        "\\",
        "a & b | !c",
        "x:*",
        "' | '",
        "drop table documents; --",
        "🦊 🦊",
        "\u202eabc",
        "a" * 1000,
        "%",
        "Ünïcödé",
    ],
)
async def test_no_question_breaks_the_search(stores: Stores, tools: Tools, viewer: Viewer, question: str) -> None:
    async with stores.open_vault(viewer) as vault:
        results = await search(vault, tools, question, SearchFilter())
    assert results.hits == ()
