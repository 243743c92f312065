"""What only the whole vault shows, in Postgres: terms, links and the care of systems in, vault-wide gaps out."""

import posixpath
from collections.abc import Sequence
from itertools import zip_longest

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.people import Viewer
from domain.surroundings import FAMILIAR_FROM
from domain.whole_vault import BrokenLink, Care, TermUse, VaultGap
from infra.store.access import READABLE, access_binds
from infra.store.texts import storable

RUNBOOK = r"\m(runbook|playbook|failover|recovery|incident|troubleshoot\w*|how to|procedure|on.?call|restart\w*)\M"
BACKUP = r"\m(back(ed)?.?ups?|restor\w+|replica\w*|snapshots?|archiv\w+)\M"
OWNER = r"\m(owner|owns|owned by|maintain(s|ed|er)|looks after|responsible)\M"
DATA = r"[^\n|]{0,60}\m(databases?|stores?|storage|warehouse|archive)\M"
"""What follows a system's name where it keeps something."""
SPECIAL, ESCAPED = r"([^a-zA-Z0-9 ])", r"\\\1"
"""A name as a pattern that matches it."""
DOCUMENTS = (".md", ".markdown", ".txt", ".html", ".htm", ".pdf", ".docx")
"""What a vault would hold, were it there; pictures and programs it does not."""
MAX_PATHS = 50_000
UNEXPLAINED = f"""
select t.document_id, t.term, t.start_at as start, t.end_at as "end", t.topic from document_terms t
where t.tenant_id = :tenant and not t.is_explained and t.term in (
    select u.term from document_terms u where u.tenant_id = :tenant group by u.term
    having not bool_or(u.is_explained) and count(*) < {FAMILIAR_FROM} order by count(*) desc, u.term limit :limit
) and not exists (
    select from glossary g where g.tenant_id = t.tenant_id and lower(g.short) = lower(t.term)
) order by t.term, t.document_id
"""
IS_ASKED = """exists (
    select from gap_evidence e join gaps g on (g.tenant_id, g.id) = (e.tenant_id, e.gap_id)
    where (e.tenant_id, e.document_id) = (p.tenant_id, p.document_id) and e.origin <> 'vault'
    and g.kind = 'system_without_owner' and position(lower(p.name) in lower(e.question)) > 0
)"""
"""A sentence or a row asks for its owner already."""
CARE = f"""
with place as (
    select distinct a.entity_id, a.name, d.tenant_id, d.id as document_id, d.title from entity_aliases a
    join mentions m on (m.tenant_id, m.alias_id) = (a.tenant_id, a.id)
    join documents d on (d.tenant_id, d.id, d.version_id) = (m.tenant_id, m.document_id, m.version_id)
    where a.entity_id = any(:ids) and {READABLE}
)
select p.entity_id, bool_or(p.title ~* :runbook or array_to_string(c.heading_path, ' ') ~* :runbook) as has_runbook,
    bool_or(c.text ~* :backup) as has_backup, bool_or(c.text ~* :owner or {IS_ASKED}) as has_owner,
    bool_or(c.text ~* (regexp_replace(p.name, :special, :escaped, 'g') || :data)) as keeps_data
from place p join chunks c on (c.tenant_id, c.document_id) = (p.tenant_id, p.document_id)
where position(lower(p.name) in lower(p.title || ' ' || c.text)) > 0 group by p.entity_id order by p.entity_id
"""
LINKED = """
select d.id, d.integration_id, d.external_id, v.text, v.metadata->>'links' as links,
    v.metadata->>'link_words' as link_words from documents d
join document_versions v on (v.tenant_id, v.id) = (d.tenant_id, d.version_id)
where v.metadata ? 'links' order by d.id desc limit 500
"""
PUT = """
insert into gap_evidence (tenant_id, gap_id, document_id, start_at, end_at, question, person, score, origin)
select :tenant, g.id, f.document_id, :start, :end, :question, :person, :score, 'vault' from gaps g
join detections f on f.tenant_id = g.tenant_id and f.document_id = :document where g.fingerprint = :fingerprint
for key share of f
on conflict (tenant_id, gap_id, document_id, start_at) do update set question = excluded.question
"""
NEWS = sa.text("""
select now.mark from (select md5(concat_ws(' ', current_date,
    (select concat_ws(' ', count(*), sum(version_id)) from documents where gone_at is null),
    (select sum(hashtextextended(principal, document_id) / 4294967296) from document_access),
    (select sum(hashtextextended(member, hashtext(principal)) / 4294967296) from group_members),
    (select concat_ws(' ', count(*), sum(hashtext(detector))) from detections),
    (select concat_ws(' ', count(*), sum(entity_id)) from entity_aliases),
    (select concat_ws(' ', count(*), max(id)) from unanswered_questions)
)) as mark) now
where not exists (select from vault_overviews o where o.mark = now.mark)
""")
"""A sum over all that what is found may rest on."""
NOTE = sa.text(
    "insert into vault_overviews (tenant_id, mark) values (:tenant, :mark)"
    " on conflict (tenant_id) do update set mark = excluded.mark"
)
DROP = """
delete from gap_evidence e using gaps g where g.tenant_id = e.tenant_id and g.id = e.gap_id and e.origin = 'vault'
and (g.fingerprint, e.document_id, e.start_at) not in (
    select * from unnest(cast(:fingerprints as text[]), cast(:documents as bigint[]), cast(:starts as int[]))
)
"""


class WholeVaultStore:
    """One tenant's vault as a whole."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def _rows(self, statement: str, **binds: object) -> Sequence[sa.Row[tuple[object, ...]]]:
        given = {**access_binds(self._viewer), "tenant": self._viewer.tenant_id, **binds}
        return (await self._connection.execute(sa.text(statement), given)).all()

    async def unexplained(self, limit: int) -> list[TermUse]:
        rows = await self._rows(UNEXPLAINED, limit=limit)
        return [msgspec.convert(dict(row._mapping), TermUse) for row in rows]

    async def care(self, entity_ids: Sequence[int]) -> list[Care]:
        rows = await self._rows(
            CARE,
            ids=list(entity_ids),
            runbook=RUNBOOK,
            backup=BACKUP,
            owner=OWNER,
            data=DATA,
            special=SPECIAL,
            escaped=ESCAPED,
        )
        return [msgspec.convert(dict(row._mapping), Care) for row in rows]

    async def broken_links(self, limit: int) -> list[BrokenLink]:
        linked = await self._rows(LINKED)
        if not linked:
            return []
        paths = await self._rows(
            "select integration_id, external_id from documents where integration_id = any(:ids) limit :limit",
            ids=sorted({int(str(row.integration_id)) for row in linked}),
            limit=MAX_PATHS,
        )
        held = {(row.integration_id, str(row.external_id)) for row in paths}
        folders = {(integration, posixpath.dirname(path)) for integration, path in held}
        found = []
        for row in linked:
            words = str(row.link_words or "").split("\n")
            for target, said in zip_longest(str(row.links).split("\n"), words, fillvalue=""):
                path = posixpath.normpath(posixpath.join(posixpath.dirname(str(row.external_id)), target))
                is_near = (row.integration_id, posixpath.dirname(path)) in folders
                if path.endswith(DOCUMENTS) and is_near and (row.integration_id, path) not in held:
                    found.append(_broken(int(str(row.id)), str(row.text), target, said))
        return found[:limit]

    async def news(self) -> str:
        rows = await self._connection.execute(NEWS)
        return str(rows.scalar_one_or_none() or "")

    async def note(self, mark: str) -> None:
        await self._connection.execute(NOTE, {"tenant": self._viewer.tenant_id, "mark": mark})

    async def replace(self, found: Sequence[VaultGap]) -> None:
        binds = [
            {
                "tenant": self._viewer.tenant_id,
                "document": each.document_id,
                "kind": each.gap.kind.value,
                "fingerprint": each.fingerprint,
                "start": each.gap.start,
                "end": each.gap.end,
                "question": storable(each.gap.question),
                "person": storable(each.gap.person),
                "score": each.gap.score,
            }
            for each in sorted(found, key=lambda each: (each.fingerprint, each.document_id))
        ]
        if binds:
            await self._connection.execute(
                sa.text(
                    "insert into gaps (tenant_id, kind, fingerprint) values (:tenant, :kind, :fingerprint)"
                    " on conflict (tenant_id, fingerprint) do nothing"
                ),
                binds,
            )
            await self._connection.execute(sa.text(PUT), binds)
        await self._rows_dropped(found)

    async def _rows_dropped(self, found: Sequence[VaultGap]) -> None:
        await self._connection.execute(
            sa.text(DROP),
            {
                "fingerprints": [each.fingerprint for each in found],
                "documents": [each.document_id for each in found],
                "starts": [each.gap.start for each in found],
            },
        )
        await self._connection.execute(
            sa.text(
                "delete from gaps g where g.state = 'open' and not exists (select from gap_evidence e"
                " where (e.tenant_id, e.gap_id) = (g.tenant_id, g.id))"
            )
        )


def _broken(document_id: int, text: str, target: str, said: str) -> BrokenLink:
    """The link stands where its words do, or its file's name, if the text has that; else at the beginning."""
    name = posixpath.basename(target).rpartition(".")[0].replace("-", " ").replace("_", " ").lower()
    at = max(text.find(said) if said else -1, 0) or max(text.lower().find(name), 0)
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at) if text.find("\n", at) >= 0 else len(text)
    return BrokenLink(document_id, target, start, end, text[start:end])
