"""Accounts and sessions in Postgres, across tenants; the only store that is not bound to one."""

from collections.abc import Callable
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import Conflict, Invalid, NotFound
from domain.facts import AccessEnded, Fact
from domain.people import Invitation, Membership, Role, Tenant, User, Viewer
from infra.store.members import INVITATION_COLUMNS, INVITATION_JOINS
from infra.store.texts import named, storable

USER_COLUMNS = "id, email, name, password_hash"
VIEWER_COLUMNS = "m.tenant_id, m.user_id, m.role, u.name, u.email, t.name as tenant_name"
VIEWER_JOINS = "join users u on u.id = m.user_id join tenants t on t.id = m.tenant_id"
MAX_USER_AGENT_CHARACTERS = 500


class LobbyStore:
    """Accounts and sessions of all tenants, and no tenant's content."""

    def __init__(self, connection: AsyncConnection, announce: Callable[[int, Fact], None]) -> None:
        self._connection = connection
        self._announce = announce

    async def user_by_email(self, email: str) -> User | None:
        """Return the user with this address, compared without case."""
        rows = await self._connection.execute(
            sa.text(f"select {USER_COLUMNS} from users where lower(email) = lower(:email)"),
            {"email": storable(email).strip()},
        )
        row = rows.one_or_none()
        return msgspec.convert(dict(row._mapping), User) if row else None

    async def user(self, user_id: int) -> User:
        """Return one user. Raises: NotFound."""
        rows = await self._connection.execute(
            sa.text(f"select {USER_COLUMNS} from users where id = :id"), {"id": user_id}
        )
        if row := rows.one_or_none():
            return msgspec.convert(dict(row._mapping), User)
        raise NotFound("This account does not exist any more.")

    async def add_user(self, email: str, name: str, password_hash: str) -> User:
        """Add a user. Raises: Conflict when the address is taken, Invalid for an address or name out of bounds."""
        email = storable(email).strip()
        try:
            rows = await self._connection.execute(
                sa.text(
                    "insert into users (email, name, password_hash) values (:email, :name, :password_hash)"
                    f" on conflict (lower(email)) do nothing returning {USER_COLUMNS}"
                ),
                {"email": email, "name": named(name), "password_hash": password_hash},
            )
        except IntegrityError as error:
            message = "Enter an e-mail address of 3 to 320 characters."
            raise Invalid("This is not an e-mail address. Check it.", {"email": message}) from error
        if row := rows.one_or_none():
            return msgspec.convert(dict(row._mapping), User)
        raise Conflict(f"There is an account for {email} already. Sign in instead.")

    async def set_password(self, user_id: int, password_hash: str) -> None:
        """Replace a password."""
        await self._connection.execute(
            sa.text("update users set password_hash = :password_hash where id = :id"),
            {"id": user_id, "password_hash": password_hash},
        )

    async def add_tenant(self, name: str, slug: str) -> Tenant:
        """Add a tenant. Raises: Conflict when the slug is taken, Invalid when it cannot stand in an address."""
        try:
            rows = await self._connection.execute(
                sa.text(
                    "insert into tenants (name, slug) values (:name, :slug)"
                    " on conflict (slug) do nothing returning id, name, slug, created_at"
                ),
                {"name": named(name), "slug": storable(slug)},
            )
        except IntegrityError as error:
            message = "Use up to 63 small letters, digits and hyphens."
            raise Invalid(f"The short name cannot be used. {message}", {"slug": message}) from error
        if row := rows.one_or_none():
            return msgspec.convert(dict(row._mapping), Tenant)
        raise Conflict(f"The short name “{slug}” is taken. Choose another.")

    async def tenant_by_slug(self, slug: str) -> Tenant | None:
        """Return the tenant with this slug."""
        rows = await self._connection.execute(
            sa.text("select id, name, slug, created_at from tenants where slug = :slug"), {"slug": storable(slug)}
        )
        row = rows.one_or_none()
        return msgspec.convert(dict(row._mapping), Tenant) if row else None

    async def add_membership(self, tenant_id: int, user_id: int, role: Role) -> None:
        """Make a user a member. Raises: Conflict when they are one already."""
        rows = await self._connection.execute(
            sa.text(
                "insert into memberships (tenant_id, user_id, role) values (:tenant, :user, :role)"
                " on conflict (tenant_id, user_id) do nothing returning user_id"
            ),
            {"tenant": tenant_id, "user": user_id, "role": role},
        )
        if rows.one_or_none() is None:
            raise Conflict("This person is a member already. Sign in to get there.")

    async def prove_address(self, tenant_id: int, user_id: int, email: str) -> None:
        await self._connection.execute(
            sa.text(
                "insert into member_addresses (tenant_id, user_id, email, proof)"
                " values (:tenant, :user, lower(:email), 'invitation') on conflict do nothing"
            ),
            {"tenant": tenant_id, "user": user_id, "email": email.strip()},
        )

    async def memberships(self, user_id: int) -> list[Membership]:
        """Return the tenants a user belongs to, by name."""
        rows = await self._connection.execute(
            sa.text(
                "select t.id as tenant_id, t.name as tenant_name, t.slug as tenant_slug, m.role"
                " from memberships m join tenants t on t.id = m.tenant_id where m.user_id = :user"
                " order by lower(t.name), t.id"
            ),
            {"user": user_id},
        )
        return [msgspec.convert(dict(row._mapping), Membership) for row in rows]

    async def viewer(self, tenant_id: int, user_id: int) -> Viewer:
        """Return the viewer for a membership, without a session. Raises: NotFound."""
        rows = await self._connection.execute(
            sa.text(
                f"select {VIEWER_COLUMNS} from memberships m {VIEWER_JOINS}"
                " where m.tenant_id = :tenant and m.user_id = :user"
            ),
            {"tenant": tenant_id, "user": user_id},
        )
        if row := rows.one_or_none():
            return msgspec.convert(dict(row._mapping), Viewer)
        raise NotFound("This person is not a member of this vault.")

    async def add_session(
        self, tenant_id: int, user_id: int, token_hash: bytes, expires_at: datetime, user_agent: str
    ) -> int:
        """Open a session and return its id."""
        rows = await self._connection.execute(
            sa.text(
                "insert into sessions (tenant_id, user_id, token_hash, expires_at, user_agent)"
                " values (:tenant, :user, :token_hash, :expires_at, :user_agent) returning id"
            ),
            {
                "tenant": tenant_id,
                "user": user_id,
                "token_hash": token_hash,
                "expires_at": expires_at,
                "user_agent": storable(user_agent)[:MAX_USER_AGENT_CHARACTERS],
            },
        )
        return int(rows.scalar_one())

    async def session_viewer(self, token_hash: bytes, now: datetime) -> Viewer | None:
        """Return who is signed in with this token; None when it is unknown, expired, revoked or no longer a member.

        Notes once a minute that the person was seen, and never waits for a row somebody else is writing.
        """
        rows = await self._connection.execute(
            sa.text(f"""
                with live as (
                    select s.id as session_id, s.viewed_user_id, {VIEWER_COLUMNS} from sessions s
                    join memberships m on (m.tenant_id, m.user_id) = (s.tenant_id, s.user_id) {VIEWER_JOINS}
                    where s.token_hash = :token_hash and s.expires_at > :now
                ), stale_session as (
                    select s.id from sessions s join live on live.session_id = s.id
                    where s.last_seen_at < cast(:now as timestamptz) - interval '1 minute'
                    for no key update of s skip locked
                ), stale_member as (
                    select m.tenant_id, m.user_id from memberships m
                    join live on (live.tenant_id, live.user_id) = (m.tenant_id, m.user_id)
                    where coalesce(m.last_seen_at < cast(:now as timestamptz) - interval '1 minute', true)
                    for no key update of m skip locked
                ), seen_session as (
                    update sessions s set last_seen_at = :now from stale_session where s.id = stale_session.id
                ), seen_member as (
                    update memberships m set last_seen_at = :now from stale_member
                    where (m.tenant_id, m.user_id) = (stale_member.tenant_id, stale_member.user_id)
                )
                select live.session_id, live.tenant_id, live.tenant_name, coalesce(m.user_id, live.user_id) as user_id,
                    coalesce(m.role, live.role) as role, coalesce(u.name, live.name) as name,
                    coalesce(u.email, live.email) as email, case when u.id is not null then live.name end as viewed_by
                from live left join memberships m on live.role = 'admin'
                    and (m.tenant_id, m.user_id) = (live.tenant_id, live.viewed_user_id)
                left join users u on u.id = m.user_id
            """),
            {"token_hash": token_hash, "now": now},
        )
        row = rows.one_or_none()
        return msgspec.convert(dict(row._mapping), Viewer) if row else None

    async def view_as(self, token_hash: bytes, user_id: int | None) -> int:
        rows = await self._connection.execute(
            sa.text("update sessions set viewed_user_id = :user where token_hash = :token_hash returning user_id"),
            {"token_hash": token_hash, "user": user_id},
        )
        return int(rows.scalar_one())

    async def token_viewer(self, token_hash: bytes, now: datetime) -> Viewer | None:
        """Return who acts with this API token; None when it is unknown or its owner is no longer a member."""
        rows = await self._connection.execute(
            sa.text(f"""
                with live as (
                    select a.id as api_token_id, {VIEWER_COLUMNS} from api_tokens a
                    join memberships m on (m.tenant_id, m.user_id) = (a.tenant_id, a.user_id) {VIEWER_JOINS}
                    where a.token_hash = :token_hash
                ), stale as (
                    select a.id from api_tokens a join live on live.api_token_id = a.id
                    where coalesce(a.last_used_at < cast(:now as timestamptz) - interval '1 minute', true)
                    for no key update of a skip locked
                ), used as (
                    update api_tokens a set last_used_at = :now from stale where a.id = stale.id
                )
                select * from live
            """),
            {"token_hash": token_hash, "now": now},
        )
        row = rows.one_or_none()
        return msgspec.convert(dict(row._mapping), Viewer) if row else None

    async def end_session(self, token_hash: bytes) -> None:
        """Revoke one session and announce it; harmless when there is none."""
        rows = await self._connection.execute(
            sa.text("delete from sessions where token_hash = :token_hash returning id, tenant_id, user_id"),
            {"token_hash": token_hash},
        )
        if row := rows.one_or_none():
            self._announce(row.tenant_id, AccessEnded(row.user_id, row.id))

    async def end_sessions(self, user_id: int) -> int:
        """Revoke all sessions of a user, in every tenant; announces that access ended; return how many."""
        rows = await self._connection.execute(
            sa.text("delete from sessions where user_id = :user returning tenant_id"), {"user": user_id}
        )
        tenant_ids = list(rows.scalars())
        for tenant_id in sorted(set(tenant_ids)):
            self._announce(tenant_id, AccessEnded(user_id))
        return len(tenant_ids)

    async def switch_session(self, token_hash: bytes, tenant_id: int) -> None:
        """Move a session to another tenant of the same user; its streams in the old one end.

        Raises: NotFound when the user is no member there.
        """
        rows = await self._connection.execute(
            sa.text(
                "with old as (select id, tenant_id, user_id from sessions where token_hash = :token_hash for update)"
                " update sessions s set tenant_id = m.tenant_id, viewed_user_id = null"
                " from old join memberships m on m.user_id = old.user_id"
                " where s.id = old.id and m.tenant_id = :tenant returning s.id, s.user_id, old.tenant_id as left_id"
            ),
            {"token_hash": token_hash, "tenant": tenant_id},
        )
        row = rows.one_or_none()
        if row is None:
            raise NotFound("This vault does not exist, or you are not a member of it. Ask one of its admins.")
        if row.left_id != tenant_id:
            self._announce(row.left_id, AccessEnded(row.user_id, row.id))

    async def invitation(self, token_hash: bytes, now: datetime) -> Invitation | None:
        """Return the invitation behind a link, unless it is used, revoked or expired."""
        rows = await self._connection.execute(
            sa.text(
                f"select {INVITATION_COLUMNS} from invitations i {INVITATION_JOINS}"
                " where i.token_hash = :token_hash and i.used_at is null and i.expires_at > :now"
            ),
            {"token_hash": token_hash, "now": now},
        )
        row = rows.one_or_none()
        return msgspec.convert(dict(row._mapping), Invitation) if row else None

    async def use_invitation(self, token_hash: bytes, now: datetime) -> Invitation | None:
        """Take the invitation exactly once; None when somebody was faster or it is no longer good."""
        rows = await self._connection.execute(
            sa.text(
                "with i as (update invitations set used_at = :now"
                " where token_hash = :token_hash and used_at is null and expires_at > :now returning *)"
                f" select {INVITATION_COLUMNS} from i {INVITATION_JOINS}"
            ),
            {"token_hash": token_hash, "now": now},
        )
        row = rows.one_or_none()
        return msgspec.convert(dict(row._mapping), Invitation) if row else None

    async def record(self, tenant_id: int, user_id: int | None, action: str, subject: str) -> None:
        """Add a line to a tenant's audit trail."""
        await self._connection.execute(
            sa.text(
                "insert into audit_events (tenant_id, user_id, actor, action, subject)"
                " values (:tenant, :user, coalesce((select name from users where id = :user), 'KnowledgeVault'),"
                " :action, :subject)"
            ),
            {"tenant": tenant_id, "user": user_id, "action": action, "subject": storable(subject)},
        )
