"""No tenant sees or touches another's rows; tables are read from the catalogue, so a new one is covered by itself."""

import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.people import Viewer
from infra.database import tenant_transaction
from tests import factories

WITHOUT_POLICY = {"chunk_index", "due_syncs"}
"""For the first, row security would switch its GIN index off; it holds no text and is always joined to tables that have
a policy. The second says of all tenants whose turn it is: ids and times, and nothing else."""


async def tenant_tables(connection: AsyncConnection) -> list[str]:
    """The tables with a tenant in them, parents before children."""
    rows = await connection.execute(
        sa.text("""
            select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
            where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
            and a.attname = 'tenant_id' and not a.attisdropped order by c.oid
        """)
    )
    return list(rows.scalars())


async def locked_tables(connection: AsyncConnection) -> list[str]:
    return [table for table in await tenant_tables(connection) if table not in WITHOUT_POLICY]


async def count(connection: AsyncConnection, table: str) -> int:
    return int((await connection.execute(sa.text(f'select count(*) from "{table}"'))).scalar_one())


async def columns_of(connection: AsyncConnection, table: str) -> list[tuple[str, str]]:
    """Columns that must be given, with their type: neither nullable, nor generated, nor with a default."""
    rows = await connection.execute(
        sa.text("""
            select attname, format_type(atttypid, atttypmod) from pg_attribute
            where attrelid = cast(:table as regclass) and attnum > 0 and not attisdropped
            and (attnotnull and not atthasdef and attidentity = '') order by attnum
        """),
        {"table": table},
    )
    return [(name, kind) for name, kind in rows]


VALUES = {
    "bigint": "1",
    "integer": "1",
    "real": "1",
    "double precision": "1",
    "boolean": "false",
    "timestamp with time zone": "now()",
    "text": "'member'",
    "text[]": "'{}'",
    "bytea": "'x'",
    "json": "'{}'",
    "jsonb": "'{}'",
}
"""What may stand in a column of a type. Constraints may refuse it, but only after the policy has been asked."""


async def insert_for(connection: AsyncConnection, table: str, tenant_id: int) -> None:
    columns = await columns_of(connection, table)
    names = ", ".join(name for name, _ in columns)
    values = ", ".join(str(tenant_id) if name == "tenant_id" else VALUES.get(kind, "null") for name, kind in columns)
    await connection.execute(sa.text(f'insert into "{table}" ({names}) values ({values})'))


PLANTS = {
    "sessions": "(tenant_id, user_id, token_hash, expires_at) values (:tenant, :user, :token, now())",
    "invitations": "(tenant_id, email, role, token_hash, expires_at)"
    " values (:tenant, 'a@b.c', 'member', :token, now())",
    "api_tokens": "(tenant_id, user_id, name, token_hash) values (:tenant, :user, 'Import', :token)",
    "audit_events": "(tenant_id, actor, action, subject) values (:tenant, 'Ada', 'document.deleted', 'Minutes')",
    "integrations": "(tenant_id, kind, name) values (:tenant, 'upload', 'Uploads')",
    "blobs": "(tenant_id, size_bytes, sha256) values (:tenant, 1, '')",
    "blob_parts": "(tenant_id, blob_id, ordinal, bytes) select tenant_id, id, 0, 'x' from blobs",
    "uploads": "(tenant_id, name, size_bytes, sha256, principals, uploaded_by)"
    " values (:tenant, 'a', 1, '', '{}', 'Ada')",
    "syncs": "(tenant_id, integration_id, trigger, requested_by) select tenant_id, id, 'person', '' from integrations",
    "sync_failures": "(tenant_id, integration_id, sync_id, external_id, name, reason)"
    " select tenant_id, integration_id, id, 'a', 'a', 'empty' from syncs",
    "documents": "(tenant_id, integration_id, external_id, title, media_type, size_bytes, content_hash, sorted_at)"
    " select tenant_id, id, 'a', 'Minutes', 'text/plain', 1, '', now() from integrations",
    "document_versions": "(tenant_id, document_id, ordinal, text, blocks, metadata, content_hash)"
    " select tenant_id, id, 1, 'text', '[]', '{}', '' from documents",
    "document_access": "(tenant_id, document_id, principal) select tenant_id, id, 'tenant' from documents",
    "chunks": "(tenant_id, document_id, version_id, ordinal, start_at, end_at, heading_path, text, content_hash, model)"
    " select tenant_id, document_id, id, 0, 0, 4, '{}', 'text', 'x', 'words@1' from document_versions",
    "glossary": "(tenant_id, document_id, short, long) select tenant_id, id, 'SLO', 'service level objective'"
    " from documents",
    "lexemes": "(tenant_id, lexeme, n_chunks) values (:tenant, 'text', 1)",
    "lexical_statistics": "(tenant_id) values (:tenant)",
    "search_models": "(tenant_id, model) values (:tenant, 'words@1')",
    "vault_overviews": "(tenant_id, mark) values (:tenant, 'x')",
    "name_readings": "(tenant_id, document_id, version_id) select tenant_id, id, 1 from documents",
    "parse_settings": "(tenant_id, version, timeout_s, max_memory_bytes, max_unpacked_bytes, max_characters)"
    " values (:tenant, 2, 30, 1, 1, 1)",
    "conversations": "(tenant_id, user_id, name) values (:tenant, :user, 'Database')",
    "oauth_nonces": "(tenant_id, user_id, nonce_hash, verifier, expires_at)"
    " values (:tenant, :user, :token, 'verifier', now())",
    "credentials": "(tenant_id, integration_id, key_id, sealed) select tenant_id, id, 'key', 'x' from integrations",
    "sync_items": "(tenant_id, integration_id, sync_id, external_id, name, stage)"
    " select tenant_id, integration_id, id, 'a', 'a', 'visible' from syncs",
    "sync_parts": "(tenant_id, sync_id, attempt, ordinal, items) select tenant_id, id, 1, 1, '[]' from syncs",
    "deletion_guards": "(tenant_id, integration_id, sync_id, state)"
    " select tenant_id, id, 1, 'asking' from integrations",
    "classifications": "(tenant_id, document_id, owner_id, label, decided_by, reason)"
    " select tenant_id, id, :user, 'unsure', 'rule', '' from documents",
    "member_addresses": "(tenant_id, user_id, email, proof) values (:tenant, :user, 'a@b.c', 'consent')",
    "source_groups": "(tenant_id, integration_id, principal, title)"
    " select tenant_id, id, 'group:1:C1', '#c' from integrations",
    "group_members": "(tenant_id, principal, member) select tenant_id, principal, 'email:a@b.c' from source_groups",
    "received_mails": "(tenant_id, integration_id, digest, sender, content)"
    " select tenant_id, id, 'x', 'a@b.c', 'x' from integrations",
    "provider_apps": "(tenant_id, app, client_id, key_id, sealed) values (:tenant, 'google', 'id', 'key', 'x')",
    "detections": "(tenant_id, document_id, version_id, detector) select tenant_id, id, 1, '1' from documents",
    "frames": "(tenant_id, document_id, type, start_at, end_at, slots, is_negated, modality, weight)"
    " select tenant_id, document_id, 'decision', 0, 4, '[]', false, 'actual', 1 from detections",
    "gaps": "(tenant_id, kind, fingerprint) values (:tenant, 'vague_time', 'x')",
    "gap_evidence": "(tenant_id, gap_id, document_id, start_at, end_at, question, person, score)"
    " select g.tenant_id, g.id, f.document_id, 0, 4, 'When?', '', 1 from gaps g, detections f",
    "document_terms": "(tenant_id, document_id, term, is_explained, start_at, end_at, topic)"
    " select tenant_id, document_id, 'SLO', false, 0, 4, '' from detections",
    "gap_verdicts": "(tenant_id, gap_id, user_id, is_useful) select tenant_id, id, :user, true from gaps",
    "gap_lessons": "(tenant_id, kind, forgotten_at, forgotten_by) values (:tenant, 'vague_time', now(), 'Ada')",
    "claims": "(tenant_id, document_id, version_id, start_at, end_at, mark, claim, model, embedding)"
    " select tenant_id, document_id, 1, 0, 4, 'x', '{}', 'words@1', cast(array_fill(0, array[384]) as halfvec(384))"
    " from detections",
    "claim_terms": "(tenant_id, term, claim_id) select tenant_id, 'ledger', id from claims",
    "contradictions": "(tenant_id, fingerprint, kind) values (:tenant, 'x', 'number')",
    "contradiction_evidence": "(tenant_id, contradiction_id, a_claim_id, b_claim_id, score)"
    " select k.tenant_id, k.id, c.id, c.id, 1 from contradictions k, claims c",
    "gap_answers": "(tenant_id, gap_id, evidence_document_id, evidence_version_id, question)"
    " select tenant_id, gap_id, document_id, 1, 'When?' from gap_evidence",
    "gap_answer_versions": "(tenant_id, answer_id, ordinal, text, author, via)"
    " select tenant_id, id, 1, 'In May', 'Ada', 'page' from gap_answers",
    "gap_answer_files": "(tenant_id, answer_id, upload_id)"
    " select a.tenant_id, a.id, u.id from gap_answers a, uploads u",
    "gap_requests": "(tenant_id, gap_id, user_id, asked_by, note) select tenant_id, id, :user, 'Ada', '' from gaps",
    "gap_refusals": "(tenant_id, gap_id, user_id) select tenant_id, id, :user from gaps",
    "weekly_notes": "(tenant_id, user_id, week) values (:tenant, :user, '2026-11-23')",
    "tidings": "(tenant_id, document_id, kind, subject)"
    " select tenant_id, document_id, 'departed', 'Otto Fell' from detections",
    "known_tidings": "(tenant_id, kind, subject) values (:tenant, 'departed', 'Otto Fell')",
    "note_questions": "(tenant_id, user_id, week, place, gap_id)"
    " select n.tenant_id, n.user_id, n.week, 1, g.id from weekly_notes n, gaps g",
    "handovers": "(tenant_id, name, leader_id, created_by, principals) values (:tenant, 'Otto', :user, 'Ada', '{}')",
    "handover_questions": "(tenant_id, handover_id, place, topic, question, weight)"
    " select tenant_id, id, 1, 'ledger', 'How?', 1 from handovers",
    "document_verifications": "(tenant_id, document_id, verifier_id, every_days)"
    " select tenant_id, id, :user, 30 from documents",
    "messages": "(tenant_id, conversation_id, role, state, text)"
    " select tenant_id, id, 'question', 'complete', 'Why?' from conversations",
    "answer_notices": "(tenant_id, contradiction_id, message_id, user_id)"
    " select m.tenant_id, k.id, m.id, :user from messages m, contradictions k",
    "unanswered_questions": "(tenant_id, user_id, message_id, question, confidence)"
    " select tenant_id, :user, id, 'Why?', 0 from messages",
    "answer_feedback": "(tenant_id, message_id, user_id, verdict) select tenant_id, id, :user, 'up' from messages",
    "feedback_documents": "(tenant_id, message_id, user_id, document_id)"
    " select f.tenant_id, f.message_id, f.user_id, d.id from answer_feedback f, documents d",
    "golden_questions": "(tenant_id, question, expects, origin, added_by)"
    " values (:tenant, 'Why?', 'answer', 'entered', 'Ada')",
    "golden_evidence": "(tenant_id, question_id, document_id)"
    " select q.tenant_id, q.id, d.id from golden_questions q, documents d",
    "golden_runs": "(tenant_id, cause) values (:tenant, 'asked')",
    "golden_results": "(tenant_id, run_id, question_id, outcome, confidence)"
    " select r.tenant_id, r.id, q.id, 'passed', 1 from golden_runs r, golden_questions q",
    "entities": "(tenant_id, kind) values (:tenant, 'system')",
    "entity_aliases": "(tenant_id, entity_id, kind, key, name)"
    " select tenant_id, id, 'system', 'n:ledger', 'ledger' from entities",
    "entity_keys": "(tenant_id, key, alias_id) select tenant_id, 'o:ledger', id from entity_aliases",
    "mentions": "(tenant_id, document_id, version_id, alias_id, start_at, end_at)"
    " select v.tenant_id, v.document_id, v.id, a.id, 0, 4 from document_versions v, entity_aliases a",
    "relations": "(tenant_id, subject_id, kind, object_id) select tenant_id, id, 'uses', id from entity_aliases",
    "relation_proofs": "(tenant_id, relation_id, document_id, version_id, start_at, end_at)"
    " select v.tenant_id, r.id, v.document_id, v.id, 0, 4 from document_versions v, relations r",
    "entity_merges": "(tenant_id, entity_id, alias_id, reason) select tenant_id, entity_id, id, '' from entity_aliases",
}
"""One row for each table, parents before children; a new table without one fails the test that counts."""


async def plant(engine: AsyncEngine, viewer: Viewer) -> None:
    """Put a row of the viewer's tenant into every locked table, so that an empty one cannot pass for a locked one."""
    async with tenant_transaction(engine, viewer.tenant_id) as connection:
        for table, row in PLANTS.items():
            await connection.execute(
                sa.text(f"insert into {table} {row}"),
                {"tenant": viewer.tenant_id, "user": viewer.user_id, "token": uuid.uuid4().bytes},
            )


@pytest_asyncio.fixture
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction in which nobody said which tenant it is for; rolled back."""
    async with engine.connect() as connection:
        yield connection
        await connection.rollback()


async def test_the_application_is_neither_superuser_nor_may_it_bypass_row_security(connection: AsyncConnection) -> None:
    rows = await connection.execute(sa.text("select rolsuper, rolbypassrls from pg_roles where rolname = current_user"))
    assert tuple(rows.one()) == (False, False)


async def test_every_tenant_table_has_forced_row_security_and_a_policy(connection: AsyncConnection) -> None:
    rows = await connection.execute(
        sa.text("""
            select c.relname, c.relrowsecurity, c.relforcerowsecurity,
                   exists (select 1 from pg_policies p where p.tablename = c.relname and p.schemaname = 'public')
            from pg_class c where c.relname = any(:tables) and c.relnamespace = 'public'::regnamespace order by 1
        """),
        {"tables": await tenant_tables(connection)},
    )
    open_tables = {name for name, *locks in rows if locks != [True, True, True]}
    assert open_tables == WITHOUT_POLICY


async def test_the_table_of_tenants_itself_is_locked(connection: AsyncConnection, viewer: Viewer) -> None:
    assert await count(connection, "tenants") == 0


async def test_the_one_table_without_a_policy_holds_no_text(connection: AsyncConnection) -> None:
    rows = await connection.execute(
        sa.text(
            "select format_type(atttypid, null) from pg_attribute"
            " where attrelid = 'chunk_index'::regclass and attnum > 0 and not attisdropped order by attnum"
        )
    )
    assert set(rows.scalars()) <= {"bigint", "integer", "boolean", "tsvector", "sparsevec", "halfvec"}


async def test_without_a_tenant_nobody_sees_a_row_and_with_one_only_its_own(
    engine: AsyncEngine, connection: AsyncConnection, viewer: Viewer
) -> None:
    stranger = await factories.member(engine)
    await plant(engine, viewer)
    await plant(engine, stranger)
    for table in await locked_tables(connection):
        assert await count(connection, table) == 0, table
    async with tenant_transaction(engine, viewer.tenant_id) as own:
        for table in await locked_tables(own):
            rows = await own.execute(sa.text(f'select distinct tenant_id from "{table}" order by 1'))
            assert list(rows.scalars()) == [viewer.tenant_id], f"{table}: nothing planted, or a foreign row is visible"


async def test_nobody_writes_a_row_for_another_tenant(engine: AsyncEngine, viewer: Viewer) -> None:
    stranger = await factories.member(engine)
    async with tenant_transaction(engine, viewer.tenant_id) as own:
        tables = await locked_tables(own)
    for table in tables:
        with pytest.raises(ProgrammingError, match="violates row-level security policy"):
            async with tenant_transaction(engine, viewer.tenant_id) as own:
                await insert_for(own, table, stranger.tenant_id)


async def test_nobody_changes_or_deletes_rows_of_another_tenant(engine: AsyncEngine, viewer: Viewer) -> None:
    stranger = await factories.member(engine)
    await plant(engine, stranger)
    async with tenant_transaction(engine, viewer.tenant_id) as own:
        for table in await locked_tables(own):
            for statement in (f'update "{table}" set tenant_id = tenant_id', f'delete from "{table}"'):
                found = await own.execute(
                    sa.text(f"{statement} where tenant_id = :tenant"), {"tenant": stranger.tenant_id}
                )
                assert found.rowcount == 0, statement
