"""A lobby in memory, for tests of the rules about accounts; the real one has its own tests on Postgres."""

from datetime import UTC, datetime

import msgspec

from domain.errors import Conflict, NotFound
from domain.people import Invitation, Membership, Role, Tenant, User, Viewer

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class MemoryPasswords:
    """Passwords that are cheap; `n_verified` counts, since an unknown address must cost as much as a known one."""

    def __init__(self) -> None:
        self.n_verified = 0

    async def hash(self, password: str) -> str:
        return f"hash of {password}"

    async def verify(self, password_hash: str, password: str) -> bool:
        self.n_verified += 1
        return password_hash == f"hash of {password}"


class MemoryLobby:
    """domain.lobby.Lobby over dictionaries."""

    def __init__(self) -> None:
        self.users: dict[int, User] = {}
        self.tenants: dict[int, Tenant] = {}
        self.members: dict[tuple[int, int], Role] = {}
        self.addresses: set[tuple[int, int, str]] = set()
        self.sessions: dict[bytes, tuple[int, int, datetime]] = {}
        self.open_invitations: dict[bytes, Invitation] = {}
        self.trail: list[tuple[int, int | None, str, str]] = []

    async def user_by_email(self, email: str) -> User | None:
        return next((user for user in self.users.values() if user.email.lower() == email.lower()), None)

    async def user(self, user_id: int) -> User:
        if user_id not in self.users:
            raise NotFound("no such user")
        return self.users[user_id]

    async def add_user(self, email: str, name: str, password_hash: str) -> User:
        if await self.user_by_email(email):
            raise Conflict("taken")
        user = User(len(self.users) + 1, email, name, password_hash)
        self.users[user.id] = user
        return user

    async def set_password(self, user_id: int, password_hash: str) -> None:
        self.users[user_id] = msgspec.structs.replace(self.users[user_id], password_hash=password_hash)

    async def add_tenant(self, name: str, slug: str) -> Tenant:
        tenant = Tenant(len(self.tenants) + 1, name, slug, LONG_AGO)
        self.tenants[tenant.id] = tenant
        return tenant

    async def tenant_by_slug(self, slug: str) -> Tenant | None:
        return next((tenant for tenant in self.tenants.values() if tenant.slug == slug), None)

    async def add_membership(self, tenant_id: int, user_id: int, role: Role) -> None:
        if (tenant_id, user_id) in self.members:
            raise Conflict("a member already")
        self.members[tenant_id, user_id] = role

    async def prove_address(self, tenant_id: int, user_id: int, email: str) -> None:
        self.addresses.add((tenant_id, user_id, email.lower()))

    async def memberships(self, user_id: int) -> list[Membership]:
        mine = [
            (self.tenants[tenant_id], role) for (tenant_id, member), role in self.members.items() if member == user_id
        ]
        return [
            Membership(tenant.id, tenant.name, tenant.slug, role)
            for tenant, role in sorted(mine, key=lambda one: one[0].name)
        ]

    async def viewer(self, tenant_id: int, user_id: int) -> Viewer:
        if (tenant_id, user_id) not in self.members:
            raise NotFound("no member")
        user, tenant = self.users[user_id], self.tenants[tenant_id]
        return Viewer(tenant_id, user_id, self.members[tenant_id, user_id], user.name, user.email, tenant.name)

    async def add_session(
        self, tenant_id: int, user_id: int, token_hash: bytes, expires_at: datetime, user_agent: str
    ) -> int:
        self.sessions[token_hash] = tenant_id, user_id, expires_at
        return len(self.sessions)

    async def session_viewer(self, token_hash: bytes, now: datetime) -> Viewer | None:
        if token_hash not in self.sessions or self.sessions[token_hash][2] <= now:
            return None
        return await self.viewer(*self.sessions[token_hash][:2])

    async def view_as(self, token_hash: bytes, user_id: int | None) -> int:
        return self.sessions[token_hash][1]

    async def token_viewer(self, token_hash: bytes, now: datetime) -> Viewer | None:
        return None

    async def end_session(self, token_hash: bytes) -> None:
        self.sessions.pop(token_hash, None)

    async def end_sessions(self, user_id: int) -> int:
        mine = [token for token, (_, owner, _) in self.sessions.items() if owner == user_id]
        for token in mine:
            del self.sessions[token]
        return len(mine)

    async def switch_session(self, token_hash: bytes, tenant_id: int) -> None:
        _, user_id, expires_at = self.sessions[token_hash]
        self.sessions[token_hash] = tenant_id, user_id, expires_at

    async def invitation(self, token_hash: bytes, now: datetime) -> Invitation | None:
        found = self.open_invitations.get(token_hash)
        return found if found and found.expires_at > now else None

    async def use_invitation(self, token_hash: bytes, now: datetime) -> Invitation | None:
        found = await self.invitation(token_hash, now)
        self.open_invitations.pop(token_hash, None)
        return found

    async def record(self, tenant_id: int, user_id: int | None, action: str, subject: str) -> None:
        self.trail.append((tenant_id, user_id, action, subject))
