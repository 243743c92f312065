"""The weekly note: at most three questions a person and week, chosen once, kept in rows, mailed at most once."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

import msgspec

from domain.gap_kinds import GapKind
from domain.gap_ranking import Lesson
from domain.people import Viewer

BUDGET = 3
"""Questions a person is asked in a week, in mails and in the app together."""
QUIET_WEEKS = 3
"""A question that was put to somebody, and stayed unanswered, rests this long before it is put to them again."""
FIRST_HOUR_UTC = 7
"""The week begins on Monday at this hour: nobody's mail is to come at night in Europe, or on Sunday in the Americas."""
LINK_LIFE = timedelta(days=21)


class NoteQuestion(msgspec.Struct, frozen=True):
    """One question of a person's week."""

    place: int
    gap_id: int
    kind: GapKind
    question: str
    document_id: int
    title: str
    why: str
    """Why it is this person who is asked."""


class Ask(msgspec.Struct, frozen=True):
    """That somebody passed a question on, and the member is not told yet."""

    user_id: int
    gap_id: int
    asked_by: str
    note: str


class AnswerLink(msgspec.Struct, frozen=True):
    """What a signed link in a mail stands for: one person may answer one gap, or reply to one week's note."""

    tenant_id: int
    user_id: int
    gap_id: int
    """0: the whole note of the week."""
    week: date
    expires_at: datetime


class Mail(msgspec.Struct, frozen=True):
    """A mail to one person; `token` goes into its Message-ID, so that a reply brings it back."""

    to: str
    subject: str
    text: str
    html: str
    token: str


class Links(Protocol):
    """Signs links, so that nobody else can write one."""

    def sign(self, link: AnswerLink) -> str:
        """Return a link as it travels."""

    def read(self, signed: str, now: datetime) -> AnswerLink:
        """Return what a link stands for. Raises: Invalid when it was not signed here, or is too old."""


class Mailer(Protocol):
    """Sends mails."""

    async def send(self, mail: Mail) -> None:
        """Hand a mail to the server. Raises: Unavailable."""


class Notes(Protocol):
    """The weekly notes of one tenant."""

    async def due_members(self, week: date) -> list[int]:
        """Return members who have no note of this week yet, by id; for the system."""

    async def choose(self, week: date, lessons: Sequence[Lesson] = ()) -> bool:
        """Choose the viewer's questions of a week; False when there are none, or they were chosen already.

        Only open gaps in documents that the viewer may read, which somebody passed on to them, of which they know most,
        which name them, or whose document they wrote; the latter two only after who knows most was asked. None that
        they passed on, or were asked in the QUIET_WEEKS before, in these or other words; none of a muted kind.
        """

    async def questions(self, week: date) -> list[NoteQuestion]:
        """Return those of the viewer's questions of a week that are still open, in their order."""

    async def unmailed(self, week: date) -> list[int]:
        """Return members whose note of this week has not been mailed, by id; for the system."""

    async def take_mail(self, week: date) -> bool:
        """Whether the caller is to mail the viewer's note: True once, however many workers ask."""

    async def give_back_mail(self, week: date) -> None:
        """Say that the mail could not be sent, so that it is tried again."""

    async def take_asks(self, limit: int) -> list[Ask]:
        """Take the requests that nobody has been told of, each once; for the system."""

    async def give_back_ask(self, ask: Ask) -> None:
        """Say that the mail about a request could not be sent."""


def week_of(now: datetime) -> date:
    """Return the Monday of the week that a moment belongs to."""
    day = (now - timedelta(hours=FIRST_HOUR_UTC)).date()
    return day - timedelta(days=day.weekday())


def link_for(viewer: Viewer, gap_id: int, week: date, now: datetime) -> AnswerLink:
    """Return what a link in a mail to the viewer stands for."""
    return AnswerLink(viewer.tenant_id, viewer.user_id, gap_id, week, now + LINK_LIFE)


def numbered(text: str, questions: Sequence[NoteQuestion]) -> dict[int, str]:
    """Return the parts of a reply by the place of their question; a single question needs no number.

    What stands before the first number is a greeting. A reply to several questions without a number is nobody's.
    """
    parts: dict[int, list[str]] = {}
    places, current = {each.place for each in questions}, 0
    for line in text.splitlines():
        head, mark, rest = line.strip().partition(" ")
        number = head.rstrip(".):")
        if number != head and number.isdecimal() and int(number) in places and (mark or not rest):
            current, line = int(number), rest  # noqa: PLW2901  # the number is no part of the answer
        parts.setdefault(current, []).append(line)
    read = {place: "\n".join(lines).strip() for place, lines in parts.items()}
    if len(places) == 1 and set(read) == {0}:
        read = {places.pop(): read[0]}
    return {place: part for place, part in read.items() if place and part}
