"""Members, invitations, sessions and API tokens of one tenant in Postgres."""

from collections.abc import Callable
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import Conflict, Invalid, NotFound
from domain.facts import AccessEnded, Fact
from domain.people import ApiToken, Invitation, Member, Role, Session, Tenant, Viewer
from infra.store.texts import named, storable

INVITATION_COLUMNS = """
    i.id, i.tenant_id, t.name as tenant_name, i.email, i.role, coalesce(u.name, '') as invited_by,
    i.created_at, i.expires_at
"""
INVITATION_JOINS = "join tenants t on t.id = i.tenant_id left join users u on u.id = i.invited_by"
MAX_EMAIL_CHARACTERS = 320
NO_MEMBER = "This person is not a member any more. Reload the list of members."


class MemberStore:
    """The people of one tenant; sessions and tokens are the viewer's own."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer, announce: Callable[[int, Fact], None]) -> None:
        self._connection = connection
        self._viewer = viewer
        self._announce = announce

    async def tenant(self) -> Tenant:
        """Return the tenant itself."""
        rows = await self._connection.execute(
            sa.text("select id, name, slug, created_at from tenants where id = :id"), {"id": self._viewer.tenant_id}
        )
        return msgspec.convert(dict(rows.one()._mapping), Tenant)

    async def rename_tenant(self, name: str) -> None:
        """Give the tenant another name. Raises: Invalid for a name that is empty or too long."""
        await self._connection.execute(
            sa.text("update tenants set name = :name where id = :id"),
            {"id": self._viewer.tenant_id, "name": named(name)},
        )

    async def all(self) -> list[Member]:
        """Return all members, by name."""
        rows = await self._connection.execute(
            sa.text(
                "select m.user_id, u.name, u.email, m.role, m.joined_at, m.last_seen_at"
                " from memberships m join users u on u.id = m.user_id order by lower(u.name), m.user_id"
            )
        )
        return [msgspec.convert(dict(row._mapping), Member) for row in rows]

    async def set_role(self, user_id: int, role: Role) -> None:
        """Change a role. Raises: NotFound, Conflict when it would leave no admin."""
        if role is not Role.ADMIN:
            await self._keep_an_admin_besides(user_id)
        rows = await self._connection.execute(
            sa.text("update memberships set role = :role where user_id = :user returning user_id"),
            {"user": user_id, "role": role},
        )
        if rows.one_or_none() is None:
            raise NotFound(NO_MEMBER)

    async def remove(self, user_id: int) -> None:
        """Remove a member, end their sessions here and announce it. Raises: NotFound, Conflict for the last admin."""
        await self._keep_an_admin_besides(user_id)
        rows = await self._connection.execute(
            sa.text("delete from memberships where user_id = :user returning user_id"), {"user": user_id}
        )
        if rows.one_or_none() is None:
            raise NotFound(NO_MEMBER)
        self._announce(self._viewer.tenant_id, AccessEnded(user_id))

    async def invite(self, email: str, role: Role, token_hash: bytes, expires_at: datetime) -> Invitation:
        """Add an invitation by the viewer; an open one for the same address is replaced.

        Raises: Invalid for an address too long, Conflict when the person is a member already.
        """
        email = _address(email)
        if await self._is_member(email):
            raise Conflict(f"{email} is a member already. Change their role in the list of members.")
        rows = await self._connection.execute(
            sa.text(
                "with i as (insert into invitations (tenant_id, email, role, token_hash, invited_by, expires_at)"
                " values (:tenant, :email, :role, :token_hash, :user, :expires_at)"
                " on conflict (tenant_id, lower(email)) where used_at is null do update set"
                " email = excluded.email, role = excluded.role, token_hash = excluded.token_hash,"
                " invited_by = excluded.invited_by, created_at = now(), expires_at = excluded.expires_at"
                f" returning *) select {INVITATION_COLUMNS} from i {INVITATION_JOINS}"
            ),
            {
                "tenant": self._viewer.tenant_id,
                "email": email,
                "role": role,
                "token_hash": token_hash,
                "user": self._viewer.user_id or None,
                "expires_at": expires_at,
            },
        )
        return msgspec.convert(dict(rows.one()._mapping), Invitation)

    async def invitations(self, now: datetime) -> list[Invitation]:
        """Return open invitations, newest first."""
        rows = await self._connection.execute(
            sa.text(
                f"select {INVITATION_COLUMNS} from invitations i {INVITATION_JOINS}"
                " where i.used_at is null and i.expires_at > :now order by i.created_at desc, i.id desc"
            ),
            {"now": now},
        )
        return [msgspec.convert(dict(row._mapping), Invitation) for row in rows]

    async def revoke_invitation(self, invitation_id: int) -> None:
        """Take an invitation back. Raises: NotFound."""
        rows = await self._connection.execute(
            sa.text("delete from invitations where id = :id and used_at is null returning id"), {"id": invitation_id}
        )
        if rows.one_or_none() is None:
            raise NotFound("This invitation is not open any more: it was used or taken back.")

    async def sessions(self, now: datetime) -> list[Session]:
        """Return the viewer's own live sessions in this tenant, last seen first."""
        rows = await self._connection.execute(
            sa.text(
                "select id, created_at, last_seen_at, expires_at, user_agent from sessions"
                " where user_id = :user and expires_at > :now order by last_seen_at desc, id desc"
            ),
            {"user": self._viewer.user_id, "now": now},
        )
        return [msgspec.convert(dict(row._mapping), Session) for row in rows]

    async def end_session(self, session_id: int) -> None:
        """Revoke one of the viewer's own sessions and announce it. Raises: NotFound."""
        rows = await self._connection.execute(
            sa.text("delete from sessions where id = :id and user_id = :user returning id"),
            {"id": session_id, "user": self._viewer.user_id},
        )
        if rows.one_or_none() is None:
            raise NotFound("This session has ended already, or is not yours.")
        self._announce(self._viewer.tenant_id, AccessEnded(self._viewer.user_id, session_id))

    async def api_tokens(self) -> list[ApiToken]:
        """Return the viewer's own API tokens, newest first."""
        rows = await self._connection.execute(
            sa.text(
                "select id, name, created_at, last_used_at from api_tokens where user_id = :user"
                " order by created_at desc, id desc"
            ),
            {"user": self._viewer.user_id},
        )
        return [msgspec.convert(dict(row._mapping), ApiToken) for row in rows]

    async def add_api_token(self, name: str, token_hash: bytes) -> ApiToken:
        """Add an API token for the viewer. Raises: Invalid for a name that is empty or too long."""
        rows = await self._connection.execute(
            sa.text(
                "insert into api_tokens (tenant_id, user_id, name, token_hash)"
                " values (:tenant, :user, :name, :token_hash) returning id, name, created_at, last_used_at"
            ),
            {
                "tenant": self._viewer.tenant_id,
                "user": self._viewer.user_id,
                "name": named(name),
                "token_hash": token_hash,
            },
        )
        return msgspec.convert(dict(rows.one()._mapping), ApiToken)

    async def remove_api_token(self, token_id: int) -> None:
        """Revoke one of the viewer's own API tokens. Raises: NotFound."""
        rows = await self._connection.execute(
            sa.text("delete from api_tokens where id = :id and user_id = :user returning id"),
            {"id": token_id, "user": self._viewer.user_id},
        )
        if rows.one_or_none() is None:
            raise NotFound("This key has been revoked already, or is not yours.")

    async def _keep_an_admin_besides(self, user_id: int) -> None:
        """Lock all admins, so that two of them cannot step down, or remove each other, at the same moment."""
        rows = await self._connection.execute(
            sa.text("select user_id from memberships where role = 'admin' order by user_id for update")
        )
        if list(rows.scalars()) == [user_id]:
            raise Conflict("This is the only admin. Make somebody else an admin first.")

    async def _is_member(self, email: str) -> bool:
        rows = await self._connection.execute(
            sa.text(
                "select exists (select 1 from memberships m join users u on u.id = m.user_id"
                " where lower(u.email) = lower(:email))"
            ),
            {"email": email},
        )
        return bool(rows.scalar_one())


def _address(email: str) -> str:
    email = storable(email).strip()
    if not email or len(email) > MAX_EMAIL_CHARACTERS:
        raise Invalid("This is not an e-mail address. Check it.", {"email": "Enter an e-mail address."})
    return email
