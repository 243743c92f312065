"""Claims and contradictions in Postgres: a claim meets its neighbours through the index of its words."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.claims import Claim
from domain.embedding import Matrix
from domain.errors import NotFound
from domain.people import Viewer
from domain.radar import AnswerNotice, Contradiction, KeptClaim, Lost, Pair, Standing, mark, pair_mark
from infra.store.access import access_binds
from infra.store.chunk_writing import dense_text
from infra.store.radar_notices import FORGET, UNREAD, tell
from infra.store.radar_sql import ADD, COUNT_BY_STATE, LOST, MAX_COUNTED, N_HOLDING, NEIGHBOURS, PAGE, PUT, PUT_TERMS
from infra.store.texts import storable

NOT_FOUND = "This contradiction does not exist, or stands in documents that are not both shared with you."
ONE = 1


class RadarStore:
    """The claims of one tenant, and the conflicts that one viewer may see."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer, model: str) -> None:
        self._connection = connection
        self._viewer = viewer
        self._model = model

    async def _rows(self, statement: str, **binds: object) -> Sequence[sa.Row[tuple[object, ...]]]:
        given = {**access_binds(self._viewer), "tenant": self._viewer.tenant_id, **binds}
        return (await self._connection.execute(sa.text(statement), given)).all()

    async def put(self, document_id: int, version_id: int, stated: Sequence[Claim], vectors: Matrix) -> list[KeptClaim]:
        if not stated:
            return []
        cleaned = [msgspec.structs.replace(claim, text=storable(claim.text)) for claim in stated]
        rows = await self._rows(
            PUT,
            document=document_id,
            version=version_id,
            model=self._model,
            starts=[claim.start for claim in stated],
            ends=[claim.end for claim in stated],
            marks=[mark(claim.text) for claim in cleaned],
            claims=[msgspec.json.encode(claim).decode() for claim in cleaned],
            vectors=[dense_text(vector) for vector in vectors],
        )
        ids = [int(str(row.id)) for row in rows]
        pairs = [
            (storable(term), claim_id)
            for claim_id, claim in zip(ids, cleaned, strict=False)
            for term in claim.words | claim.entities
        ]
        await self._connection.execute(
            sa.text(PUT_TERMS),
            {
                "tenant": self._viewer.tenant_id,
                "terms": [term for term, _ in pairs],
                "ids": [claim_id for _, claim_id in pairs],
            },
        )
        return [
            KeptClaim(claim_id, document_id, claim) for claim_id, claim in zip(ids, cleaned, strict=bool(ids)) if ids
        ]

    async def neighbours(self, kept: Sequence[KeptClaim]) -> list[tuple[int, KeptClaim]]:
        places = {claim.id: place for place, claim in enumerate(kept)}
        rows = await self._rows(NEIGHBOURS, ids=list(places))
        return [
            (places[row.claim_id], KeptClaim(row.id, row.document_id, msgspec.convert(row.claim, Claim)))
            for row in rows
        ]

    async def n_holding(self, words: Sequence[str]) -> tuple[int, dict[str, int]]:
        rows = await self._rows(N_HOLDING, words=list(words), most=MAX_COUNTED)
        found = {str(row.word): int(str(row.n)) for row in rows}
        return found.pop("", 0), found

    async def add(self, pairs: Sequence[Pair]) -> None:
        await self._connection.execute(
            sa.text(ADD),
            {
                "tenant": self._viewer.tenant_id,
                "fingerprints": [pair_mark(pair) for pair in pairs],
                "kinds": [pair.kind.value for pair in pairs],
                "ones": [pair.a.id for pair in pairs],
                "others": [pair.b.id for pair in pairs],
                "scores": [pair.score for pair in pairs],
            },
        )

    async def forget_unproven(self) -> None:
        await self._connection.execute(
            sa.text(
                "delete from contradictions k where k.state = 'open' and not exists (select from contradiction_evidence"
                " e where (e.tenant_id, e.contradiction_id) = (k.tenant_id, k.id))"
            )
        )

    async def page(self, state: Standing, offset: int, size: int) -> list[Contradiction]:
        rows = await self._rows(PAGE, state=state.value, id=0, offset=offset, size=size)
        return [_contradiction(row) for row in rows]

    async def counts(self) -> dict[Standing, int]:
        return {Standing(row.state): int(str(row.n)) for row in await self._rows(COUNT_BY_STATE, state="", id=0)}

    async def get(self, contradiction_id: int) -> Contradiction:
        rows = await self._rows(PAGE, state="", id=contradiction_id, offset=0, size=ONE)
        if not rows:
            raise NotFound(NOT_FOUND)
        return _contradiction(rows[0])

    async def close(self, contradiction_id: int, state: Standing, winner: str) -> None:
        await self._turn(contradiction_id, Standing.OPEN, state, winner)
        if winner:
            await tell(self._connection, self._viewer.tenant_id, contradiction_id)

    async def reopen(self, contradiction_id: int) -> None:
        found = await self.get(contradiction_id)
        await self._rows_changed("delete from answer_notices where contradiction_id = :id", id=contradiction_id)
        await self._turn(contradiction_id, found.state, Standing.OPEN, "")

    async def _turn(self, contradiction_id: int, before: Standing, after: Standing, winner: str) -> None:
        await self.get(contradiction_id)
        changed = await self._rows_changed(
            "update contradictions set state = :after, winner = :winner, closed_by = :by,"
            " closed_at = case when :after = 'open' then null else now() end where id = :id and state = :before",
            id=contradiction_id,
            before=before.value,
            after=after.value,
            winner=winner,
            by="" if after is Standing.OPEN else self._viewer.name,
        )
        if not changed:
            raise NotFound(NOT_FOUND)

    async def _rows_changed(self, statement: str, **binds: object) -> int:
        return (await self._connection.execute(sa.text(statement), binds)).rowcount

    async def lost(self, document_ids: Sequence[int]) -> list[Lost]:
        rows = await self._rows(LOST, documents=list(document_ids)) if document_ids else []
        return [msgspec.convert(dict(row._mapping), Lost) for row in rows]

    async def notices(self) -> list[AnswerNotice]:
        rows = await self._rows(UNREAD, user=self._viewer.user_id)
        return [msgspec.convert(dict(row._mapping), AnswerNotice) for row in rows]

    async def read_notice(self, contradiction_id: int, message_id: int) -> None:
        binds = {"id": contradiction_id, "message": message_id, "user": self._viewer.user_id}
        await self._connection.execute(sa.text(FORGET), binds)


def _contradiction(row: sa.Row[tuple[object, ...]]) -> Contradiction:
    return msgspec.convert(dict(row._mapping), Contradiction)
