"""The two columns of vectors: which model's stand in each, which one a tenant reads, and how to tell them apart.

Every vector stands beside the id of its model, and every statement that compares vectors asks for one model's only: a
column that is half filled, or a process with older settings, can make a search find less, never compare two models.
"""

from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.embedding import Matrix

N_DIMENSIONS = 384
"""Of both columns; models of other dimensions are refused when they are set up."""
N_PARTS = 16
"""Of the index of words, and of each column's graph of vectors: a tenant's statements read its part only."""
PART = f"i.tenant_id % {N_PARTS} = cast(:part as bigint)"
"""What makes the planner take the part: the indexes stand on this very expression."""
WALKED = f"{PART} and i.is_walked"
"""The same for the graphs of vectors."""
LABELLED = "i.model_id in (0, (select e.id from embedding_models e where e.label = :model))"
"""The vector is the model's; 0: it was written before models were kept by id, and is its tenant's first model's."""
LABELLED_ANEW = "i.model_id = (select e.id from embedding_models e where e.label = :model)"
"""The same once the column has been filled with another model: what is not labelled is of the first one."""
LABELLED_NEXT = "i.model_next_id = (select e.id from embedding_models e where e.label = :model)"
READ = sa.text(
    "select model, model_next, is_next_read, is_original, is_walked from search_models where tenant_id = :tenant"
)
ADD = sa.text(
    "insert into search_models (tenant_id, model, model_next, is_walked) values (:tenant, :model, :model_next, false)"
    " on conflict do nothing"
)
REGISTER = sa.text(
    f"insert into embedding_models (label, n_dimensions) select unnest(cast(:labels as text[])), {N_DIMENSIONS}"
    " on conflict do nothing"
)
IDS = sa.text("select label, id from embedding_models where label = any(cast(:labels as text[])) order by id")


class Column(msgspec.Struct, frozen=True):
    """One column of vectors, for statements that are written for the first one."""

    model: str
    is_next: bool
    is_original: bool = True

    def of(self, statement: str) -> str:
        """Return the statement, written for `i.embedding` and LABELLED, for this column; it takes `:model`."""
        if self.is_next:
            return statement.replace("i.embedding", "i.embedding_next").replace(LABELLED, LABELLED_NEXT)
        return statement if self.is_original else statement.replace(LABELLED, LABELLED_ANEW)


class Columns(msgspec.Struct, frozen=True):
    """What a tenant's columns hold, by the labels of models; "" is nothing."""

    model: str
    model_next: str = ""
    is_next_read: bool = False
    is_original: bool = True
    """Whether the first column still holds the tenant's first model."""
    is_walked: bool = True
    """Whether all the tenant's vectors stand in the graphs, so that they can be walked."""

    @property
    def read(self) -> str:
        """The model whose vectors questions are compared with."""
        return self.model_next if self.is_next_read else self.model

    def find(self, model: str) -> Column | None:
        """Return the column that holds a model's vectors."""
        if not model or model not in (self.model, self.model_next):
            return None
        is_next = self.is_next_read if model == self.read else not self.is_next_read
        return Column(model, is_next, self.is_original)


class Vectors(msgspec.Struct, frozen=True):
    """What is written into both columns; the second may stay empty."""

    model: str
    first: Matrix
    model_next: str
    second: Matrix | None
    model_id: int = 0
    model_next_id: int = 0


async def read_columns(connection: AsyncConnection, tenant_id: int, model: str) -> Columns:
    """Return what the tenant's columns hold; `model` alone where the tenant has no passages yet."""
    row = (await connection.execute(READ, {"tenant": tenant_id})).one_or_none()
    if row is None:
        return Columns(model)
    return Columns(row.model, row.model_next, row.is_next_read, row.is_original, row.is_walked)


async def add_columns(connection: AsyncConnection, tenant_id: int, columns: Columns) -> None:
    """Write down what a tenant's columns hold, unless that stands already."""
    await connection.execute(ADD, {"tenant": tenant_id, "model": columns.model, "model_next": columns.model_next})


async def model_ids(connection: AsyncConnection, labels: Sequence[str]) -> dict[str, int]:
    """Return the ids of models, which get one at their first use."""
    binds = {"labels": list(labels)}
    found = {row.label: int(row.id) for row in await connection.execute(IDS, binds)}
    if len(found) < len(set(labels)):
        await connection.execute(REGISTER, binds)
        found = {row.label: int(row.id) for row in await connection.execute(IDS, binds)}
    return found


def placed(columns: Columns, made: Mapping[str, Matrix]) -> Vectors:
    """Return which vectors, by model, belong in which column: each where its model's are, else where none is in use.

    The first column is never empty: where no other vectors are to be had, it gets a copy of the second's.
    """
    first = columns.model if columns.model in made else next((each for each in made if each != columns.model_next), "")
    second = columns.model_next if columns.model_next in made else next((each for each in made if each != first), "")
    first = first or second
    return Vectors(first, made[first], second, made.get(second))
