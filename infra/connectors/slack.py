"""Slack: each thread of a channel is one document, each day of its other messages is one, and so is each file.

External ids are `CHANNEL/thread-TS`, `CHANNEL/DAY` and `CHANNEL/file-ID`. Slack keeps no list of changes, so each sync
lists a channel's last 30 days again, and all of it once a week: messages carry their edits, and threads the number and
time of their replies, so a thread is only fetched when these differ. An edited reply leaves no trace in such a list;
threads that were active in the last week are therefore read again each time, up to a limit.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import msgspec

from domain.access import Group
from domain.errors import NotFound
from domain.integrations import Connector, Entry, Gone, Integration, Item, Page
from domain.kinds import Kind
from domain.people import Viewer, email_principal, group_principal
from domain.vault import OpenVault
from infra.connectors.batches import batched
from infra.connectors.http import Source
from infra.connectors.kinds import Access, ConnectorKind
from infra.connectors.slack_api import Conversation, Message, User, conversations, members, paged, users
from infra.connectors.slack_consent import SLACK, TERMS
from infra.connectors.slack_export import transcript_of
from infra.connectors.slack_files import file_content, file_entries
from infra.connectors.slack_history import Channel, channel_entries
from infra.transcript import encode

FILES_URL = "https://files.slack.com"
WINDOW = timedelta(days=30)
SWEPT_EVERY = timedelta(days=7)
PAGE_SIZE = 100
WORKSPACE = "workspace"
"""The group of everybody in the workspace but guests."""


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a channel has been read."""

    swept_at: datetime | None = None
    """When all of it was listed last."""


class SlackConnector:
    """Reads the channels that one person of a workspace can read."""

    is_snapshot = False

    def __init__(
        self, integration: Integration, source: Source, viewer: Viewer, open_vault: OpenVault, now: datetime
    ) -> None:
        self._integration = integration
        self._source = source
        self._viewer = viewer
        self._open_vault = open_vault
        self._now = now
        self._contents: dict[str, bytes] = {}
        self._names: dict[str, str] = {}

    async def pages(self, cursor: str) -> AsyncIterator[Page]:
        """Yield channel by channel what has changed, and who is in them; channels that are gone go.

        Raises: Forbidden when our access has ended, Unavailable.
        """
        marks = msgspec.json.decode(cursor, type=dict[str, Mark]) if cursor else {}
        people = await self._people()
        channels = await self._channels()
        marks = {channel.id: marks.get(channel.id, Mark()) for channel in channels}
        yield await self._first_page(people, channels, marks)
        for channel in channels:
            is_sweep = self._is_sweep_due(marks[channel.id])
            try:
                group = await self._group(channel, people)
                async for page in self._channel_pages(channel, group, marks, is_sweep):
                    yield page
            except NotFound:
                yield await self._without(channel.id, marks)

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these once more, out of a new list of their channels."""
        await self._people()
        wanted = set(external_ids)
        by_id = {channel.id: channel for channel in await self._channels()}
        for channel_id in sorted({each.partition("/")[0] for each in wanted}):
            found: list[Entry] = []
            if channel := by_id.get(channel_id):
                async for entries in self._listed(channel, None):
                    found = [entry for entry in entries if entry.external_id in wanted]
                    wanted -= {entry.external_id for entry in found}
                    yield Page(tuple(found), "")
        yield Page(tuple(Gone(each) for each in sorted(wanted)), "")

    async def fetch(self, item: Item) -> bytes:
        """Return a day as it was listed, a thread with its replies, or a file. Raises: NotFound, Invalid."""
        if content := self._contents.get(item.external_id):
            return content
        channel, _, rest = item.external_id.partition("/")
        if rest.startswith("file-"):
            return await file_content(self._source, rest.removeprefix("file-"))
        return await self._thread(channel, rest.removeprefix("thread-"), item.name.partition(",")[0])

    async def _people(self) -> dict[str, User]:
        people = await users(self._source)
        self._names = {user.id: user.shown for user in people.values()}
        return people

    async def _channels(self) -> list[Conversation]:
        chosen = set(self._integration.settings.get("chosen", "").split())
        listed = [each async for page in conversations(self._source) for each in page]
        return [each for each in listed if not chosen or each.id in chosen]

    async def _first_page(
        self, people: dict[str, User], channels: Sequence[Conversation], marks: dict[str, Mark]
    ) -> Page:
        """Return who is in the workspace, and what has to go because its channel is no longer read."""
        everybody = tuple(
            email_principal(user.profile.email or "")
            for user in people.values()
            if user.is_confirmed and not user.is_restricted
        )
        workspace = Group(self._principal(WORKSPACE), "the Slack workspace", everybody)
        there = {channel.id for channel in channels}
        async with self._open_vault(self._viewer) as vault:
            held = await vault.documents.listed(self._integration.id, "")
            groups = await vault.access.group_principals(self._integration.id)
        kept = {self._principal(each) for each in (*there, WORKSPACE)}
        return Page(
            tuple(Gone(each) for each in held if each.partition("/")[0] not in there),
            _cursor(marks),
            groups=(workspace,),
            gone_groups=tuple(each for each in groups if each not in kept),
        )

    async def _group(self, channel: Conversation, people: dict[str, User]) -> Group | None:
        """Return who is in a channel; public ones need it for guests alone."""
        if not channel.is_private and not any(user.is_restricted for user in people.values()):
            return None
        found = [people[each] for each in await members(self._source, channel.id) if each in people]
        emails = tuple(email_principal(user.profile.email or "") for user in found if user.is_confirmed)
        kind = "the private channel" if channel.is_private else "the channel"
        return Group(self._principal(channel.id), f"{kind} #{channel.name} at Slack", emails)

    async def _channel_pages(
        self, channel: Conversation, group: Group | None, marks: dict[str, Mark], is_sweep: bool
    ) -> AsyncIterator[Page]:
        before = _cursor(marks)
        if group:
            yield Page((), before, groups=(group,))
        listed: set[str] = set()
        since = None if is_sweep else self._now - WINDOW
        async for entries in self._listed(channel, since):
            listed.update(entry.external_id for entry in entries)
            yield Page(tuple(entries), before)
        async with self._open_vault(self._viewer) as vault:
            held = await vault.documents.listed(self._integration.id, f"{channel.id}/")
        gone = [each for each in held if each not in listed and (since is None or _is_after(each, since))]
        if is_sweep:
            marks[channel.id] = Mark(swept_at=self._now)
        if gone or is_sweep:
            yield Page(tuple(Gone(each) for each in gone), _cursor(marks))

    async def _listed(self, channel: Conversation, since: datetime | None) -> AsyncIterator[Sequence[Entry]]:
        place = Channel(channel.id, f"#{channel.name}", self._principals(channel), self._names, self._now)
        form = {"channel": channel.id, **({"oldest": f"{since.timestamp():.6f}"} if since else {})}

        async def messages() -> AsyncIterator[Message]:
            async for page in paged(self._source, "conversations.history", form):
                for message in msgspec.json.decode(page.messages, type=list[Message]):
                    yield message

        async for entries in channel_entries(place, messages()):
            self._contents = {entry.item.external_id: entry.content for entry in entries if entry.content}
            yield [entry.item for entry in entries]
        self._contents = {}
        for batch in batched(await file_entries(self._source, channel.id, place.principals), PAGE_SIZE):
            yield batch

    async def _thread(self, channel: str, ts: str, place: str) -> bytes:
        replies: list[Message] = []
        async for page in paged(self._source, "conversations.replies", {"channel": channel, "ts": ts}):
            replies += msgspec.json.decode(page.messages, type=list[Message])
        if not self._names:
            await self._people()
        first = min(replies, key=lambda each: float(each.ts), default=None)
        ordered = sorted({each.ts: each for each in replies}.values(), key=lambda each: float(each.ts))
        transcript = transcript_of(place, f"{first.at:%Y-%m-%d}", ordered, self._names) if first else None
        if transcript is None:
            raise NotFound("This thread is no longer at Slack.")
        return encode(transcript)

    async def _without(self, channel_id: str, marks: dict[str, Mark]) -> Page:
        """Return the page of a channel that went away while it was read."""
        marks.pop(channel_id, None)
        async with self._open_vault(self._viewer) as vault:
            held = await vault.documents.listed(self._integration.id, f"{channel_id}/")
        return Page(tuple(Gone(each) for each in held), _cursor(marks), gone_groups=(self._principal(channel_id),))

    def _is_sweep_due(self, mark: Mark) -> bool:
        return mark.swept_at is None or self._now - mark.swept_at >= SWEPT_EVERY

    def _principals(self, channel: Conversation) -> tuple[str, ...]:
        own = self._principal(channel.id)
        return (own,) if channel.is_private else (self._principal(WORKSPACE), own)

    def _principal(self, name: str) -> str:
        return group_principal(self._integration.id, name)


def _cursor(marks: dict[str, Mark]) -> str:
    return msgspec.json.encode(marks).decode()


def _is_after(external_id: str, since: datetime) -> bool:
    """Whether a document would have been listed, had it still been there: files always are, in full."""
    rest = external_id.partition("/")[2]
    if rest.startswith("file-"):
        return True
    if rest.startswith("thread-"):
        return float(rest.removeprefix("thread-")) > since.timestamp()
    return rest > f"{since:%Y-%m-%d}"


def _connect(access: Access) -> Connector:
    return SlackConnector(
        access.integration, access.source(FILES_URL), access.viewer, access.open_vault, access.reach.now()
    )


KIND = ConnectorKind(
    Kind(
        SLACK,
        "Slack",
        "ask",
        "Threads, messages and files of channels. Private channels are only for those who are in them.",
        is_countable=False,
    ),
    _connect,
    consent=TERMS,
)
