"""The change of a tenant's search model in Postgres: one row says how far it is; vectors are filled in by id."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.chunking import Chunk
from domain.embedding import Matrix
from domain.errors import Conflict
from domain.model_changes import Evaluation, FillState, SearchModel, Unfilled
from domain.people import Viewer
from infra.queue import JobQueue, defer_filling
from infra.store.chunk_writing import dense_text
from infra.store.columns import LABELLED, Column, Columns, add_columns, model_ids, read_columns

FIRST_LABEL = sa.text("select model from chunks order by id limit 1")
STATE = sa.text(
    "select state, n_filled, n_total, evaluation, changed_by, changed_at from search_models where tenant_id = :tenant"
)
LOCK = sa.text("select state from search_models where tenant_id = :tenant for update")
START = sa.text("""
update search_models s set
    model = case when is_next_read then :model else s.model end,
    model_next = case when is_next_read then model_next else :model end,
    is_original = is_original and not is_next_read,
    state = 'filling', filled_to = 0, n_filled = 0, evaluation = null,
    n_total = (select n_chunks from lexical_statistics where tenant_id = :tenant)
where tenant_id = :tenant
""")
HAS_MISSING = f"select exists (select from chunk_index i where i.tenant_id = :tenant and not {LABELLED})"
UNFILLED = f"""
select c.id, d.title, c.heading_path, c.text, c.start_at, c.end_at from chunk_index i
join chunks c on (c.tenant_id, c.id) = (i.tenant_id, i.chunk_id)
join documents d on (d.tenant_id, d.id) = (c.tenant_id, c.document_id)
where i.tenant_id = :tenant and not {LABELLED}
    and i.chunk_id > (select filled_to from search_models where tenant_id = :tenant)
order by i.chunk_id limit :size
"""
FILL = """
update chunk_index i set {column} = cast(v.vector as halfvec), {id} = :model_id
from unnest(cast(:ids as bigint[]), cast(:vectors as text[])) v (id, vector)
where i.tenant_id = :tenant and i.chunk_id = v.id
"""
ADVANCE = sa.text(
    "update search_models set filled_to = greatest(filled_to, :to), n_filled = n_filled + :n where tenant_id = :tenant"
)
SET_STATE = sa.text("update search_models set state = :state where tenant_id = :tenant")
RESTART = sa.text("update search_models set state = 'filling', filled_to = 0 where tenant_id = :tenant")
REJUDGE = """
update classifications k set model = :model, vector = (
    select l2_normalize(avg(i.embedding)) from chunk_index i
    where i.tenant_id = :tenant and i.document_id = k.document_id)
where k.tenant_id = :tenant and k.vector is not null
"""
"""What people decided stays an example under the new model: the vectors of their documents are put together anew."""
SAMPLE = sa.text(
    "select title, id from documents where n_chunks > 0 and title <> '' and gone_at is null"
    " order by md5(id::text), id limit :size"
)
NOT_SET_UP = "This model is not set up on this server any more. Reload the page to see what can be chosen."
NOT_READY = "This model has not been compared yet. Wait until its figures stand on the page."


class ModelChangeStore:
    """The change of one tenant's search model; `labels` are the models that are set up, today's first."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer, queue: JobQueue, labels: tuple[str, ...]) -> None:
        self._connection = connection
        self._viewer = viewer
        self._queue = queue
        self._labels = labels
        self._binds = {"tenant": viewer.tenant_id}

    async def current(self) -> SearchModel:
        columns = await read_columns(self._connection, self._viewer.tenant_id, self._labels[0])
        other = columns.model if columns.is_next_read else columns.model_next
        row = (await self._connection.execute(STATE, self._binds)).one_or_none()
        if row is None:
            return SearchModel(columns.read)
        return SearchModel(
            columns.read,
            other,
            FillState(row.state),
            row.n_filled,
            row.n_total,
            None if row.evaluation is None else msgspec.convert(row.evaluation, Evaluation),
            row.changed_by,
            row.changed_at,
        )

    async def request(self) -> bool:
        columns = await self._written_down()
        target = self._target(columns)
        if columns is None or not target:
            return False
        state = (await self._connection.execute(LOCK, self._binds)).scalar_one()
        if columns.find(target) is not None and state == FillState.READY:
            return False
        await self.queue()
        return True

    async def queue(self) -> None:
        await defer_filling(self._queue, self._connection, self._viewer.tenant_id)

    async def _written_down(self) -> Columns | None:
        """What the columns hold; a tenant of an earlier release learns it from its first passage."""
        label = (await self._connection.execute(FIRST_LABEL)).scalar_one_or_none()
        if label is None:
            return None
        await add_columns(self._connection, self._viewer.tenant_id, Columns(label))
        return await read_columns(self._connection, self._viewer.tenant_id, label)

    def _target(self, columns: Columns | None) -> str:
        """The model that is set up and not read."""
        return next((each for each in self._labels if columns and each != columns.read), "")

    async def begin(self) -> SearchModel | None:
        columns = await self._written_down()
        target = self._target(columns)
        if columns is None or not target:
            return None
        await self._connection.execute(LOCK, self._binds)
        await model_ids(self._connection, [target])
        held = await self.current()
        if held.other != target or held.state is FillState.WAITING:
            await self._connection.execute(START, {**self._binds, "model": target})
        elif held.state is FillState.READY:
            return None
        return await self.current()

    async def unfilled(self, model: str, size: int) -> list[Unfilled]:
        column = await self._column(model)
        if column is None:
            return []
        rows = await self._connection.execute(
            sa.text(column.of(UNFILLED)), {**self._binds, "model": model, "size": size}
        )
        return [
            Unfilled(
                row.id, Chunk(0, row.start_at, row.end_at, row.text, tuple(row.heading_path), row.title).embedded_text
            )
            for row in rows
        ]

    async def _column(self, model: str) -> Column | None:
        return (await read_columns(self._connection, self._viewer.tenant_id, self._labels[0])).find(model)

    async def fill(self, model: str, chunk_ids: Sequence[int], vectors: Matrix) -> None:
        column = await self._column(model)
        if column is None or not chunk_ids:
            return
        names = ("embedding_next", "model_next_id") if column.is_next else ("embedding", "model_id")
        ids = await model_ids(self._connection, [model])
        await self._connection.execute(
            sa.text(FILL.format(column=names[0], id=names[1])),
            {
                **self._binds,
                "model_id": ids[model],
                "ids": list(chunk_ids),
                "vectors": [dense_text(vector) for vector in vectors],
            },
        )
        await self._connection.execute(ADVANCE, {**self._binds, "to": max(chunk_ids), "n": len(chunk_ids)})

    async def end_filling(self, model: str) -> bool:
        if await self._has_missing(model):
            await self._connection.execute(RESTART, self._binds)
            return False
        await self._connection.execute(SET_STATE, {**self._binds, "state": FillState.EVALUATING})
        return True

    async def _has_missing(self, model: str) -> bool:
        column = await self._column(model)
        if column is None:
            return True
        rows = await self._connection.execute(sa.text(column.of(HAS_MISSING)), {**self._binds, "model": model})
        return bool(rows.scalar_one())

    async def end_evaluation(self, evaluation: Evaluation) -> None:
        await self._connection.execute(
            sa.text(
                "update search_models set state = 'ready', evaluation = cast(:found as jsonb) where tenant_id = :tenant"
            ),
            {**self._binds, "found": msgspec.json.encode(evaluation).decode()},
        )

    async def read(self, model: str) -> bool:
        if model not in self._labels:
            raise Conflict(NOT_SET_UP)
        await self._connection.execute(LOCK, self._binds)
        held = await self.current()
        if model == held.model:
            return True
        if model != held.other or held.state is not FillState.READY:
            raise Conflict(NOT_READY)
        if await self._has_missing(model):
            await self._connection.execute(RESTART, self._binds)
            await self.queue()
            return False
        await self._connection.execute(
            sa.text(
                "update search_models set is_next_read = not is_next_read, changed_by = :by, changed_at = now()"
                " where tenant_id = :tenant"
            ),
            {**self._binds, "by": self._viewer.name},
        )
        column = await self._column(model)
        if column is not None:
            await self._connection.execute(sa.text(column.of(REJUDGE)), {**self._binds, "model": model})
        return True

    async def sample(self, size: int) -> list[tuple[str, int]]:
        rows = await self._connection.execute(SAMPLE, {"size": size})
        return [(row.title, row.id) for row in rows]
