"""Members, invitations, sessions and keys of one tenant: what its people manage once they are inside."""

from datetime import datetime
from typing import Protocol

from domain.people import ApiToken, Invitation, Member, Role, Session, Tenant


class Members(Protocol):
    """The people of one tenant."""

    async def tenant(self) -> Tenant:
        """Return the tenant itself."""

    async def rename_tenant(self, name: str) -> None:
        """Give the tenant another name."""

    async def all(self) -> list[Member]:
        """Return all members, by name."""

    async def set_role(self, user_id: int, role: Role) -> None:
        """Change a role. Raises: NotFound, Conflict when it would leave no admin."""

    async def remove(self, user_id: int) -> None:
        """Remove a member, end their sessions here and announce it. Raises: NotFound, Conflict for the last admin."""

    async def invite(self, email: str, role: Role, token_hash: bytes, expires_at: datetime) -> Invitation:
        """Add an invitation by the viewer; an open one for the same address is replaced.

        Raises: Conflict when the person is a member already.
        """

    async def invitations(self, now: datetime) -> list[Invitation]:
        """Return open invitations, newest first."""

    async def revoke_invitation(self, invitation_id: int) -> None:
        """Take an invitation back. Raises: NotFound."""

    async def sessions(self, now: datetime) -> list[Session]:
        """Return the viewer's own live sessions in this tenant, last seen first."""

    async def end_session(self, session_id: int) -> None:
        """Revoke one of the viewer's own sessions and announce it. Raises: NotFound."""

    async def api_tokens(self) -> list[ApiToken]:
        """Return the viewer's own API tokens, newest first."""

    async def add_api_token(self, name: str, token_hash: bytes) -> ApiToken:
        """Add an API token for the viewer."""

    async def remove_api_token(self, token_id: int) -> None:
        """Revoke one of the viewer's own API tokens. Raises: NotFound."""
