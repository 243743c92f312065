"""Mirrored permissions in Postgres: groups at the sources, proven addresses, and who may read a document and why."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.access import Group, Readers, Reason
from domain.errors import NotFound
from domain.people import EVERYONE, Viewer
from infra.store.access import READABLE, access_binds

PUT_GROUPS = sa.text("""
insert into source_groups (tenant_id, integration_id, principal, title)
select :tenant, :integration, principal, title
from unnest(cast(:principals as text[]), cast(:titles as text[])) g (principal, title)
on conflict (tenant_id, principal) do update set title = excluded.title
""")
DROP_MEMBERS = sa.text("""
delete from group_members m where m.principal = any(:principals)
and not exists (select from unnest(cast(:groups as text[]), cast(:members as text[])) n (principal, member)
    where (n.principal, n.member) = (m.principal, m.member))
""")
ADD_MEMBERS = sa.text("""
insert into group_members (tenant_id, principal, member)
select distinct :tenant, n.principal, n.member
from unnest(cast(:groups as text[]), cast(:members as text[])) n (principal, member) on conflict do nothing
""")
WHO = sa.text(f"""
with shared as (
    select p.principal, g.title from documents d
    join document_access p on (p.tenant_id, p.document_id) = (d.tenant_id, d.id)
    left join source_groups g on (g.tenant_id, g.principal) = (p.tenant_id, p.principal)
    where d.id = :id and {READABLE}
), names as (
    select m.user_id, :everyone as name from memberships m where m.tenant_id = :tenant
    union select m.user_id, 'user:' || m.user_id from memberships m where m.tenant_id = :tenant
    union select e.user_id, 'email:' || e.email from member_addresses e
    union select e.user_id, 'domain:' || split_part(e.email, '@', 2) from member_addresses e
), reached as (
    select s.principal, s.title, n.user_id from shared s join names n on n.name = s.principal
    union select s.principal, s.title, n.user_id from shared s join group_members m on m.principal = s.principal
    join names n on n.name = m.member
)
select s.principal, s.title, u.id as user_id, u.name, u.email from shared s
left join reached r on r.principal = s.principal left join users u on u.id = r.user_id
order by lower(u.name), u.id, s.principal
""")


class AccessStore:
    """Mirrored permissions of one tenant."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def replace_groups(self, integration_id: int, groups: Sequence[Group]) -> None:
        pairs = [(group.principal, member) for group in groups for member in group.members]
        binds = {
            "tenant": self._viewer.tenant_id,
            "integration": integration_id,
            "principals": [group.principal for group in groups],
            "titles": [group.title for group in groups],
            "groups": [principal for principal, _ in pairs],
            "members": [member for _, member in pairs],
        }
        for statement in (PUT_GROUPS, DROP_MEMBERS, ADD_MEMBERS):
            await self._connection.execute(statement, binds)

    async def forget_groups(self, integration_id: int, principals: Sequence[str]) -> None:
        await self._connection.execute(
            sa.text("delete from source_groups where integration_id = :integration and principal = any(:principals)"),
            {"integration": integration_id, "principals": list(principals)},
        )

    async def group_principals(self, integration_id: int) -> list[str]:
        rows = await self._connection.execute(
            sa.text("select principal from source_groups where integration_id = :integration order by principal"),
            {"integration": integration_id},
        )
        return list(rows.scalars())

    async def prove(self, user_id: int, email: str) -> None:
        await self._connection.execute(
            sa.text(
                "insert into member_addresses (tenant_id, user_id, email, proof)"
                " values (:tenant, :user, lower(:email), 'consent') on conflict do nothing"
            ),
            {"tenant": self._viewer.tenant_id, "user": user_id, "email": email.strip()},
        )

    async def readers(self, document_id: int) -> Readers:
        rows = await self._connection.execute(
            WHO,
            {
                **access_binds(self._viewer),
                "id": document_id,
                "tenant": self._viewer.tenant_id,
                "everyone": EVERYONE,
            },
        )
        reasons: dict[int, Reason] = {}
        unmatched: list[str] = []
        principals: set[str] = set()
        for row in rows:
            principals.add(row.principal)
            why = _in_words(row.principal, row.title, self._viewer.tenant_name)
            if row.user_id is None:
                unmatched.append(why)
                continue
            held = reasons.get(row.user_id)
            reasons[row.user_id] = Reason(row.user_id, row.name, row.email, (*(held.why if held else ()), why))
        if not principals:
            raise NotFound("This document does not exist, or is not shared with you.")
        return Readers(tuple(sorted(principals)), tuple(reasons.values()), tuple(unmatched))


def _in_words(principal: str, title: str | None, tenant_name: str) -> str:
    sort, _, rest = principal.partition(":")
    match sort:
        case "tenant":
            return f"everyone in {tenant_name} may read it"
        case "user":
            return "it is theirs, or was shared with them by name"
        case "email":
            return f"shared with {rest} at its source"
        case "domain":
            return f"shared at its source with everyone at {rest}"
        case _:
            return f"member of {title or 'a group that is gone at its source'}"
