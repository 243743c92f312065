"""The people of one tenant: roles, invitations, sessions and keys."""

import asyncio
import uuid
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.errors import Conflict, Invalid, NotFound
from domain.facts import AccessEnded
from domain.people import Role, Viewer, system_viewer
from tests import factories
from tests.store.stores import NOW, Announced, lobby, members

LIFE = timedelta(days=7)


def fresh_token() -> bytes:
    return uuid.uuid4().bytes


async def test_a_tenant_is_renamed(engine: AsyncEngine, viewer: Viewer) -> None:
    async with members(engine, viewer) as store:
        await store.rename_tenant("  Tidewater\0 & Sons ")
        assert (await store.tenant()).name == "Tidewater & Sons"
        with pytest.raises(Invalid):
            await store.rename_tenant(" ")


async def test_members_are_listed_by_name_and_only_those_of_this_tenant(engine: AsyncEngine, viewer: Viewer) -> None:
    await factories.member(engine, viewer.tenant_id, name="zoe")
    await factories.member(engine, viewer.tenant_id, name="Bert")
    await factories.member(engine, name="Foreign")
    async with members(engine, viewer) as store:
        assert [member.name for member in await store.all()] == ["Ada Byron", "Bert", "zoe"]


async def test_a_removed_member_is_gone_and_their_streams_are_told(engine: AsyncEngine, viewer: Viewer) -> None:
    member = await factories.member(engine, viewer.tenant_id)
    announced: Announced = []
    async with members(engine, viewer, announced) as store:
        await store.remove(member.user_id)
        assert [each.user_id for each in await store.all()] == [viewer.user_id]
        with pytest.raises(NotFound):
            await store.remove(member.user_id)
    assert announced == [(viewer.tenant_id, AccessEnded(member.user_id))]


async def test_the_last_admin_stays(engine: AsyncEngine, viewer: Viewer) -> None:
    await factories.member(engine, viewer.tenant_id)
    async with members(engine, viewer) as store:
        with pytest.raises(Conflict, match="Make somebody else an admin first"):
            await store.set_role(viewer.user_id, Role.MEMBER)
        with pytest.raises(Conflict):
            await store.remove(viewer.user_id)


async def test_two_admins_who_remove_each_other_at_once_leave_one(engine: AsyncEngine, viewer: Viewer) -> None:
    other = await factories.member(engine, viewer.tenant_id, Role.ADMIN)

    async def remove(user_id: int) -> None:
        async with members(engine, viewer) as store:
            await store.remove(user_id)

    outcomes = await asyncio.gather(remove(viewer.user_id), remove(other.user_id), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "NoneType"]


async def test_a_person_of_another_tenant_cannot_be_changed(engine: AsyncEngine, viewer: Viewer) -> None:
    foreign = await factories.member(engine)
    async with members(engine, viewer) as store:
        with pytest.raises(NotFound):
            await store.set_role(foreign.user_id, Role.ADMIN)
        with pytest.raises(NotFound):
            await store.remove(foreign.user_id)


async def test_a_second_invitation_replaces_the_first(engine: AsyncEngine, viewer: Viewer) -> None:
    first, second = fresh_token(), fresh_token()
    async with members(engine, viewer) as store:
        await store.invite("Grace@tidewater.example", Role.MEMBER, first, NOW + LIFE)
        invited = await store.invite("grace@tidewater.example ", Role.ADMIN, second, NOW + LIFE)
        assert await store.invitations(NOW) == [invited]
        assert await store.invitations(NOW + LIFE) == []
        assert (invited.invited_by, invited.tenant_name, invited.role) == ("Ada Byron", "Tidewater", Role.ADMIN)
    async with lobby(engine) as store:
        assert await store.invitation(first, NOW) is None
        assert await store.invitation(second, NOW) == invited


async def test_the_command_line_may_invite_without_being_a_person(engine: AsyncEngine, viewer: Viewer) -> None:
    async with members(engine, system_viewer(viewer.tenant_id)) as store:
        assert (await store.invite("grace@tidewater.example", Role.ADMIN, fresh_token(), NOW + LIFE)).invited_by == ""


async def test_a_member_is_not_invited_again(engine: AsyncEngine, viewer: Viewer) -> None:
    async with members(engine, viewer) as store:
        with pytest.raises(Conflict, match="member already"):
            await store.invite(viewer.email.upper(), Role.MEMBER, fresh_token(), NOW + LIFE)
        with pytest.raises(Invalid):
            await store.invite("a" * 400, Role.MEMBER, fresh_token(), NOW + LIFE)


async def test_an_invitation_taken_back_opens_nothing(engine: AsyncEngine, viewer: Viewer) -> None:
    link = fresh_token()
    async with members(engine, viewer) as store:
        invited = await store.invite("grace@tidewater.example", Role.MEMBER, link, NOW + LIFE)
        await store.revoke_invitation(invited.id)
        with pytest.raises(NotFound):
            await store.revoke_invitation(invited.id)
    async with lobby(engine) as store:
        assert await store.use_invitation(link, NOW) is None


async def test_people_see_and_end_their_own_sessions_only(engine: AsyncEngine, viewer: Viewer) -> None:
    colleague = await factories.member(engine, viewer.tenant_id)
    async with lobby(engine) as store:
        own = await store.add_session(viewer.tenant_id, viewer.user_id, fresh_token(), NOW + LIFE, "Firefox")
        expired = await store.add_session(viewer.tenant_id, viewer.user_id, fresh_token(), NOW, "Old")
        theirs = await store.add_session(viewer.tenant_id, colleague.user_id, fresh_token(), NOW + LIFE, "Safari")
    announced: Announced = []
    async with members(engine, viewer, announced) as store:
        listed = await store.sessions(NOW)
        assert [(session.id, session.user_agent) for session in listed] == [(own, "Firefox")]
        with pytest.raises(NotFound):
            await store.end_session(theirs)
        await store.end_session(own)
        await store.end_session(expired)
    assert announced[0] == (viewer.tenant_id, AccessEnded(viewer.user_id, own))


async def test_people_see_and_revoke_their_own_keys_only(engine: AsyncEngine, viewer: Viewer) -> None:
    colleague = msgspec.structs.replace(viewer, user_id=(await factories.member(engine, viewer.tenant_id)).user_id)
    async with members(engine, viewer) as store:
        key = await store.add_api_token("Import", fresh_token())
        assert await store.api_tokens() == [key]
    async with members(engine, colleague) as store:
        assert await store.api_tokens() == []
        with pytest.raises(NotFound):
            await store.remove_api_token(key.id)
