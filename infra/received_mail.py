"""Replies to notes: a mail as it came is read, its sender and token are checked, and its words become answers."""

import re
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from email.utils import getaddresses

from domain.answering import answer_gap
from domain.errors import Forbidden, Invalid, NotFound
from domain.gap_answers import Via
from domain.notes import AnswerLink, Links, NoteQuestion, numbered
from domain.parsing import BlockKind
from domain.people import Viewer
from domain.vault import OpenLobby, OpenVault, Tools, Vault
from infra.parsers.mail import header, parse

TOKEN = re.compile(r"<([\w-]+\.[\w-]+\.[\w-]+)@[^<>\s]*>")
SIGNATURE = re.compile(r"^-- ?$", re.MULTILINE)
NO_REPLY = "This mail is no reply to a question of KnowledgeVault. Reply to the mail itself, do not write a new one."
NOT_THEIRS = "This mail does not come from the person who was asked. Reply from the address that got the question."
AUTOMATIC = "This is an automatic reply, and no answer."
NOTHING = "There is no answer in this mail. Write it above the quoted question."
WHICH = "The mail had several questions. Begin each answer with its number, such as 1."


async def receive_reply(
    open_lobby: OpenLobby, open_vault: OpenVault, tools: Tools, links: Links, content: bytes
) -> list[str]:
    """Take a reply in, and return the questions that it answers.

    Raises: Invalid when it is no reply, or says nothing; Forbidden when somebody else sent it; NotFound.
    """
    message = message_from_bytes(content, policy=compat32)
    link = _link(message, links, tools)
    async with open_lobby() as lobby:
        viewer = await lobby.viewer(link.tenant_id, link.user_id)
    _check_sender(message, viewer)
    text = written(content)
    async with open_vault(viewer) as vault:
        questions = await _asked(vault, link)
        answers = numbered(text, questions)
        if not answers:
            raise Invalid(WHICH if text and len(questions) > 1 else NOTHING)
        by_place = {each.place: each for each in questions}
        for place, answer in answers.items():
            gap = await vault.gap_answers.gap(by_place[place].gap_id, by_place[place].document_id)
            await answer_gap(vault, gap, answer, Via.MAIL, None)
        return [by_place[place].question for place in answers]


def written(content: bytes) -> str:
    """Return what a person wrote themselves: no quoted text, no signature."""
    read = parse("reply.eml", content)
    own = [read.text[block.start : block.end] for block in read.blocks if block.kind is not BlockKind.QUOTE]
    return SIGNATURE.split("\n\n".join(own))[0].strip()


def _link(message: Message, links: Links, tools: Tools) -> AnswerLink:
    if header(message, "auto-submitted").lower() not in ("", "no"):
        raise Invalid(AUTOMATIC)
    named = "".join(f"{header(message, 'in-reply-to')} {header(message, 'references')}".split("\t"))
    for token in TOKEN.findall(named):
        try:
            return links.read(token, tools.now())
        except Invalid:
            continue
    raise Invalid(NO_REPLY)


def _check_sender(message: Message, viewer: Viewer) -> None:
    senders = [address.casefold() for _, address in getaddresses([header(message, "from")])]
    if senders != [viewer.email.casefold()]:
        raise Forbidden(NOT_THEIRS)


async def _asked(vault: Vault, link: AnswerLink) -> list[NoteQuestion]:
    """Return what was asked in the mail: one gap, or those of the week's note that are still open."""
    if not link.gap_id:
        found = await vault.notes.questions(link.week)
        if not found:
            raise NotFound("The questions of that mail are answered or closed. Thank you all the same.")
        return found
    gap = await vault.gap_answers.gap(link.gap_id)
    return [NoteQuestion(1, gap.id, gap.kind, gap.question, gap.document_id, gap.title, "")]
