"""Slack: threads and days, who is in a channel, files, and an access that is too narrow."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs

import httpx
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.credentials import Grant
from domain.people import Viewer
from domain.syncs import SyncState
from domain.vault import Tools
from infra.connectors import Connectors, make_oauth
from infra.secrets import StateSigner
from infra.settings import read_settings
from infra.store import Stores
from tests import factories
from tests.connectors.contract import succeeded
from tests.connectors.peers import SlackChannel, new_channel, slack_environment
from tests.connectors.vaulted import Vaulted, connected
from tests.peers.emulate import Emulators


@pytest_asyncio.fixture
async def api(emulators: Emulators) -> AsyncIterator[httpx.AsyncClient]:
    """Slack as Ana uses it."""
    async with httpx.AsyncClient(base_url=emulators.slack_url, headers={"Authorization": "Bearer xoxp-ana"}) as api:
        yield api


@pytest_asyncio.fixture
async def vaulted(stores: Stores, viewer: Viewer, tools: Tools, emulators: Emulators) -> AsyncIterator[Vaulted]:
    async with connected(stores, viewer, tools, "slack", slack_environment(emulators), Grant("xoxp-ana")) as vaulted:
        yield vaulted


async def tom(vaulted: Vaulted, engine: AsyncEngine) -> Viewer:
    """A member who has proven the address under which Slack knows Tom."""
    viewer = await factories.member(engine, vaulted.viewer.tenant_id, name="Tom Okafor")
    async with vaulted.stores.open_vault(vaulted.viewer) as vault:
        await vault.access.prove(viewer.user_id, "tom@tidewater.example")
    return viewer


async def user_id(api: httpx.AsyncClient, name: str) -> str:
    people = (await api.post("/api/users.list", json={})).json()["members"]
    return next(str(each["id"]) for each in people if each["name"] == name)


async def test_a_thread_is_one_document_and_the_other_messages_of_a_day_are_one(
    vaulted: Vaulted, api: httpx.AsyncClient
) -> None:
    channel = await new_channel(api)
    await vaulted.configure(chosen=channel.id)
    first = await channel.say("Why did the import stop?")
    await channel.say("The queue was full.", first)
    loose = await channel.say("Lunch is ready.")
    await channel.say("The lift works again.")
    succeeded(await vaulted.sync())
    texts = await vaulted.texts()
    [day] = set(texts) - {f"{channel.id}/thread-{first}"}
    assert "Why did the import stop?" in texts[f"{channel.id}/thread-{first}"]
    assert "The queue was full." in texts[f"{channel.id}/thread-{first}"]
    assert "Lunch is ready." in texts[day]
    assert "The lift works again." in texts[day]

    await channel.say("And the disk, too.", first)
    await channel.call("chat.update", channel=channel.id, ts=loose, text="Lunch is late.")
    succeeded(await vaulted.sync())
    texts = await vaulted.texts()
    assert "And the disk, too." in texts[f"{channel.id}/thread-{first}"]
    assert "Lunch is late." in texts[day]
    assert "Lunch is ready." not in texts[day]


async def test_a_private_channel_is_for_those_in_it_from_the_sync_on_in_which_they_are(
    vaulted: Vaulted, api: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    channel = await new_channel(api, is_private=True)
    await vaulted.configure(chosen=channel.id)
    await channel.say("The salaries are in the safe.")
    succeeded(await vaulted.sync())
    colleague = await tom(vaulted, engine)
    assert len(await vaulted.texts()) == 1
    assert await vaulted.texts(colleague) == {}
    await channel.call("conversations.invite", channel=channel.id, users=await user_id(api, "tom"))
    joined = succeeded(await vaulted.sync())
    assert len(await vaulted.texts(colleague)) == 1
    await channel.call("conversations.kick", channel=channel.id, user=await user_id(api, "tom"))
    succeeded(await vaulted.sync())
    assert await vaulted.texts(colleague) == {}
    assert joined.progress.n_embedded == 0


async def test_a_public_channel_is_for_all_of_the_workspace_and_for_nobody_else(
    vaulted: Vaulted, api: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    channel = await new_channel(api)
    await vaulted.configure(chosen=channel.id)
    await channel.say("The new office opens in May.")
    succeeded(await vaulted.sync())
    assert len(await vaulted.texts(await tom(vaulted, engine))) == 1
    assert await vaulted.texts(await factories.member(engine, vaulted.viewer.tenant_id)) == {}


async def test_a_file_is_a_document_until_it_is_deleted(vaulted: Vaulted, api: httpx.AsyncClient) -> None:
    channel = await new_channel(api)
    await vaulted.configure(chosen=channel.id)
    content = b"# Runbook\n\nRestart the gateway."
    got = await channel.call("files.getUploadURLExternal", filename="runbook.md", length=str(len(content)))
    assert (await api.post(str(got["upload_url"]), content=content)).is_success
    files = {"files": [{"id": got["file_id"], "title": "Runbook"}], "channel_id": channel.id}
    assert (await api.post("/api/files.completeUploadExternal", json=files)).json()["ok"]
    succeeded(await vaulted.sync())
    name = f"{channel.id}/file-{got['file_id']}"
    assert "Restart the gateway." in (await vaulted.texts())[name]
    await channel.call("files.delete", file=str(got["file_id"]))
    succeeded(await vaulted.sync())
    assert name not in await vaulted.texts()


async def test_a_channel_that_is_no_longer_chosen_goes(vaulted: Vaulted, api: httpx.AsyncClient) -> None:
    one, other = await new_channel(api), await new_channel(api)
    for channel in (one, other):
        await channel.say("Something was said.")
    await vaulted.configure(chosen=f"{one.id}\n{other.id}")
    succeeded(await vaulted.sync())
    assert {each.partition("/")[0] for each in await vaulted.texts()} == {one.id, other.id}
    await vaulted.configure(chosen=other.id)
    succeeded(await vaulted.sync())
    assert {each.partition("/")[0] for each in await vaulted.texts()} == {other.id}


async def test_a_scope_that_is_missing_and_an_access_that_ended_are_said_with_the_way_out(
    vaulted: Vaulted, api: httpx.AsyncClient
) -> None:
    channel: SlackChannel = await new_channel(api)
    await channel.say("Hello.")
    for token, words in (("xoxp-narrow", "was allowed without"), ("xoxp-revoked", "no longer accepts our access")):
        async with vaulted.stores.open_vault(vaulted.viewer) as vault:
            await vault.credentials.save(vaulted.integration.id, Grant(token))
        failed = await vaulted.sync()
        assert (failed.state, words in failed.reason, "Reconnect" in failed.reason) == (SyncState.FAILED, True, True)
        async with vaulted.stores.open_vault(vaulted.viewer) as vault:
            assert words in (await vault.integrations.get(vaulted.integration.id)).access_problem


@dataclass
class OldChannel:
    """A channel of our own with what was said in it long ago, as Slack's reference has it: `oldest` and `latest` count.

    The emulator's times are all of today.
    """

    now: float
    said: dict[str, list[str]] = field(default_factory=dict)
    """The texts of each thread, by the time it began."""
    people: dict[str, dict[str, object]] = field(default_factory=dict)
    """Besides Ana: what is said of each, by their address; all are in the channel."""

    def talk(self, days_ago: int, *texts: str) -> str:
        ts = f"{self.now - days_ago * 86_400:.6f}"
        self.said[ts] = list(texts)
        return f"C1/thread-{ts}"

    def answer(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        match request.url.path.rpartition("/")[2]:
            case "conversations.list":
                return self._says(channels=[{"id": "C1", "name": "ops"}])
            case "conversations.history":
                oldest, latest = float(form.get("oldest", 0)), float(form.get("latest", "inf"))
                within = [each for each in self.said if oldest < float(each) < latest]
                page = sorted(within, key=float, reverse=True)[: 2 if "latest" in form else 99]
                more = {"next_cursor": "more"} if len(page) < len(within) else {}
                return self._says(messages=[self._message(each, 0) for each in page], response_metadata=more)
            case "conversations.replies":
                ts = form["ts"]
                return self._says(messages=[self._message(ts, number) for number in range(len(self.said[ts]))])
            case "users.list":
                people = {"ana@tidewater.example": {}} | self.people
                return self._says(members=[{"id": e, "profile": {"email": e}, **more} for e, more in people.items()])
            case "conversations.members":
                return self._says(members=list(self.people))
            case _:
                return self._says(files=[])

    def _message(self, ts: str, number: int) -> dict[str, object]:
        texts, own = self.said[ts], f"{float(ts) + number:.6f}"
        latest = f"{float(ts) + len(texts) - 1:.6f}"
        return {
            "ts": own,
            "thread_ts": ts,
            "text": texts[number],
            "reply_count": len(texts) - 1,
            "latest_reply": latest,
        }

    def _says(self, **more: object) -> httpx.Response:
        return httpx.Response(200, json={"ok": True, **more})


@asynccontextmanager
async def reading(
    vaulted: Vaulted, emulators: Emulators, answer: Callable[[httpx.Request], httpx.Response]
) -> AsyncIterator[None]:
    """Let this answer in Slack's place."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        read = read_settings(slack_environment(emulators))
        oauth = make_oauth(client, read.providers, read.base_url, StateSigner("a key"))
        connectors = Connectors(client, oauth, read.providers, vaulted.tools.now)
        vaulted.tools = replace(vaulted.tools, connect=connectors.connect)
        yield


async def test_a_guest_who_left_finds_nothing_more_though_no_guest_is_left_to_ask_about(
    vaulted: Vaulted, emulators: Emulators, engine: AsyncEngine
) -> None:
    channel = OldChannel(vaulted.tools.now().timestamp())
    channel.people["tom@tidewater.example"] = {"is_restricted": True}
    channel.talk(3, "Where is the key?", "In the safe.")
    guest = await tom(vaulted, engine)
    async with reading(vaulted, emulators, channel.answer):
        succeeded(await vaulted.sync())
        assert len(await vaulted.texts(guest)) == 1
        channel.people["tom@tidewater.example"] = {"deleted": True}
        succeeded(await vaulted.sync())
        assert await vaulted.texts(guest) == {}
        assert len(await vaulted.texts()) == 1


async def test_a_new_reply_to_an_old_thread_is_found_within_a_few_syncs_and_no_other_thread_is_read_again(
    vaulted: Vaulted, emulators: Emulators
) -> None:
    channel = OldChannel(vaulted.tools.now().timestamp())
    threads = [channel.talk(days, f"Question {days}?", f"Answer {days}.") for days in (40, 80, 120, 160, 200)]
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path.rpartition("/")[2])
        return channel.answer(request)

    async with reading(vaulted, emulators, answer):
        succeeded(await vaulted.sync())
        assert set(await vaulted.texts()) == set(threads)
        channel.said[threads[3].partition("thread-")[2]].append("One more, after half a year.")
        del channel.said[threads[4].partition("thread-")[2]]
        asked.clear()
        for _ in range(3):
            succeeded(await vaulted.sync())
    texts = await vaulted.texts()
    assert "One more, after half a year." in texts[threads[3]]
    assert set(texts) == set(threads[:4])
    assert asked.count("conversations.replies") == 1
