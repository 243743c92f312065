"""What documents tell the whole vault, in Postgres: rows of each version, and those that detectors reckon with."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.detection import Detected
from domain.people import EVERYONE, Viewer
from domain.surroundings import Departed, Replaced, Surroundings
from infra.analysis import WordAnalyzer
from infra.store.chunk_writing import tenant_lexeme
from infra.store.columns import N_PARTS, PART
from infra.store.texts import storable

MAX_TOLD = 2_000
"""The newest documents come first; an older vault's records are cited no more."""
TURN = sa.text("select pg_advisory_xact_lock(hashtextextended('gaps', :tenant))")
"""One document's findings of a tenant are written at a time: who forgets a gap must not miss new evidence for it."""
COLUMNS = "kind, subject, successor, since"
TOLD = f"""
select {COLUMNS} from (
    select t.kind, t.subject, t.successor, t.since, max(d.id) as document_id from tidings t
    join detections f on (f.tenant_id, f.document_id) = (t.tenant_id, t.document_id)
    join documents d on (d.tenant_id, d.id, d.version_id) = (f.tenant_id, f.document_id, f.version_id)
    join document_access a on (a.tenant_id, a.document_id, a.principal) = (d.tenant_id, d.id, :everyone)
    group by t.kind, t.subject, t.successor, t.since
) t order by document_id desc, {COLUMNS} limit {MAX_TOLD}
"""
KNOWN = f"select {COLUMNS}, id from known_tidings order by id"
FORGET = "delete from known_tidings where tenant_id = :tenant"
LEARN = f"insert into known_tidings (tenant_id, {COLUMNS}) values (:tenant, :kind, :subject, :successor, :since)"
ADD = f"""
insert into tidings (tenant_id, document_id, {COLUMNS})
values (:tenant, :document, :kind, :subject, :successor, :since)
"""
CALL_AGAIN = f"""
update detections set detector = '' where document_id in (
    select i.document_id from chunk_index i where i.tenant_id = :tenant and {PART} and i.tsv @@ cast(:query as tsquery)
)
"""
"""Through the word index: what a change costs is what speaks of it."""


class Tiding(msgspec.Struct, frozen=True):
    """One row; `successor` and `since` where its kind has them."""

    kind: str
    subject: str
    successor: str = ""
    since: datetime | None = None


async def add_tidings(connection: AsyncConnection, tenant_id: int, document_id: int, detected: Detected) -> None:
    """Write what a document tells beside its detection, and go with it."""
    told = {
        *(Tiding("replaced", storable(one.record), storable(one.by)) for one in detected.replaced),
        *(Tiding("departed", storable(one.name), since=one.since) for one in detected.departed),
    }
    if told:
        await connection.execute(sa.text(ADD), _binds(told, tenant=tenant_id, document=document_id))


class TidingStore:
    """One tenant's tidings."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer, analyzer: WordAnalyzer) -> None:
        self._connection = connection
        self._viewer = viewer
        self._analyzer = analyzer

    async def surroundings(self) -> Surroundings:
        rows = (await self._connection.execute(sa.text(KNOWN))).all()
        return Surroundings(
            replaced=tuple(Replaced(row.subject, row.successor) for row in rows if row.kind == "replaced"),
            departed=tuple(Departed(row.subject, row.since) for row in rows if row.kind == "departed"),
            mark=max((row.id for row in rows), default=0),
        )

    async def renew(self) -> bool:
        tenant = {"tenant": self._viewer.tenant_id}
        await self._connection.execute(TURN, tenant)
        told = await self._tidings(TOLD, everyone=EVERYONE)
        changed = {*told} ^ {*await self._tidings(KNOWN)}
        if changed:
            await self._connection.execute(sa.text(FORGET), tenant)
            if told:
                await self._connection.execute(sa.text(LEARN), _binds(told, **tenant))
            query = self.query(sorted({one.subject for one in changed}))
            await self._connection.execute(
                sa.text(CALL_AGAIN), {**tenant, "part": self._viewer.tenant_id % N_PARTS, "query": query}
            )
        return bool(changed)

    def query(self, subjects: Sequence[str]) -> str:
        """Return a tsquery for the chunks that hold all words of a subject; an identifier is found by its parts."""
        held = (dict.fromkeys(word.lexeme for word in self._analyzer.words(_apart(each))) for each in subjects)
        alternatives = " | ".join(f"({' & '.join(map(_quoted, each))})" for each in held if each)
        return f"{_quoted(tenant_lexeme(self._viewer.tenant_id))} & ({alternatives or _quoted(' nothing')})"

    async def _tidings(self, statement: str, **binds: object) -> list[Tiding]:
        rows = await self._connection.execute(sa.text(statement), binds)
        return [Tiding(row.kind, row.subject, row.successor, row.since) for row in rows]


def _binds(told: Iterable[Tiding], **more: object) -> list[dict[str, object]]:
    return [{**more, **msgspec.structs.asdict(each)} for each in told]


def _apart(subject: str) -> str:
    """`ADR-12` in words that `ADR-12/13` has too."""
    return "".join(letter if letter.isalnum() or letter in "'’" else " " for letter in subject)


def _quoted(lexeme: str) -> str:
    escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
