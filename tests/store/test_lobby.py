"""Accounts and sessions, before it is known who asks."""

import asyncio
import uuid
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.errors import Conflict, Invalid, NotFound
from domain.facts import AccessEnded
from domain.people import Role, Viewer
from infra.database import lobby_transaction, tenant_transaction
from tests import factories
from tests.store.stores import NOW, Announced, lobby, members

LIFE = timedelta(days=30)


def fresh_token() -> bytes:
    return uuid.uuid4().bytes


def fresh_email() -> str:
    return f"{uuid.uuid4().hex[:12]}@tidewater.example"


async def signed_in(engine: AsyncEngine, viewer: Viewer) -> bytes:
    token = fresh_token()
    async with lobby(engine) as store:
        await store.add_session(viewer.tenant_id, viewer.user_id, token, NOW + LIFE, "Firefox")
    return token


async def who(engine: AsyncEngine, token: bytes, now: datetime = NOW) -> Viewer | None:
    async with lobby(engine) as store:
        return await store.session_viewer(token, now)


async def test_a_person_signs_up_and_is_found_by_address_whatever_its_case(engine: AsyncEngine) -> None:
    email = fresh_email()
    async with lobby(engine) as store:
        user = await store.add_user(f" {email.upper()} ", " Ada Byron\0", "hash")
        assert await store.user_by_email(email) == user
        assert await store.user(user.id) == user
        assert (user.name, user.password_hash) == ("Ada Byron", "hash")


async def test_an_address_belongs_to_one_account_and_the_refusal_leaves_the_rest_as_it_was(engine: AsyncEngine) -> None:
    email = fresh_email()
    async with lobby(engine) as store:
        await store.add_user(email, "Ada Byron", "")
        with pytest.raises(Conflict, match="Sign in instead"):
            await store.add_user(email.upper(), "Grace", "")
        assert await store.user_by_email(email)


@pytest.mark.parametrize(
    ("email", "name"), [("", "Ada"), ("a" * 400, "Ada"), ("ada@x.example", " \0 "), ("ada@x.example", "n" * 201)]
)
async def test_an_account_out_of_bounds_is_refused_in_words(engine: AsyncEngine, email: str, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        async with lobby(engine) as store:
            await store.add_user(email, name, "")
    assert refused.value.fields


async def test_an_account_that_is_gone_is_not_found(engine: AsyncEngine) -> None:
    async with lobby(engine) as store:
        with pytest.raises(NotFound):
            await store.user(10**30)


async def test_a_new_password_replaces_the_old_one(engine: AsyncEngine, viewer: Viewer) -> None:
    async with lobby(engine) as store:
        await store.set_password(viewer.user_id, "new hash")
        assert (await store.user(viewer.user_id)).password_hash == "new hash"


async def test_a_short_name_belongs_to_one_tenant(engine: AsyncEngine) -> None:
    slug = f"t-{uuid.uuid4().hex[:12]}"
    async with lobby(engine) as store:
        tenant = await store.add_tenant("Tidewater", slug)
        assert await store.tenant_by_slug(slug) == tenant
        assert await store.tenant_by_slug("no-\0such-tenant") is None
        with pytest.raises(Conflict):
            await store.add_tenant("Another", slug)
    with pytest.raises(Invalid, match="hyphens"):
        async with lobby(engine) as store:
            await store.add_tenant("Tidewater", "Not a slug")


async def test_one_person_belongs_to_several_tenants_once_each(engine: AsyncEngine, viewer: Viewer) -> None:
    second = await factories.tenant(engine, "Aardvark")
    async with lobby(engine) as store:
        await store.add_membership(second, viewer.user_id, Role.MEMBER)
        with pytest.raises(Conflict):
            await store.add_membership(second, viewer.user_id, Role.ADMIN)
        joined = await store.memberships(viewer.user_id)
    assert [(each.tenant_name, each.role) for each in joined] == [("Aardvark", Role.MEMBER), ("Tidewater", Role.ADMIN)]


async def test_a_member_is_a_viewer_and_a_stranger_is_not(engine: AsyncEngine, viewer: Viewer) -> None:
    stranger = await factories.member(engine)
    async with lobby(engine) as store:
        assert await store.viewer(viewer.tenant_id, viewer.user_id) == viewer
        with pytest.raises(NotFound):
            await store.viewer(viewer.tenant_id, stranger.user_id)


async def test_a_session_says_who_is_signed_in(engine: AsyncEngine, viewer: Viewer) -> None:
    found = await who(engine, await signed_in(engine, viewer))
    assert found is not None
    assert found.session_id is not None
    assert (found.tenant_id, found.user_id, found.email) == (viewer.tenant_id, viewer.user_id, viewer.email)


async def test_an_unknown_or_expired_session_is_nobody(engine: AsyncEngine, viewer: Viewer) -> None:
    token = await signed_in(engine, viewer)
    assert await who(engine, fresh_token()) is None
    assert await who(engine, token, NOW + LIFE) is None


async def test_a_session_ends_at_once_with_its_membership(engine: AsyncEngine, viewer: Viewer) -> None:
    member = await factories.member(engine, viewer.tenant_id)
    token = await signed_in(engine, member)
    async with members(engine, viewer) as store:
        await store.remove(member.user_id)
    assert await who(engine, token) is None


async def test_a_new_role_holds_from_the_next_request_on(engine: AsyncEngine, viewer: Viewer) -> None:
    member = await factories.member(engine, viewer.tenant_id)
    token = await signed_in(engine, member)
    async with members(engine, viewer) as store:
        await store.set_role(member.user_id, Role.ADMIN)
    found = await who(engine, token)
    assert found is not None
    assert found.is_admin


async def last_seen(engine: AsyncEngine, viewer: Viewer) -> list[datetime | None]:
    async with tenant_transaction(engine, viewer.tenant_id) as connection:
        rows = await connection.execute(
            sa.text(
                "select s.last_seen_at, m.last_seen_at from sessions s join memberships m using (tenant_id, user_id)"
                " where s.user_id = :user"
            ),
            {"user": viewer.user_id},
        )
        return list(rows.one())


async def test_being_seen_is_noted_once_a_minute(engine: AsyncEngine, viewer: Viewer) -> None:
    token = await signed_in(engine, viewer)
    for seconds in (0, 59, 61):
        await who(engine, token, NOW + timedelta(seconds=seconds))
        noted = NOW + timedelta(seconds=61 if seconds == 61 else 0)
        assert await last_seen(engine, viewer) == [noted, noted]


async def test_who_is_signed_in_is_known_even_while_somebody_writes_the_session(
    engine: AsyncEngine, viewer: Viewer
) -> None:
    token = await signed_in(engine, viewer)
    async with lobby_transaction(engine) as writer:
        await writer.execute(sa.text("select 1 from sessions where token_hash = :token for update"), {"token": token})
        await writer.execute(
            sa.text("select 1 from memberships where user_id = :user for update"), {"user": viewer.user_id}
        )
        assert await asyncio.wait_for(who(engine, token), 5)


async def test_signing_out_ends_this_session_only_and_says_so(engine: AsyncEngine, viewer: Viewer) -> None:
    first, second = await signed_in(engine, viewer), await signed_in(engine, viewer)
    ended = await who(engine, first)
    announced: Announced = []
    async with lobby(engine, announced) as store:
        await store.end_session(first)
        await store.end_session(first)
    assert ended is not None
    assert announced == [(viewer.tenant_id, AccessEnded(viewer.user_id, ended.session_id))]
    assert await who(engine, first) is None
    assert await who(engine, second) is not None


async def test_signing_out_everywhere_ends_the_sessions_in_every_tenant(engine: AsyncEngine, viewer: Viewer) -> None:
    second = await factories.tenant(engine)
    tokens = [await signed_in(engine, viewer), await signed_in(engine, viewer)]
    announced: Announced = []
    async with lobby(engine, announced) as store:
        await store.add_membership(second, viewer.user_id, Role.MEMBER)
        await store.switch_session(tokens[0], second)
        announced.clear()
        assert await store.end_sessions(viewer.user_id) == 2
        assert await store.end_sessions(viewer.user_id) == 0
    assert announced == [(tenant_id, AccessEnded(viewer.user_id)) for tenant_id in (viewer.tenant_id, second)]
    assert [await who(engine, token) for token in tokens] == [None, None]


async def test_a_session_moves_to_another_tenant_of_the_same_person(engine: AsyncEngine, viewer: Viewer) -> None:
    second, token = await factories.tenant(engine, "Second"), await signed_in(engine, viewer)
    before = await who(engine, token)
    announced: Announced = []
    async with lobby(engine, announced) as store:
        await store.add_membership(second, viewer.user_id, Role.MEMBER)
        await store.switch_session(token, second)
        await store.switch_session(token, second)
    after = await who(engine, token)
    assert before is not None
    assert after is not None
    assert (after.tenant_name, after.role, after.session_id) == ("Second", Role.MEMBER, before.session_id)
    assert announced == [(viewer.tenant_id, AccessEnded(viewer.user_id, before.session_id))]


async def test_a_session_does_not_move_to_a_tenant_of_others(engine: AsyncEngine, viewer: Viewer) -> None:
    token = await signed_in(engine, viewer)
    async with lobby(engine) as store:
        with pytest.raises(NotFound):
            await store.switch_session(token, await factories.tenant(engine))
    found = await who(engine, token)
    assert found is not None
    assert found.tenant_id == viewer.tenant_id


async def test_a_key_acts_as_its_owner_until_it_is_revoked(engine: AsyncEngine, viewer: Viewer) -> None:
    key = fresh_token()
    async with members(engine, viewer) as store:
        added = await store.add_api_token("Nightly import", key)
    async with lobby(engine) as store:
        assert await store.token_viewer(key, NOW) == viewer
        assert await store.token_viewer(fresh_token(), NOW) is None
    async with members(engine, viewer) as store:
        assert [token.last_used_at for token in await store.api_tokens()] == [NOW]
        await store.remove_api_token(added.id)
    async with lobby(engine) as store:
        assert await store.token_viewer(key, NOW) is None


async def test_an_invitation_is_taken_exactly_once(engine: AsyncEngine, viewer: Viewer) -> None:
    link = fresh_token()
    async with members(engine, viewer) as store:
        invited = await store.invite(fresh_email(), Role.MEMBER, link, NOW + LIFE)

    async def take() -> object:
        async with lobby(engine) as store:
            return await store.use_invitation(link, NOW)

    async with lobby(engine) as store:
        assert await store.invitation(link, NOW) == invited
        assert await store.invitation(link, NOW + LIFE) is None
    assert [await take(), await take()] == [invited, None]
    async with lobby(engine) as store:
        assert await store.invitation(link, NOW) is None


async def test_of_two_who_take_an_invitation_at_once_one_gets_it(engine: AsyncEngine, viewer: Viewer) -> None:
    link = fresh_token()
    async with members(engine, viewer) as store:
        await store.invite(fresh_email(), Role.MEMBER, link, NOW + LIFE)

    async def take() -> bool:
        async with lobby(engine) as store:
            return await store.use_invitation(link, NOW) is not None

    assert sorted(await asyncio.gather(*(take() for _ in range(4)))) == [False, False, False, True]


async def test_the_trail_names_the_person_or_the_product(engine: AsyncEngine, viewer: Viewer) -> None:
    async with lobby(engine) as store:
        await store.record(viewer.tenant_id, viewer.user_id, "session.started", "Firefox\0")
        await store.record(viewer.tenant_id, None, "session.refused", "wrong password")
    async with tenant_transaction(engine, viewer.tenant_id) as connection:
        rows = await connection.execute(sa.text("select actor, subject from audit_events order by id"))
        assert [tuple(row) for row in rows] == [("Ada Byron", "Firefox"), ("KnowledgeVault", "wrong password")]
