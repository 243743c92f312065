"""Accounts: how a person signs up, signs in, joins by invitation, changes a password and leaves everywhere.

Pure functions over the lobby and the passwords; they open no session, since cookies and tokens are the web's.
"""

import re
import unicodedata
from datetime import datetime

import msgspec

from domain.errors import Conflict, Invalid, NotFound
from domain.lobby import Lobby
from domain.people import Invitation, Membership, Role, User
from domain.vault import Passwords

MIN_PASSWORD_CHARACTERS = 10
MAX_PASSWORD_CHARACTERS = 256
MAX_NAME_CHARACTERS = 80
MAX_EMAIL_CHARACTERS = 254
"""RFC 5321, section 4.5.3.1.3: a path has at most 256 octets, its brackets included."""
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
LOOK_AT_FIELDS = "Please look at the marked fields."
WRONG_CREDENTIALS = "This address and password do not belong together. Check both, or sign up if you are new here."
NO_TENANT = "You are not a member of any vault any more. Ask a colleague for an invitation, or make a new vault."
INVITATION_OVER = "This invitation was used, taken back, or is older than a week. Ask for a new one."
EMAIL_TAKEN = "There is an account with this address already. Sign in instead."


class Entry(msgspec.Struct, frozen=True):
    """Whom a session may now be opened for, and where."""

    user_id: int
    tenant_id: int


async def sign_up(lobby: Lobby, passwords: Passwords, *, company: str, name: str, email: str, password: str) -> Entry:
    """Make a tenant, its first admin, and the membership between them. Raises: Invalid, by field."""
    wrong = {
        **wrong_name("company", company, "Enter the name of your company or team."),
        **wrong_name("name", name, "Enter your name, as colleagues know it."),
        **wrong_email(email),
        **wrong_password("password", password, email),
    }
    if wrong:
        raise Invalid(LOOK_AT_FIELDS, wrong)
    user = await _new_user(lobby, passwords, email, name, password)
    tenant = await lobby.add_tenant(company, await free_slug(lobby, company))
    await lobby.add_membership(tenant.id, user.id, Role.ADMIN)
    await lobby.record(tenant.id, user.id, "tenant.created", company)
    return Entry(user.id, tenant.id)


async def sign_in(lobby: Lobby, passwords: Passwords, email: str, password: str) -> tuple[User, list[Membership]]:
    """Return the user and their tenants, at least one.

    An unknown address takes as long and reads the same as a wrong password. Raises: Invalid.
    """
    user = await lobby.user_by_email(email)
    is_right = await passwords.verify(user.password_hash if user else "", password)
    if user is None or not is_right:
        raise Invalid(WRONG_CREDENTIALS)
    memberships = await lobby.memberships(user.id)
    if not memberships:
        raise Invalid(NO_TENANT)
    return user, memberships


async def join_with_password(
    lobby: Lobby, passwords: Passwords, token_hash: bytes, now: datetime, *, name: str, password: str
) -> Entry:
    """Join as the invited address: with its password where it has an account, as a new user otherwise.

    Raises: Invalid by field, NotFound when the invitation is no longer good, Conflict when they are a member already.
    """
    invitation = await lobby.invitation(token_hash, now)
    if invitation is None:
        raise NotFound(INVITATION_OVER)
    user = await lobby.user_by_email(invitation.email)
    if user is None:
        user = await _invited_user(lobby, passwords, invitation, name, password)
    elif not await passwords.verify(user.password_hash, password):
        raise Invalid(LOOK_AT_FIELDS, {"password": "This is not the password of your account. Try again."})
    return await join(lobby, token_hash, user.id, now)


async def join(lobby: Lobby, token_hash: bytes, user_id: int, now: datetime) -> Entry:
    """Take the invitation and make the user a member. Raises: NotFound, Conflict when they are one already."""
    invitation = await lobby.use_invitation(token_hash, now)
    if invitation is None:
        raise NotFound(INVITATION_OVER)
    tenant_id = invitation.tenant_id
    if any(membership.tenant_id == tenant_id for membership in await lobby.memberships(user_id)):
        raise Conflict(f"You are a member of {invitation.tenant_name} already. The invitation stays open for others.")
    await lobby.add_membership(tenant_id, user_id, invitation.role)
    await lobby.prove_address(tenant_id, user_id, invitation.email)
    await lobby.record(tenant_id, user_id, "member.joined", invitation.email)
    return Entry(user_id, tenant_id)


async def change_password(lobby: Lobby, passwords: Passwords, user_id: int, *, current: str, password: str) -> None:
    """Replace a password and end every session of the user, the present one included. Raises: Invalid, by field."""
    user = await lobby.user(user_id)
    wrong = wrong_password("password", password, user.email)
    if not await passwords.verify(user.password_hash, current):
        wrong["current_password"] = "This is not your present password."  # noqa: S105 (a message)
    if wrong:
        raise Invalid(LOOK_AT_FIELDS, wrong)
    await lobby.set_password(user_id, await passwords.hash(password))
    await lobby.end_sessions(user_id)


async def sign_out_everywhere(lobby: Lobby, user_id: int) -> int:
    """End every session of a user, in every tenant; return how many."""
    return await lobby.end_sessions(user_id)


async def free_slug(lobby: Lobby, company: str) -> str:
    """Return a slug made of the company's name that no tenant has; numbered from 2 where the plain one is taken."""
    plain = slug(company)
    candidate, n = plain, 1
    while await lobby.tenant_by_slug(candidate):
        n += 1
        candidate = f"{plain}-{n}"
    return candidate


def slug(name: str) -> str:
    """Return a name as it may stand in a URL: lower case, ASCII, hyphens; "vault" when nothing is left."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:40].strip("-") or "vault"


def wrong_name(field: str, name: str, when_empty: str) -> dict[str, str]:
    """Return what is wrong with a name, by field."""
    if not name.strip():
        return {field: when_empty}
    if len(name) > MAX_NAME_CHARACTERS:
        return {field: f"Use at most {MAX_NAME_CHARACTERS} characters."}
    if not name.isprintable():
        return {field: "Use letters and signs only; something invisible was pasted along."}
    return {}


def wrong_email(email: str) -> dict[str, str]:
    """Return what is wrong with an address, by field."""
    if not email:
        return {"email": "Enter your e-mail address."}
    if len(email) > MAX_EMAIL_CHARACTERS or not email.isprintable() or not EMAIL.fullmatch(email):
        return {"email": "This is not an e-mail address. One looks like name@company.com."}
    return {}


def wrong_password(field: str, password: str, email: str) -> dict[str, str]:
    """Return what is wrong with a new password, by field; length is what counts (NIST SP 800-63B, section 5.1.1)."""
    if len(password) < MIN_PASSWORD_CHARACTERS:
        return {field: f"Use at least {MIN_PASSWORD_CHARACTERS} characters. A few words in a row are easy to keep."}
    if len(password) > MAX_PASSWORD_CHARACTERS:
        return {field: f"Use at most {MAX_PASSWORD_CHARACTERS} characters."}
    if len(set(password)) <= 3 or password.casefold() == email.casefold():
        return {field: "This is too easy to guess. Take a few words that only you put together."}
    return {}


async def _invited_user(lobby: Lobby, passwords: Passwords, invitation: Invitation, name: str, password: str) -> User:
    wrong = {
        **wrong_name("name", name, "Enter your name, as colleagues know it."),
        **wrong_password("password", password, invitation.email),
    }
    if wrong:
        raise Invalid(LOOK_AT_FIELDS, wrong)
    return await _new_user(lobby, passwords, invitation.email, name, password)


async def _new_user(lobby: Lobby, passwords: Passwords, email: str, name: str, password: str) -> User:
    if await lobby.user_by_email(email):
        raise Invalid(LOOK_AT_FIELDS, {"email": EMAIL_TAKEN})
    password_hash = await passwords.hash(password)
    try:
        return await lobby.add_user(email, name, password_hash)
    except Conflict as error:
        raise Invalid(LOOK_AT_FIELDS, {"email": EMAIL_TAKEN}) from error
