"""Mailboxes: many mails in one file (mbox, RFC 4155)."""

import hashlib
import re
from collections.abc import Iterator
from email.parser import BytesHeaderParser
from email.policy import compat32

import msgspec

from domain.errors import NotFound
from infra.connectors.attachments import MARK, MailAttachments
from infra.connectors.members import Member, short_id
from infra.parsers.builder import in_utc
from infra.parsers.mail import header, moment

SEPARATOR = re.compile(rb"^From [^\r\n]*\d{4}[^\r\n]*\r?\n", re.MULTILINE)
"""Ends in a date, so a sentence that begins with the word is none; writers escape what remains as `>From `."""
ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)


def is_mailbox(content: bytes) -> bool:
    """Whether a file begins as a mailbox does."""
    return SEPARATOR.match(content[:1000]) is not None


class Mailbox:
    """An mbox file as a container of mails and of what is attached to them."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._spans: dict[str, tuple[int, int]] = {}

    def members(self) -> Iterator[Member]:
        """Yield the mails, each followed by its attachments; a mail that is there twice comes once."""
        for member_id, (start, end) in self._located().items():
            mail = self._mail(start, end)
            yield _member(member_id, mail)
            for attached in MailAttachments(mail).members():
                yield msgspec.structs.replace(attached, id=member_id + attached.id)

    def read(self, member_id: str) -> bytes:
        """Return a mail, or an attachment of one. Raises: NotFound."""
        mail_id, mark, attached = member_id.partition(MARK)
        span = self._located().get(mail_id)
        if span is None:
            raise NotFound("This mail is no longer in its mailbox.")
        mail = self._mail(*span)
        return MailAttachments(mail).read(mark + attached) if mark else mail

    def _located(self) -> dict[str, tuple[int, int]]:
        if not self._spans:
            for start, end in self._boundaries():
                self._spans.setdefault(_id(self._mail(start, end)), (start, end))
        return self._spans

    def _mail(self, start: int, end: int) -> bytes:
        return ESCAPED.sub(rb"\1", self._content[start:end])

    def _boundaries(self) -> Iterator[tuple[int, int]]:
        """A separator counts only after an empty line."""
        start = None
        for match in SEPARATOR.finditer(self._content):
            before = self._content[max(0, match.start() - 4) : match.start()]
            if match.start() and not before.endswith((b"\n\n", b"\n\r\n")):
                continue
            if start is not None:
                yield start, match.start()
            start = match.end()
        if start is not None:
            yield start, len(self._content)


def _id(mail: bytes) -> str:
    """By its Message-ID, which lasts when mails are added to the box; by a hash where it has none."""
    headers = BytesHeaderParser(policy=compat32).parsebytes(mail[:200_000])
    message_id = header(headers, "message-id").strip("<> ").replace(MARK, "")
    return short_id(f"!{message_id or hashlib.sha256(mail).hexdigest()}")


def _member(member_id: str, mail: bytes) -> Member:
    headers = BytesHeaderParser(policy=compat32).parsebytes(mail[:200_000])
    return Member(
        id=member_id,
        name=f"{header(headers, 'subject')[:120] or 'mail'}.eml",
        revision=hashlib.sha256(mail).hexdigest(),
        size_bytes=len(mail),
        media_type="message/rfc822",
        modified_at=in_utc(moment(header(headers, "date"))),
    )
