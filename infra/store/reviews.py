"""Judgements in Postgres. Row security knows tenants only, so each statement names the owner as well."""

from collections.abc import Sequence

import msgspec
import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.embedding import Matrix
from domain.errors import NotFound
from domain.people import Viewer, email_principal, user_principal
from domain.privacy import MAX_EXAMPLES, Circle, DecidedBy, Examples, Judge, Label, Review, Verdict
from infra.store.chunk_writing import dense_text
from infra.store.columns import read_columns

EXCERPT_CHARACTERS = 240
PUT = sa.text("""
with kept as (
    insert into classifications (tenant_id, document_id, owner_id, label, decided_by, reason, vector, model)
    values (:tenant, :document, :owner, :label, :decided_by, :reason, cast(:vector as halfvec), :model)
    on conflict (tenant_id, document_id) do update set
        vector = coalesce(excluded.vector, classifications.vector), changed_at = now(),
        model = case when excluded.vector is null then classifications.model else excluded.model end,
        label = case when classifications.decided_by = 'person' and excluded.decided_by <> 'person'
            then classifications.label else excluded.label end,
        reason = case when classifications.decided_by = 'person' and excluded.decided_by <> 'person'
            then classifications.reason else excluded.reason end,
        decided_by = case when classifications.decided_by = 'person' then 'person' else excluded.decided_by end
    returning document_id, owner_id, label
)
update documents d set reserved_for = case when kept.label = 'work' then null else kept.owner_id end
from kept where d.id = kept.document_id
""")
PAGE = sa.text("""
select c.document_id, d.title, d.author, i.name as integration_name, coalesce((
        select left(k.text, :characters) from chunks k where (k.tenant_id, k.document_id) = (d.tenant_id, d.id)
        order by k.ordinal limit 1), '') as excerpt, c.label, c.decided_by, c.reason
from classifications c join documents d on (d.tenant_id, d.id) = (c.tenant_id, c.document_id)
join integrations i on (i.tenant_id, i.id) = (d.tenant_id, d.integration_id)
where c.owner_id = :owner and i.owner_id = :owner and i.removed_at is null and c.label = :label
    and c.document_id > :after
order by c.document_id limit :size
""")
COUNTS = sa.text("""
select c.label, count(*) as n from classifications c
join documents d on (d.tenant_id, d.id) = (c.tenant_id, c.document_id)
join integrations i on (i.tenant_id, i.id) = (d.tenant_id, d.integration_id)
where c.owner_id = :owner and i.removed_at is null group by c.label order by c.label
""")
NOT_YOURS = "This is not among what your own accounts have brought. Look at your list again."


class ReviewStore:
    """Judgements over what people's own accounts have brought."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer, labels: tuple[str, ...]) -> None:
        self._connection = connection
        self._viewer = viewer
        self._labels = labels

    async def judge(self, owner_id: int) -> Judge:
        rows = await self._connection.execute(
            sa.text(
                "select m.user_id, lower(u.email) as email from memberships m join users u on u.id = m.user_id"
                " order by m.user_id"
            )
        )
        emails = {row.user_id: row.email for row in rows}
        colleagues = frozenset(email for user_id, email in emails.items() if user_id != owner_id)
        proven = await self._connection.execute(
            sa.text("select email from member_addresses where user_id = :owner order by email"), {"owner": owner_id}
        )
        own = frozenset([user_principal(owner_id), *(email_principal(email) for email in proven.scalars())])
        circle = Circle(emails.get(owner_id, ""), colleagues, own)
        model = await self._model()
        return Judge(owner_id, circle, await self._examples(owner_id, model), model)

    async def _model(self) -> str:
        return (await read_columns(self._connection, self._viewer.tenant_id, self._labels[0])).read

    async def _examples(self, owner_id: int, model: str) -> Examples:
        rows = await self._connection.execute(
            sa.text(
                "select label, vector::text as vector from classifications where owner_id = :owner"
                " and decided_by = 'person' and label <> 'unsure' and vector is not null and model in ('', :model)"
                " order by changed_at desc, document_id limit :limit"
            ),
            {"owner": owner_id, "limit": MAX_EXAMPLES, "model": model},
        )
        found = rows.all()
        return Examples(tuple(Label(row.label) for row in found), _matrix([row.vector for row in found]))

    async def put(
        self, document_id: int, owner_id: int, verdict: Verdict, vector: Matrix | None, model: str = ""
    ) -> None:
        await self._connection.execute(
            PUT,
            {
                "tenant": self._viewer.tenant_id,
                "document": document_id,
                "owner": owner_id,
                "label": verdict.label,
                "decided_by": verdict.decided_by,
                "reason": verdict.reason,
                "vector": None if vector is None else dense_text(vector),
                "model": model,
            },
        )

    async def page(self, label: Label, after_id: int, size: int) -> list[Review]:
        rows = await self._connection.execute(
            PAGE,
            {
                "owner": self._viewer.user_id,
                "label": label,
                "after": after_id,
                "size": size,
                "characters": EXCERPT_CHARACTERS,
            },
        )
        return [msgspec.convert(dict(row._mapping), Review) for row in rows]

    async def counts(self) -> dict[Label, int]:
        rows = await self._connection.execute(COUNTS, {"owner": self._viewer.user_id})
        return {Label(row.label): row.n for row in rows}

    async def decide(self, document_id: int, label: Label) -> None:
        rows = await self._connection.execute(
            sa.text("select 1 from classifications where document_id = :id and owner_id = :owner for update"),
            {"id": document_id, "owner": self._viewer.user_id},
        )
        if rows.one_or_none() is None:
            raise NotFound(NOT_YOURS)
        await self.put(document_id, self._viewer.user_id, Verdict(label, DecidedBy.PERSON, "You said so."), None)

    async def open_questions(self, size: int) -> tuple[list[int], Matrix]:
        rows = await self._connection.execute(
            sa.text(
                "select document_id, vector::text as vector from classifications where owner_id = :owner"
                " and label = 'unsure' and decided_by = 'examples' and vector is not null and model in ('', :model)"
                " order by document_id desc limit :size"
            ),
            {"owner": self._viewer.user_id, "size": size, "model": await self._model()},
        )
        found = rows.all()
        return [row.document_id for row in found], _matrix([row.vector for row in found])


def _matrix(texts: Sequence[str]) -> Matrix:
    return np.array([msgspec.json.decode(text, type=list[float]) for text in texts], np.float32)
