"""Issues and pull requests: each is one document, with its comments in the order they were written."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

import msgspec

from domain.errors import NotFound
from domain.integrations import Item
from infra.connectors.http import Source

JUST_NOW = timedelta(seconds=2)
"""GitHub's times are whole seconds: a change may follow another within the same one, and look like it."""


class TalkKind(StrEnum):
    """As it stands in addresses at GitHub."""

    ISSUE = "issues"
    PULL = "pull"


class Person(msgspec.Struct, frozen=True):
    """Who wrote something."""

    login: str


class Label(msgspec.Struct, frozen=True):
    """A label of an issue."""

    name: str


class Talk(msgspec.Struct, frozen=True):
    """An issue, or a pull request, as GitHub lists it."""

    number: int
    title: str
    state: str
    html_url: str
    created_at: datetime
    updated_at: datetime
    user: Person | None = None
    body: str | None = None
    labels: tuple[Label, ...] = ()
    pull_request: msgspec.Raw | None = None
    merged_at: datetime | None = None
    comments: int | None = None
    """How many there are; None where it is not said."""


class Numbered(msgspec.Struct, frozen=True):
    """An issue or pull request, by its number alone."""

    number: int


class Comment(msgspec.Struct, frozen=True):
    """What somebody answered; `path` names the file where it is about one."""

    created_at: datetime
    user: Person | None = None
    body: str | None = None
    path: str = ""


def talk_item(repository: str, kind: TalkKind, talk: Talk, principals: tuple[str, ...]) -> Item:
    """Return an issue or pull request as the integration lists it.

    What was changed just now has no revision: it is read again next time, since a later change in the same second
    would look the same.
    """
    is_settled = datetime.now(UTC) - talk.updated_at > JUST_NOW
    return Item(
        external_id=f"{repository}/{kind}/{talk.number}",
        name=f"#{talk.number} {talk.title}",
        revision=talk.updated_at.isoformat() if is_settled else "",
        media_type="text/markdown",
        url=talk.html_url,
        author=_name(talk.user),
        created_at=talk.created_at,
        modified_at=talk.updated_at,
        principals=principals,
    )


async def count_talks(source: Source, repository: str) -> int | None:
    """Return how many issues there are, pull requests among them; None where GitHub does not tell.

    With one on a page, it is the number of the last page.
    """
    try:
        answer = await source.get(f"/repos/{repository}/issues", {"state": "all", "per_page": "1"})
    except NotFound:
        return None
    if "next" not in answer.links:
        return len(answer.json())
    last = parse_qs(urlsplit(answer.links.get("last", {}).get("url", "")).query).get("page", [""])[0]
    return int(last) if last.isdecimal() else None


async def talk_numbers(source: Source, repository: str) -> set[int]:
    """Return the numbers of all issues, pull requests among them."""
    found = set[int]()
    async for answer in source.pages(f"/repos/{repository}/issues", {"state": "all", "per_page": "100"}):
        found |= {each.number for each in msgspec.json.decode(answer.content, type=list[Numbered])}
    return found


async def read_talk(source: Source, repository: str, kind: TalkKind, number: int) -> bytes:
    """Return an issue or pull request with its comments as Markdown. Raises: what `Source.get` does."""
    noun = "pulls" if kind is TalkKind.PULL else "issues"
    answer = await source.get(f"/repos/{repository}/{noun}/{number}")
    talk = msgspec.json.decode(answer.content, type=Talk)
    comments = []
    if kind is TalkKind.PULL or talk.comments != 0:
        comments += await _comments(source, f"/repos/{repository}/issues/{number}/comments")
    if kind is TalkKind.PULL:
        comments += await _comments(source, f"/repos/{repository}/pulls/{number}/comments")
    parts = [_head(repository, kind, talk), talk.body or "", *(_said(each) for each in sorted(comments, key=_moment))]
    return "\n\n".join(part.replace("\r\n", "\n").strip() for part in parts if part.strip()).encode()


async def _comments(source: Source, path: str) -> list[Comment]:
    found: list[Comment] = []
    async for answer in source.pages(path, {"per_page": "100"}):
        found += msgspec.json.decode(answer.content, type=list[Comment])
    return found


def _head(repository: str, kind: TalkKind, talk: Talk) -> str:
    what = "Pull request" if kind is TalkKind.PULL else "Issue"
    state = "merged" if talk.merged_at else talk.state
    labels = f", labelled {', '.join(label.name for label in talk.labels)}" if talk.labels else ""
    opened = f"opened by {_name(talk.user)} on {talk.created_at:%Y-%m-%d}"
    return f"# {talk.title}\n\n{what} #{talk.number} of {repository}, {state}, {opened}{labels}."


def _said(comment: Comment) -> str:
    place = f" on {comment.path}" if comment.path else ""
    return f"## {_name(comment.user)}, {comment.created_at:%Y-%m-%d %H:%M}{place}\n\n{comment.body or ''}"


def _moment(comment: Comment) -> datetime:
    return comment.created_at


def _name(person: Person | None) -> str:
    """People who left GitHub are called ghost there, too."""
    return person.login if person else "ghost"


def since_text(moment: datetime) -> str:
    """Return a moment as GitHub takes it; texts of this form compare as their moments do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def since_before(moment: datetime) -> str:
    """Return where to go on from after a change: a little earlier, so that nothing of the same second is missed."""
    return since_text(moment - JUST_NOW)
