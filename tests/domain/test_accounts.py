"""How people get in: signing up, signing in, joining, changing a password."""

from datetime import UTC, datetime, timedelta

import pytest

from domain import accounts
from domain.errors import Conflict, Invalid, NotFound
from domain.people import Invitation, Role
from tests.domain.memory_lobby import MemoryLobby, MemoryPasswords

NOW = datetime(2026, 5, 3, 12, tzinfo=UTC)
PASSWORD = "three plain words"
LINK = b"link"


@pytest.fixture
def lobby() -> MemoryLobby:
    return MemoryLobby()


@pytest.fixture
def passwords() -> MemoryPasswords:
    return MemoryPasswords()


async def founder(
    lobby: MemoryLobby, passwords: MemoryPasswords, email: str = "ada@tidewater.example"
) -> accounts.Entry:
    return await accounts.sign_up(
        lobby, passwords, company="Tidewater Ltd", name="Ada Byron", email=email, password=PASSWORD
    )


def invite(
    lobby: MemoryLobby, tenant_id: int, email: str = "grace@tidewater.example", role: Role = Role.MEMBER
) -> None:
    lobby.open_invitations[LINK] = Invitation(
        1, tenant_id, "Tidewater Ltd", email, role, "Ada Byron", NOW, NOW + timedelta(days=7)
    )


async def join(lobby: MemoryLobby, passwords: MemoryPasswords, now: datetime = NOW, **entered: str) -> accounts.Entry:
    given = {"name": "Grace Hopper", "password": PASSWORD, **entered}
    return await accounts.join_with_password(lobby, passwords, LINK, now, **given)


async def test_signing_up_makes_a_tenant_whose_first_member_is_its_admin(
    lobby: MemoryLobby, passwords: MemoryPasswords
) -> None:
    entry = await founder(lobby, passwords)
    assert lobby.members == {(entry.tenant_id, entry.user_id): Role.ADMIN}
    assert lobby.tenants[entry.tenant_id].slug == "tidewater-ltd"
    assert [line[2] for line in lobby.trail] == ["tenant.created"]


async def test_two_companies_of_the_same_name_get_different_slugs(
    lobby: MemoryLobby, passwords: MemoryPasswords
) -> None:
    await founder(lobby, passwords)
    second = await founder(lobby, passwords, email="eve@elsewhere.example")
    assert lobby.tenants[second.tenant_id].slug == "tidewater-ltd-2"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Ünïcode & Söhne", "unicode-sohne"), ("東京", "vault"), ("---", "vault"), ("A" * 60, "a" * 40)],
)
def test_any_company_name_has_a_slug(name: str, expected: str) -> None:
    assert accounts.slug(name) == expected


@pytest.mark.parametrize(
    ("field", "entered"),
    [
        ("company", ""),
        ("company", "x" * 81),
        ("name", ""),
        ("name", "Ada\u200bByron"),
        ("email", ""),
        ("email", "ada@"),
        ("email", "ada@tidewater"),
        ("email", "ada @tidewater.example"),
        ("email", "a@b..example"),
        ("email", "a" * 250 + "@b.example"),
        ("password", "short"),
        ("password", "a" * 12),
        ("password", "ada@tidewater.example"),
        ("password", "x1y2z3" * 50),
    ],
)
async def test_what_cannot_be_used_at_sign_up_is_named_at_its_field(
    lobby: MemoryLobby, passwords: MemoryPasswords, field: str, entered: str
) -> None:
    given = {"company": "Tidewater", "name": "Ada", "email": "ada@tidewater.example", "password": PASSWORD}
    with pytest.raises(Invalid) as refused:
        await accounts.sign_up(lobby, passwords, **{**given, field: entered})
    assert list(refused.value.fields) == [field]
    assert not lobby.users
    assert not lobby.tenants


async def test_an_address_with_an_account_may_not_sign_up_again(lobby: MemoryLobby, passwords: MemoryPasswords) -> None:
    await founder(lobby, passwords)
    with pytest.raises(Invalid) as refused:
        await founder(lobby, passwords, email="ADA@tidewater.example")
    assert refused.value.fields == {"email": accounts.EMAIL_TAKEN}
    assert len(lobby.tenants) == 1


async def test_an_unknown_address_reads_the_same_and_costs_the_same_as_a_wrong_password(
    lobby: MemoryLobby, passwords: MemoryPasswords
) -> None:
    await founder(lobby, passwords)
    messages = []
    for email in ("ada@tidewater.example", "nobody@tidewater.example"):
        with pytest.raises(Invalid) as refused:
            await accounts.sign_in(lobby, passwords, email, "not the password")
        messages.append((refused.value.message, refused.value.fields))
    assert messages[0] == messages[1]
    assert passwords.n_verified == 2


async def test_a_person_signs_in_with_their_address_in_any_case(lobby: MemoryLobby, passwords: MemoryPasswords) -> None:
    entry = await founder(lobby, passwords)
    user, memberships = await accounts.sign_in(lobby, passwords, "Ada@Tidewater.example", PASSWORD)
    assert (user.id, memberships[0].tenant_id) == (entry.user_id, entry.tenant_id)


async def test_a_person_who_belongs_to_no_vault_is_told_so(lobby: MemoryLobby, passwords: MemoryPasswords) -> None:
    await founder(lobby, passwords)
    lobby.members.clear()
    with pytest.raises(Invalid, match="not a member of any vault"):
        await accounts.sign_in(lobby, passwords, "ada@tidewater.example", PASSWORD)


async def test_an_invited_person_without_an_account_joins_in_the_invited_role(
    lobby: MemoryLobby, passwords: MemoryPasswords
) -> None:
    entry = await founder(lobby, passwords)
    invite(lobby, entry.tenant_id, role=Role.ADMIN)
    joined = await join(lobby, passwords)
    assert lobby.members[entry.tenant_id, joined.user_id] is Role.ADMIN
    assert lobby.users[joined.user_id].email == "grace@tidewater.example"


async def test_an_invitation_works_once(lobby: MemoryLobby, passwords: MemoryPasswords) -> None:
    entry = await founder(lobby, passwords)
    invite(lobby, entry.tenant_id)
    await join(lobby, passwords)
    with pytest.raises(NotFound, match="Ask for a new one"):
        await join(lobby, passwords)


async def test_an_invitation_ends_after_a_week(lobby: MemoryLobby, passwords: MemoryPasswords) -> None:
    entry = await founder(lobby, passwords)
    invite(lobby, entry.tenant_id)
    with pytest.raises(NotFound, match="older than a week"):
        await join(lobby, passwords, now=NOW + timedelta(days=8))


async def test_an_invited_person_with_an_account_needs_its_password(
    lobby: MemoryLobby, passwords: MemoryPasswords
) -> None:
    entry = await founder(lobby, passwords)
    other = await founder(lobby, passwords, email="grace@tidewater.example")
    invite(lobby, entry.tenant_id)
    with pytest.raises(Invalid) as refused:
        await join(lobby, passwords, password="somebody else's")
    assert list(refused.value.fields) == ["password"]
    assert (await join(lobby, passwords)).user_id == other.user_id


async def test_a_refused_entry_does_not_use_the_invitation_up(lobby: MemoryLobby, passwords: MemoryPasswords) -> None:
    entry = await founder(lobby, passwords)
    invite(lobby, entry.tenant_id)
    with pytest.raises(Invalid):
        await join(lobby, passwords, name="", password="short")
    assert LINK in lobby.open_invitations


async def test_a_member_may_not_join_twice(lobby: MemoryLobby, passwords: MemoryPasswords) -> None:
    entry = await founder(lobby, passwords)
    invite(lobby, entry.tenant_id)
    with pytest.raises(Conflict, match="already"):
        await accounts.join(lobby, LINK, entry.user_id, NOW)


async def test_a_new_password_ends_every_session(lobby: MemoryLobby, passwords: MemoryPasswords) -> None:
    entry = await founder(lobby, passwords)
    await lobby.add_session(entry.tenant_id, entry.user_id, b"phone", NOW + timedelta(days=1), "")
    await accounts.change_password(lobby, passwords, entry.user_id, current=PASSWORD, password="four other plain words")
    assert not lobby.sessions
    await accounts.sign_in(lobby, passwords, "ada@tidewater.example", "four other plain words")


async def test_a_wrong_present_password_changes_nothing(lobby: MemoryLobby, passwords: MemoryPasswords) -> None:
    entry = await founder(lobby, passwords)
    with pytest.raises(Invalid) as refused:
        await accounts.change_password(lobby, passwords, entry.user_id, current="wrong", password="short")
    assert set(refused.value.fields) == {"current_password", "password"}
    await accounts.sign_in(lobby, passwords, "ada@tidewater.example", PASSWORD)
