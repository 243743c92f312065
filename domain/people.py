"""Who uses the product: tenants, users, memberships, sessions, invitations, and the viewer a vault is bound to."""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

SESSION_LIFE = timedelta(days=30)
INVITATION_LIFE = timedelta(days=7)
EVERYONE = "tenant"
"""The principal that stands for every member of a tenant."""


class Role(StrEnum):
    """What a member may do: admins also connect integrations, invite and remove people."""

    ADMIN = "admin"
    MEMBER = "member"


class Tenant(msgspec.Struct, frozen=True):
    """One company's vault."""

    id: int
    name: str
    slug: str
    created_at: datetime


class User(msgspec.Struct, frozen=True):
    """A person who can sign in; the same person may belong to several tenants."""

    id: int
    email: str
    name: str
    password_hash: str


class Member(msgspec.Struct, frozen=True):
    """A user as one tenant sees them."""

    user_id: int
    name: str
    email: str
    role: Role
    joined_at: datetime
    last_seen_at: datetime | None


class Membership(msgspec.Struct, frozen=True):
    """A tenant as one user sees it."""

    tenant_id: int
    tenant_name: str
    tenant_slug: str
    role: Role


class Session(msgspec.Struct, frozen=True):
    """A signed-in browser, as its owner sees it in the list of sessions; `token_hash` never leaves the lobby."""

    id: int
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    user_agent: str


class Invitation(msgspec.Struct, frozen=True):
    """A link that lets one person join a tenant once."""

    id: int
    tenant_id: int
    tenant_name: str
    email: str
    role: Role
    invited_by: str
    created_at: datetime
    expires_at: datetime


class ApiToken(msgspec.Struct, frozen=True):
    """A key with which a script acts as its owner under /api/v1."""

    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None


class Viewer(msgspec.Struct, frozen=True):
    """Who asks: one user in one tenant. A vault shows exactly what its viewer may see."""

    tenant_id: int
    user_id: int
    role: Role
    name: str
    email: str
    tenant_name: str
    session_id: int | None = None
    is_system: bool = False
    viewed_by: str | None = None
    """The admin who looks through this member's eyes; None when it is the member."""

    @property
    def is_admin(self) -> bool:
        """Whether the viewer may manage the tenant."""
        return self.role is Role.ADMIN

    @property
    def principals(self) -> tuple[str, ...]:
        """The names under which documents may be shared with this viewer."""
        return (EVERYONE, user_principal(self.user_id))


def user_principal(user_id: int) -> str:
    """Return the principal that stands for one user."""
    return f"user:{user_id}"


def email_principal(email: str) -> str:
    """Return the principal that stands for whoever proved that an address is theirs."""
    return f"email:{email.strip().lower()}"


def domain_principal(domain: str) -> str:
    """Return the principal that stands for everyone with a proven address in a domain."""
    return f"domain:{domain.strip().lower()}"


def group_principal(integration_id: int, name: str) -> str:
    """Return the principal that stands for a group at the source of one integration."""
    return f"group:{integration_id}:{name}"


def system_viewer(tenant_id: int) -> Viewer:
    """Return the viewer under which background work runs: it sees every document of its tenant, and only of that."""
    return Viewer(
        tenant_id=tenant_id,
        user_id=0,
        role=Role.ADMIN,
        name="KnowledgeVault",
        email="",
        tenant_name="",
        is_system=True,
    )


def anybody(tenant_id: int) -> Viewer:
    """Return the viewer who sees what every member of a tenant may see, and nothing else."""
    return Viewer(tenant_id=tenant_id, user_id=0, role=Role.MEMBER, name="", email="", tenant_name="")
