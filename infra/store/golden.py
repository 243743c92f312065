"""Golden questions in Postgres, their evidence, and the runs over them; a run and its job are one transaction."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import Invalid, NotFound
from domain.golden import (
    MAX_QUESTIONS,
    Evidence,
    Expects,
    GoldenQuestion,
    Origin,
    Result,
    Run,
    RunCause,
    RunState,
)
from domain.people import Viewer
from infra.queue import JobQueue, defer_golden_run
from infra.store.access import READABLE, access_binds
from infra.store.texts import storable

RUN_COLUMNS = """
    r.id, r.cause, r.words, r.fingerprint, r.state, r.reason, r.created_at, r.finished_at,
    (select count(*) from golden_results t where (t.tenant_id, t.run_id) = (r.tenant_id, r.id)) as n_questions,
    (select count(*) from golden_results t where (t.tenant_id, t.run_id) = (r.tenant_id, r.id)
      and t.outcome = 'passed') as n_passed
"""
ADD = sa.text("""
    insert into golden_questions (tenant_id, question, expects, origin, has_evidence, added_by)
    values (:tenant, :question, :expects, :origin, :has_evidence, :added_by)
    on conflict (tenant_id, question) do update
        set has_evidence = golden_questions.has_evidence or excluded.has_evidence, expects = excluded.expects
    returning id
""")
REST_ON = sa.text(f"""
    insert into golden_evidence (tenant_id, question_id, document_id, version_id, quote)
    select d.tenant_id, :question, d.id, d.version_id, e.quote from documents d
    join unnest(cast(:ids as bigint[]), cast(:quotes as text[])) e (id, quote) on e.id = d.id where {READABLE}
    on conflict (tenant_id, question_id, document_id) do update
        set quote = excluded.quote, version_id = excluded.version_id
""")


class GoldenStore:
    """The golden questions of one tenant, their evidence as far as the viewer may read it."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer, queue: JobQueue) -> None:
        self._connection = connection
        self._viewer = viewer
        self._queue = queue

    async def add(
        self, question: str, expects: Expects, origin: Origin, document_quotes: Sequence[tuple[int, str]]
    ) -> int:
        n_questions = (await self._connection.execute(sa.text("select count(*) from golden_questions"))).scalar_one()
        if n_questions >= MAX_QUESTIONS:
            raise Invalid(f"There are {MAX_QUESTIONS} golden questions already. Remove one to make room.")
        rows = await self._connection.execute(
            ADD,
            {
                "tenant": self._viewer.tenant_id,
                "question": storable(question),
                "expects": expects,
                "origin": origin,
                "has_evidence": bool(document_quotes),
                "added_by": self._viewer.name,
            },
        )
        question_id = int(rows.scalar_one())
        quotes = dict(document_quotes)
        binds = {"question": question_id, "ids": list(quotes), "quotes": [storable(each) for each in quotes.values()]}
        await self._connection.execute(REST_ON, {**access_binds(self._viewer), **binds})
        return question_id

    async def remove(self, question_id: int) -> None:
        rows = await self._connection.execute(
            sa.text("delete from golden_questions where id = :id returning id"), {"id": question_id}
        )
        if rows.one_or_none() is None:
            raise NotFound("This golden question does not exist any more. Go back to the list.")

    async def questions(self) -> list[GoldenQuestion]:
        rows = await self._connection.execute(
            sa.text(
                "select id, question, expects, origin, has_evidence, added_by, created_at from golden_questions"
                " order by id desc"
            )
        )
        return [msgspec.convert(dict(row._mapping), GoldenQuestion) for row in rows]

    async def evidence(self) -> list[Evidence]:
        rows = await self._connection.execute(
            sa.text(
                "select e.question_id, e.document_id, d.title, d.version_id, e.quote from golden_evidence e"
                " join documents d on (d.tenant_id, d.id) = (e.tenant_id, e.document_id)"
                f" where {READABLE} order by e.question_id, e.document_id"
            ),
            access_binds(self._viewer),
        )
        return [msgspec.convert(dict(row._mapping), Evidence) for row in rows]

    async def request(self, cause: RunCause, words: str, fingerprint: str) -> Run | None:
        rows = await self._connection.execute(
            sa.text(
                "insert into golden_runs as r (tenant_id, cause, words, fingerprint)"
                " select :tenant, :cause, :words, :fingerprint where exists (select from golden_questions)"
                f" on conflict do nothing returning {RUN_COLUMNS}"
            ),
            {
                "tenant": self._viewer.tenant_id,
                "cause": cause,
                "words": storable(words),
                "fingerprint": fingerprint,
            },
        )
        row = rows.one_or_none()
        if row is None:
            return None
        await defer_golden_run(self._queue, self._connection, self._viewer.tenant_id, row.id)
        return _run(row)

    async def begin(self, run_id: int) -> Run | None:
        rows = await self._connection.execute(
            sa.text(
                "update golden_runs r set state = 'running' where r.id = :id and r.state in ('queued', 'running')"
                f" returning {RUN_COLUMNS}"
            ),
            {"id": run_id},
        )
        row = rows.one_or_none()
        return None if row is None else _run(row)

    async def note(self, run_id: int, result: Result) -> None:
        await self._connection.execute(
            sa.text(
                "insert into golden_results (tenant_id, run_id, question_id, outcome, confidence, version_ids)"
                " select tenant_id, :run, id, :outcome, :confidence, :versions from golden_questions where id = :id"
                " on conflict (tenant_id, run_id, question_id) do update"
                " set outcome = excluded.outcome, confidence = excluded.confidence, version_ids = excluded.version_ids"
            ),
            {
                "run": run_id,
                "id": result.question_id,
                "outcome": result.outcome,
                "confidence": result.confidence,
                "versions": list(result.version_ids),
            },
        )

    async def finish(self, run_id: int, state: RunState, reason: str = "") -> None:
        await self._connection.execute(
            sa.text(
                "update golden_runs set state = :state, reason = :reason, finished_at = clock_timestamp()"
                " where id = :id and finished_at is null"
            ),
            {"id": run_id, "state": state, "reason": storable(reason)},
        )

    async def runs(self, limit: int) -> list[Run]:
        rows = await self._connection.execute(
            sa.text(f"select {RUN_COLUMNS} from golden_runs r order by r.id desc limit :limit"), {"limit": limit}
        )
        return [_run(row) for row in rows]

    async def results(self, run_ids: Sequence[int]) -> dict[int, list[Result]]:
        rows = await self._connection.execute(
            sa.text(
                "select run_id, question_id, outcome, confidence, version_ids from golden_results"
                " where run_id = any(:runs) order by run_id, question_id"
            ),
            {"runs": list(run_ids)},
        )
        found: dict[int, list[Result]] = {}
        for row in rows:
            fields = {name: value for name, value in row._mapping.items() if name != "run_id"}
            found.setdefault(row.run_id, []).append(msgspec.convert(fields, Result))
        return found


def _run(row: sa.Row[tuple[object, ...]]) -> Run:
    return msgspec.convert(dict(row._mapping), Run)
