"""Weekly notes, mailed to a real SMTP server, and the replies to them."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default

import pytest
import pytest_asyncio
import sqlalchemy as sa
from aiosmtpd.smtp import SMTP, Envelope, Session

from domain.errors import Forbidden, Invalid, Unavailable
from domain.found_gaps import GapFilter
from domain.gap_answers import Via
from domain.gap_kinds import GapKind
from domain.gap_ranking import Lesson
from domain.notes import Mail, NoteQuestion, numbered, week_of
from domain.people import Viewer
from domain.vault import Tools
from infra.database import tenant_transaction
from infra.links import LinkSigner
from infra.mail import SmtpMailer
from infra.note_jobs import NoteWriter
from infra.received_mail import receive_reply, written
from infra.settings import MailSettings
from infra.store import Stores
from tests import factories

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
QUESTIONS = [
    "Somebody should clean the filter of the press.",
    "We are still waiting for their answer about the crane.",
    "Someone needs to order new belts for the lathe.",
    "Somebody should paint the gate of the yard.",
]


class Postbox:
    """What the server took in."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.is_full = False

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.is_full:
            return "452 The box is full"
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 Taken"


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest_asyncio.fixture
async def mailer(postbox: Postbox) -> AsyncIterator[SmtpMailer]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(postbox, loop=loop, enable_SMTPUTF8=True), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield SmtpMailer(MailSettings(f"smtp://127.0.0.1:{port}", "KnowledgeVault <vault@tidewater.example>"))
    server.close()
    await server.wait_closed()


@pytest.fixture
def links() -> LinkSigner:
    return LinkSigner("a secret of the tests alone")


@pytest.fixture
def noon_tools(tools: Tools, links: LinkSigner) -> Tools:
    return dataclasses.replace(tools, now=lambda: NOON, links=links)


@pytest.fixture
def writer(stores: Stores, noon_tools: Tools, links: LinkSigner, mailer: SmtpMailer) -> NoteWriter:
    return NoteWriter(stores.open_lobby, stores.open_vault, noon_tools, links, "http://vault.test", mailer)


def reply_to(mail: Message, sender: str, text: str) -> bytes:
    """A reply as mail programs write it, the question quoted below."""
    reply = EmailMessage()
    reply["From"], reply["To"], reply["Subject"] = sender, str(mail["From"]), f"Re: {mail['Subject']}"
    reply["In-Reply-To"] = str(mail["Message-ID"])
    quoted = "\n".join(f"> {line}" for line in QUESTIONS)
    reply.set_content(f"{text}\n\n-- \nAda\nTidewater\n\nOn Mon, 23 Nov 2026 at 09:12, the vault wrote:\n\n{quoted}\n")
    return reply.as_bytes()


async def written_by(stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source) -> None:
    """Documents of the viewer's, each with something left open."""
    source.files = {
        f"{place}.md": f"---\nauthor: {viewer.name}\n---\n\n{text}\n" for place, text in enumerate(QUESTIONS)
    }
    await factories.studied(stores, tools, viewer)


async def test_a_member_gets_one_note_of_three_questions_a_week_however_many_workers_write(
    stores: Stores, noon_tools: Tools, viewer: Viewer, source: factories.Source, writer: NoteWriter, postbox: Postbox
) -> None:
    await factories.member(stores.engine, viewer.tenant_id, name="Zoe Quill")
    await written_by(stores, noon_tools, viewer, source)
    await asyncio.gather(*(writer.write(viewer.tenant_id) for _ in range(3)))
    await writer.write(viewer.tenant_id)
    [mail] = postbox.mails
    assert (mail["To"], mail["Subject"]) == (viewer.email, "Three questions for you from Tidewater")
    body = mail.get_body(("plain",)).get_content()  # type: ignore[attr-defined]
    assert body.count("http://vault.test/questions/") == 3
    assert "you wrote the document" in body
    async with stores.open_vault(viewer) as vault:
        asked = await vault.notes.questions(week_of(NOON))
    assert [each.place for each in asked] == [1, 2, 3]
    later = dataclasses.replace(noon_tools, now=lambda: NOON + timedelta(weeks=1))
    await dataclasses.replace(writer, tools=later).write(viewer.tenant_id)
    assert len(postbox.mails) == 2
    assert postbox.mails[1]["Subject"] == "One question for you from Tidewater", "those of last week rest"


async def test_who_knows_most_is_asked_before_the_author_and_the_author_once_they_were_asked_in_vain(
    stores: Stores, noon_tools: Tools, viewer: Viewer, source: factories.Source
) -> None:
    expert = await factories.member(stores.engine, viewer.tenant_id, name="Zoe Quill")
    await written_by(stores, noon_tools, viewer, source)
    async with tenant_transaction(stores.engine, viewer.tenant_id) as connection:
        reason = {"who": expert.name, "why": "knows most about the press"}
        statement = "update gap_evidence set addressee = :who, addressee_reason = :why where question like '%press%'"
        await connection.execute(sa.text(statement), reason)
    week = week_of(NOON)

    async def asked(whom: Viewer, monday: date) -> list[NoteQuestion]:
        async with stores.open_vault(whom) as vault:
            await vault.notes.choose(monday, await vault.ranking.lessons())
            return await vault.notes.questions(monday)

    assert not any("press" in each.question for each in await asked(viewer, week))
    [question] = await asked(expert, week)
    assert ("press" in question.question, question.why) == (True, "you know most about the press")
    [question] = [each for each in await asked(viewer, week + timedelta(weeks=1)) if "press" in each.question]
    assert question.why == "you wrote the document"


async def test_a_kind_that_is_muted_comes_in_no_note(
    stores: Stores, noon_tools: Tools, viewer: Viewer, source: factories.Source
) -> None:
    await written_by(stores, noon_tools, viewer, source)
    lesson = Lesson(GapKind.MISSING_ACTOR, 10, 9)
    async with stores.open_vault(viewer) as vault:
        await vault.notes.choose(week_of(NOON), [lesson])
        [question] = await vault.notes.questions(week_of(NOON))
    assert question.kind is GapKind.WAITING_ON


async def test_a_mail_that_the_server_refuses_is_sent_later(
    stores: Stores, noon_tools: Tools, viewer: Viewer, source: factories.Source, writer: NoteWriter, postbox: Postbox
) -> None:
    await written_by(stores, noon_tools, viewer, source)
    postbox.is_full = True
    await writer.write(viewer.tenant_id)
    assert postbox.mails == []
    postbox.is_full = False
    await writer.write(viewer.tenant_id)
    assert len(postbox.mails) == 1
    with pytest.raises(Unavailable):
        nobody = MailSettings("smtp://127.0.0.1:1", "vault@tidewater.example")
        await SmtpMailer(nobody).send(Mail(viewer.email, "S", "T", "<p>T</p>", "a.b.c"))


async def test_a_reply_answers_by_number_and_its_quoted_text_is_left_out(
    stores: Stores,
    noon_tools: Tools,
    viewer: Viewer,
    source: factories.Source,
    writer: NoteWriter,
    postbox: Postbox,
    links: LinkSigner,
) -> None:
    await written_by(stores, noon_tools, viewer, source)
    await writer.write(viewer.tenant_id)
    [mail] = postbox.mails

    async def receive(content: bytes) -> list[str]:
        return await receive_reply(stores.open_lobby, stores.open_vault, noon_tools, links, content)

    with pytest.raises(Forbidden):
        await receive(reply_to(mail, "eve@elsewhere.example", "1. Me."))
    with pytest.raises(Invalid, match="number"):
        await receive(reply_to(mail, viewer.email, "Zelda does."))
    with pytest.raises(Invalid, match="no reply"):
        await receive(b"From: a@b.example\nSubject: Hello\n\nHello.\n")
    async with stores.open_vault(viewer) as vault:
        asked = await vault.notes.questions(week_of(NOON))
    answered = await receive(reply_to(mail, f"Ada <{viewer.email.upper()}>", "Hello,\n\n1. Zelda does.\n\n3) Otto."))
    assert answered == [asked[0].question, asked[2].question]
    async with stores.open_vault(viewer) as vault:
        [answer] = await vault.gap_answers.of_gap(asked[0].gap_id)
        [version] = await vault.gap_answers.versions(answer.id)
        assert [each.gap_id for each in await vault.notes.questions(week_of(NOON))] == [asked[1].gap_id]
    assert (version.text, version.via, version.author) == ("Zelda does.", Via.MAIL, viewer.name)


async def test_who_a_question_is_passed_on_to_is_told_by_mail_once(
    stores: Stores, noon_tools: Tools, viewer: Viewer, source: factories.Source, writer: NoteWriter, postbox: Postbox
) -> None:
    other = await factories.member(stores.engine, viewer.tenant_id, name="Zoe Quill")
    source.files = {"a.md": QUESTIONS[0]}
    await factories.studied(stores, noon_tools, viewer)
    async with stores.open_vault(viewer) as vault:
        gap_id = (await vault.gaps.page(GapFilter(), 5)).gaps[0].id
        await vault.gap_answers.pass_on(gap_id, other.user_id, "You bought it.")
    await writer.write(viewer.tenant_id)
    await writer.write(viewer.tenant_id)
    told = [mail for mail in postbox.mails if mail["Subject"] == "A question for you from Tidewater"]
    assert [mail["To"] for mail in told] == [other.email]
    assert "You bought it." in told[0].get_body(("plain",)).get_content()  # type: ignore[attr-defined]


def test_a_week_begins_on_monday_morning() -> None:
    assert week_of(datetime(2026, 11, 23, 6, 59, tzinfo=UTC)).isoformat() == "2026-11-16"
    assert week_of(datetime(2026, 11, 23, 7, tzinfo=UTC)).isoformat() == "2026-11-23"


def test_one_question_needs_no_number_and_a_greeting_is_no_answer() -> None:
    one, two = (NoteQuestion(place, place, "vague_time", "?", 1, "T", "") for place in (1, 2))  # type: ignore[arg-type]
    assert numbered("Zelda does.\nSince May.", [one]) == {1: "Zelda does.\nSince May."}
    assert numbered("Hi!\n2. In May.\n10. is no place", [one, two]) == {2: "In May.\n10. is no place"}
    assert numbered("In May.", [one, two]) == {}


def test_what_was_quoted_and_signed_is_not_what_was_written() -> None:
    content = (
        b"From: a@b.example\nSubject: Re\n\nOtto does.\n\nOn Mon, 1 Jun 2026, B wrote:\n> Who?\n>> When?\n\n-- \nA\n"
    )
    assert written(content) == "Otto does."
