"""A Slack export, unzipped or zipped: each thread is an item, and each day of a channel's other messages is one."""

import datetime as dt
import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from domain.errors import Invalid, NotFound
from infra.connectors.members import Member, short_id
from infra.connectors.slack_text import readable
from infra.transcript import TRANSCRIPT_TYPE, Transcript, Utterance, encode

CHANNEL_LISTS = ("channels.json", "groups.json", "mpims.json", "dms.json")
DAY_FILE = re.compile(r"^(?P<channel>[^/]+)/(?P<day>\d{4}-\d{2}-\d{2})\.json$")
SILENT = frozenset(
    {
        "channel_join",
        "channel_leave",
        "channel_archive",
        "channel_unarchive",
        "channel_name",
        "group_join",
        "group_leave",
        "bot_add",
        "bot_remove",
        "pinned_item",
        "tombstone",
    }
)
"""What Slack says of itself."""
TITLE_WORDS = 9

T = TypeVar("T")


class SlackProfile(msgspec.Struct, frozen=True):
    """How a user wants to be called."""

    real_name: str | None = None
    display_name: str | None = None


class SlackUser(msgspec.Struct, frozen=True):
    """A line of users.json."""

    id: str
    name: str = ""
    real_name: str | None = None
    profile: SlackProfile = SlackProfile()

    @property
    def shown(self) -> str:
        """The name people know."""
        names = (self.profile.real_name, self.real_name, self.profile.display_name, self.name, self.id)
        return next(name for name in names if name)


class SlackChannel(msgspec.Struct, frozen=True):
    """A line of channels.json, or of a list of direct messages, which have no name."""

    id: str = ""
    name: str = ""
    members: tuple[str, ...] = ()


class SlackFile(msgspec.Struct, frozen=True):
    """A file that was posted; its content is not in the export."""

    title: str | None = None
    name: str | None = None


class SlackAttachment(msgspec.Struct, frozen=True):
    """A preview, or what a bot says."""

    title: str | None = None
    text: str | None = None
    fallback: str | None = None


class SlackMessage(msgspec.Struct, frozen=True):
    """A line of a day's file."""

    ts: str = "0"
    type: str = "message"
    subtype: str = ""
    user: str | None = None
    username: str | None = None
    user_profile: SlackProfile | None = None
    text: str | None = None
    thread_ts: str = ""
    files: tuple[SlackFile | None, ...] | None = None
    attachments: tuple[SlackAttachment | None, ...] | None = None

    @property
    def at(self) -> dt.datetime:
        """When it was sent."""
        return dt.datetime.fromtimestamp(float(self.ts), dt.UTC)


class SlackExport:
    """A Slack export as a container; one channel is held in memory at a time."""

    def __init__(self, names: Iterable[str], read_file: Callable[[str], bytes]) -> None:
        self._names = sorted(names)
        self._read_file = read_file
        self._channel = ""
        self._transcripts: dict[str, Transcript] = {}

    def members(self) -> Iterator[Member]:
        """Yield the items channel by channel; a channel that cannot be read is listed with the reason."""
        for channel in sorted({match["channel"] for name in self._names if (match := DAY_FILE.match(name))}):
            try:
                transcripts = self._load(channel)
            except Invalid as error:
                yield Member(id=short_id(f"!{channel}"), name=f"#{channel}", reason=error.message)
                continue
            for member_id, transcript in transcripts.items():
                content = encode(transcript)
                yield Member(
                    id=member_id,
                    name=transcript.title,
                    revision=hashlib.sha256(content).hexdigest(),
                    size_bytes=len(content),
                    media_type=TRANSCRIPT_TYPE,
                    author=transcript.utterances[0].author,
                    modified_at=transcript.utterances[-1].at,
                )

    def read(self, member_id: str) -> bytes:
        """Return an item as a transcript. Raises: NotFound, Invalid."""
        transcript = self._load(member_id[1:].partition("/")[0]).get(member_id)
        if transcript is None:
            raise NotFound("This conversation is no longer in the export.")
        return encode(transcript)

    def _load(self, channel: str) -> dict[str, Transcript]:
        if channel != self._channel:
            self._transcripts = self._transcribed(channel)
            self._channel = channel
        return self._transcripts

    def _transcribed(self, channel: str) -> dict[str, Transcript]:
        names = {user.id: user.shown for user in self._listed("users.json", SlackUser)}
        place = self._place(channel, names)
        days = [match for name in self._names if (match := DAY_FILE.match(name)) and match["channel"] == channel]
        dated = [(day["day"], message) for day in days for message in self._listed(day.string, SlackMessage)]
        found: dict[str, Transcript] = {}
        for key, group in _grouped(dated).items():
            if transcript := transcript_of(place, group[0][0], (message for _, message in group), names):
                found[short_id(f"!{channel}/{key}")] = transcript
        return found

    def _place(self, channel: str, names: dict[str, str]) -> str:
        for list_name in CHANNEL_LISTS:
            for each in self._listed(list_name, SlackChannel) if list_name in self._names else ():
                if channel == each.id and not each.name:
                    return ", ".join(names.get(member, member) for member in each.members)
        return f"#{channel}"

    def _listed(self, name: str, kind: type[T]) -> list[T]:
        try:
            return msgspec.json.decode(self._read_file(name), type=list[kind])  # type: ignore[valid-type]
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Invalid(f"The file {name} of this Slack export is damaged. Export it again.") from error


def transcript_of(
    place: str, day: str, messages: Iterable[SlackMessage], names: Mapping[str, str]
) -> Transcript | None:
    """Return what was said, in order, under a title that tells where, when and how it begins; None for nothing."""
    said = tuple(_utterances(messages, names))
    return Transcript(f"{place}, {_date(day)}: {_beginning(said[0].text)}", place, said) if said else None


def is_slack_export(names: Iterable[str]) -> bool:
    """Whether these files at one place are an export."""
    return {"users.json", "channels.json"} <= set(names)


def _grouped(dated: Sequence[tuple[str, SlackMessage]]) -> dict[str, list[tuple[str, SlackMessage]]]:
    """Threads by their first message, the others by their day as the workspace counts it, all in order of time."""
    spoken = [each for each in dated if is_said(each[1])]
    replied = {each.thread_ts for _, each in spoken if each.thread_ts and each.thread_ts != each.ts}
    groups: dict[str, list[tuple[str, SlackMessage]]] = defaultdict(list)
    for day, message in sorted(spoken, key=lambda each: float(each[1].ts)):
        thread = message.thread_ts or message.ts
        groups[f"thread-{thread}" if thread in replied else day].append((day, message))
    return groups


def is_said(message: SlackMessage) -> bool:
    """Whether somebody said something, rather than Slack of itself."""
    is_timed = re.fullmatch(r"\d{1,11}(\.\d+)?", message.ts) is not None
    return is_timed and message.type == "message" and message.subtype not in SILENT


def _utterances(messages: Iterable[SlackMessage], names: Mapping[str, str]) -> Iterator[Utterance]:
    for message in messages:
        text = readable(_said(message), names)
        if text:
            yield Utterance(_author(message, names), message.at.replace(microsecond=0), text)


def _said(message: SlackMessage) -> str:
    previews = [each for each in message.attachments or () if each]
    said = [message.text or ""]
    if not message.text:
        said += [each.text or each.fallback or each.title or "" for each in previews]
    said += [f"(file: {each.title or each.name})" for each in message.files or () if each and (each.title or each.name)]
    return "\n".join(part for part in said if part)


def _author(message: SlackMessage, names: Mapping[str, str]) -> str:
    profile = message.user_profile
    known = names.get(message.user or "", "")
    return known or (profile and profile.real_name) or message.username or message.user or "Someone"


def _date(day: str) -> str:
    try:
        date = dt.date.fromisoformat(day)
    except ValueError:
        return day
    return f"{date.day} {date:%B %Y}"


def _beginning(text: str) -> str:
    words = text.split()
    start = " ".join(words[:TITLE_WORDS])
    return start.rstrip(".,;:") + "…" if len(words) > TITLE_WORDS else start
