"""The lobby: accounts and sessions, all that a request may touch before it is known who asks."""

from datetime import datetime
from typing import Protocol

from domain.people import Invitation, Membership, Role, Tenant, User, Viewer


class Lobby(Protocol):
    """Accounts and sessions across tenants, in one transaction; it sees no tenant's content."""

    async def user_by_email(self, email: str) -> User | None:
        """Return the user with this address, compared without case."""

    async def user(self, user_id: int) -> User:
        """Return one user. Raises: NotFound."""

    async def add_user(self, email: str, name: str, password_hash: str) -> User:
        """Add a user. Raises: Conflict when the address is taken."""

    async def set_password(self, user_id: int, password_hash: str) -> None:
        """Replace a password."""

    async def add_tenant(self, name: str, slug: str) -> Tenant:
        """Add a tenant. Raises: Conflict when the slug is taken."""

    async def tenant_by_slug(self, slug: str) -> Tenant | None:
        """Return the tenant with this slug."""

    async def add_membership(self, tenant_id: int, user_id: int, role: Role) -> None:
        """Make a user a member. Raises: Conflict when they are one already."""

    async def prove_address(self, tenant_id: int, user_id: int, email: str) -> None:
        """Remember that an invitation to this address was taken by this member: what is shared with it is theirs."""

    async def memberships(self, user_id: int) -> list[Membership]:
        """Return the tenants a user belongs to, by name."""

    async def viewer(self, tenant_id: int, user_id: int) -> Viewer:
        """Return the viewer for a membership, without a session. Raises: NotFound."""

    async def add_session(
        self, tenant_id: int, user_id: int, token_hash: bytes, expires_at: datetime, user_agent: str
    ) -> int:
        """Open a session and return its id."""

    async def session_viewer(self, token_hash: bytes, now: datetime) -> Viewer | None:
        """Return who is signed in with this token; None when it is unknown, expired, revoked or no longer a member."""

    async def view_as(self, token_hash: bytes, user_id: int | None) -> int:
        """Let a session's owner look through another member's eyes, or their own again; return the owner.

        It only takes effect while the owner is an admin, and the other a member, of the session's tenant.
        """

    async def token_viewer(self, token_hash: bytes, now: datetime) -> Viewer | None:
        """Return who acts with this API token; None when it is unknown or its owner is no longer a member."""

    async def end_session(self, token_hash: bytes) -> None:
        """Revoke one session; harmless when there is none."""

    async def end_sessions(self, user_id: int) -> int:
        """Revoke all sessions of a user, in every tenant; announces that access ended; return how many."""

    async def switch_session(self, token_hash: bytes, tenant_id: int) -> None:
        """Move a session to another tenant of the same user. Raises: NotFound when the user is no member there."""

    async def invitation(self, token_hash: bytes, now: datetime) -> Invitation | None:
        """Return the invitation behind a link, unless it is used, revoked or expired."""

    async def use_invitation(self, token_hash: bytes, now: datetime) -> Invitation | None:
        """Take the invitation exactly once; None when somebody was faster or it is no longer good."""

    async def record(self, tenant_id: int, user_id: int | None, action: str, subject: str) -> None:
        """Add a line to a tenant's audit trail."""
