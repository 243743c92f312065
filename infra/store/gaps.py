"""Frames and gaps in Postgres: a document's findings hang on its row in `detections`, and go with it."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.detection import Detected
from domain.errors import NotFound
from domain.found_gaps import MAX_REASON, FoundGap, GapFilter, GapPage, GapSort, GapState, unique
from domain.frames import Frame
from domain.gap_kinds import WORDINGS, GapKind
from domain.people import EVERYONE, Viewer
from domain.terms import Term
from infra.store.access import access_binds
from infra.store.gap_orders import key_binds, key_of, page_statement
from infra.store.gap_sql import ADD_TERMS, OF_PERSON, VERDICT, VISIBLE
from infra.store.texts import storable
from infra.store.tidings import TURN, add_tidings

NOT_FOUND = "This gap does not exist, or stands in documents that are not shared with you."


class GapStore:
    """What detectors found in one tenant's documents."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def due(self, detector: str, after_id: int, limit: int) -> list[int]:
        rows = await self._connection.execute(
            sa.text(
                "select d.id from documents d where d.id > :after and not exists (select from detections f"
                " where (f.tenant_id, f.document_id, f.version_id, f.detector)"
                " = (d.tenant_id, d.id, d.version_id, :detector)) order by d.id limit :limit"
            ),
            {"detector": detector, "after": after_id, "limit": limit},
        )
        return list(rows.scalars())

    async def record(self, document_id: int, version_id: int, detector: str, detected: Detected, text: str) -> None:
        binds = {"tenant": self._viewer.tenant_id, "document": document_id, "version": version_id}
        await self._connection.execute(TURN, binds)
        current = await self._connection.execute(
            sa.text("select 1 from documents where id = :document and version_id = :version for no key update"), binds
        )
        if current.one_or_none() is None:
            return
        await self._connection.execute(sa.text("delete from detections where document_id = :document"), binds)
        await self._connection.execute(
            sa.text(
                "insert into detections (tenant_id, document_id, version_id, detector) values (:tenant, :document,"
                " :version, case when (select coalesce(max(id), 0) from known_tidings) = :mark"
                " then :detector else '' end)"
            ),
            {**binds, "detector": detector, "mark": detected.mark},
        )
        await add_tidings(self._connection, self._viewer.tenant_id, document_id, detected)
        await self._add_frames(document_id, detected.frames)
        await self._add_terms(document_id, detected.terms)
        await self._add_gaps(document_id, detected, text)
        await self._forget_unproven()

    async def _add_frames(self, document_id: int, frames: Sequence[Frame]) -> None:
        if not frames:
            return
        await self._connection.execute(
            sa.text(
                "insert into frames"
                " (tenant_id, document_id, type, start_at, end_at, slots, is_negated, modality, weight)"
                " values (:tenant, :document, :type, :start, :end, cast(:slots as json), :negated, :modality, :weight)"
            ),
            [
                {
                    "tenant": self._viewer.tenant_id,
                    "document": document_id,
                    "type": frame.type.value,
                    "start": frame.start,
                    "end": frame.end,
                    "slots": msgspec.json.encode(frame.slots).decode(),
                    "negated": frame.is_negated,
                    "modality": frame.modality.value,
                    "weight": frame.weight,
                }
                for frame in frames
            ],
        )

    async def _add_terms(self, document_id: int, terms: Sequence[Term]) -> None:
        if terms:
            given = [
                {"tenant": self._viewer.tenant_id, "document": document_id, **msgspec.structs.asdict(each)}
                for each in terms
            ]
            await self._connection.execute(sa.text(ADD_TERMS), given)

    async def _add_gaps(self, document_id: int, detected: Detected, text: str) -> None:
        found = [
            {
                "tenant": self._viewer.tenant_id,
                "document": document_id,
                "kind": gap.kind.value,
                "fingerprint": mark,
                "start": gap.start,
                "end": gap.end,
                "question": storable(gap.question),
                "person": storable(gap.person),
                "score": gap.score,
            }
            for mark, gap in sorted(unique(detected.gaps, text))
        ]
        if not found:
            return
        await self._connection.execute(
            sa.text(
                "insert into gaps (tenant_id, kind, fingerprint) values (:tenant, :kind, :fingerprint)"
                " on conflict (tenant_id, fingerprint) do nothing"
            ),
            found,
        )
        await self._connection.execute(
            sa.text(
                "insert into gap_evidence (tenant_id, gap_id, document_id, start_at, end_at, question, person, score)"
                " select :tenant, id, :document, :start, :end, :question, :person, :score from gaps"
                " where fingerprint = :fingerprint"
            ),
            found,
        )

    async def _forget_unproven(self) -> None:
        """Open gaps that nothing shows any more are no gaps."""
        await self._connection.execute(
            sa.text(
                "delete from gaps g where g.state = 'open' and not exists (select from gap_evidence e"
                " where (e.tenant_id, e.gap_id) = (g.tenant_id, g.id))"
            )
        )

    async def page(self, narrowed: GapFilter, size: int, sort: GapSort = GapSort.PRIORITY, key: str = "") -> GapPage:
        rows = (
            await self._connection.execute(
                sa.text(page_statement(sort, is_first=not key)),
                {
                    **access_binds(self._viewer),
                    **_filter_binds(narrowed),
                    **key_binds(key, sort),
                    "tenant": self._viewer.tenant_id,
                    "everyone": EVERYONE,
                    "size": size + 1,
                },
            )
        ).all()
        gaps = tuple(msgspec.convert(dict(row._mapping), FoundGap) for row in rows[:size])
        return GapPage(gaps, key_of(rows[size - 1]) if len(rows) > size else "")

    async def counts(self, state: GapState, person: str = "") -> dict[GapKind, int]:
        rows = await self._connection.execute(
            sa.text(
                f"select g.kind, count(distinct coalesce(g.twin_of, g.id)) as n {VISIBLE} and {OF_PERSON}"
                " group by g.kind order by n desc, g.kind"
            ),
            {"state": state.value, "person": storable(person), **access_binds(self._viewer)},
        )
        return {GapKind(row.kind): int(row.n) for row in rows}

    async def dismiss(self, gap_id: int, reason: str) -> None:
        await self._turn(gap_id, GapState.OPEN, GapState.DISMISSED, reason)

    async def reopen(self, gap_id: int) -> None:
        await self._turn(gap_id, GapState.DISMISSED, GapState.OPEN, "")

    async def _turn(self, gap_id: int, before: GapState, after: GapState, reason: str) -> None:
        rows = await self._connection.execute(
            sa.text(
                "update gaps set state = :after, reason = :reason, closed_by = :by,"
                " closed_at = case when :after = 'open' then null else now() end"
                " where coalesce(twin_of, id) = (select coalesce(twin_of, id) from gaps where id = :id)"
                f" and :id in (select g.id {VISIBLE}) and state = :state returning id"
            ),
            {
                **access_binds(self._viewer),
                "id": gap_id,
                "state": before.value,
                "after": after.value,
                "reason": storable(reason)[:MAX_REASON],
                "by": "" if after is GapState.OPEN else self._viewer.name,
            },
        )
        if not rows.all():
            raise NotFound(NOT_FOUND)
        await self._connection.execute(
            sa.text(VERDICT if after is GapState.DISMISSED else "delete from gap_verdicts where gap_id = :id"),
            {"tenant": self._viewer.tenant_id, "id": gap_id, "user": self._viewer.user_id},
        )


def _filter_binds(narrowed: GapFilter) -> dict[str, object]:
    weights = {each.kind: each.weight for each in narrowed.lessons}
    return {
        "state": narrowed.state.value,
        "kind": narrowed.kind.value if narrowed.kind else "",
        "person": storable(narrowed.person),
        "muted": [each.value for each in narrowed.muted],
        "kinds": [each.kind.value for each in WORDINGS],
        "names": [each.name for each in WORDINGS],
        "weights": [weights.get(each.kind, 1.0) for each in WORDINGS],
    }
