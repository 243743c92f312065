"""What is attached to a mail."""

import hashlib
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32

from domain.errors import NotFound
from infra.connectors.members import Member, short_id
from infra.parsers.detection import media_type_of
from infra.parsers.mail import attachment_name, header, payload

MARK = "#attachment/"
MAX_ATTACHMENTS = 200
MAX_DEPTH = 20
HEAD_BYTES = 64 * 1024


def mail_name(content: bytes) -> str:
    """Return what a mail is called in lists: its subject."""
    head = BytesHeaderParser(policy=compat32).parsebytes(content[:HEAD_BYTES])
    return f"{header(head, 'subject')[:120] or 'Mail'}.eml"


class MailAttachments:
    """A mail as a container of its attachments; pictures that belong to its body are left out."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def members(self) -> Iterator[Member]:
        """Yield the attachments, with ids `#attachment/<number>-<name>`."""
        for number, (name, part) in enumerate(self._parts(), start=1):
            if number > MAX_ATTACHMENTS:
                reason = f"This mail has more than {MAX_ATTACHMENTS} attachments; the others were left out."
                yield Member(id=f"{MARK}more", name=name, reason=reason)
                return
            attached = payload(part)
            yield Member(
                id=_id(number, name),
                name=name,
                revision=hashlib.sha256(attached).hexdigest(),
                size_bytes=len(attached),
                media_type=media_type_of(name) or part.get_content_type(),
            )

    def read(self, member_id: str) -> bytes:
        """Return an attachment's bytes. Raises: NotFound."""
        for number, (name, part) in enumerate(self._parts(), start=1):
            if _id(number, name) == member_id:
                return payload(part)
        raise NotFound("This attachment is no longer in its mail.")

    def _parts(self) -> Iterator[tuple[str, Message]]:
        if b"multipart/" not in self._content[:100_000].lower():
            return
        for part in _leaves(message_from_bytes(self._content, policy=compat32), 0):
            name = attachment_name(part)
            if name and not _is_decoration(part):
                yield name, part


def _id(number: int, name: str) -> str:
    return short_id(f"{MARK}{number}-{name}")


def _leaves(part: Message, depth: int) -> Iterator[Message]:
    """Yield the parts, but do not look into mails that are attached themselves."""
    inner = part.get_payload()
    is_mail = part.get_content_type() == "message/rfc822" and depth > 0
    if not isinstance(inner, list) or is_mail or depth > MAX_DEPTH:
        yield part
        return
    for child in inner:
        if isinstance(child, Message):
            yield from _leaves(child, depth + 1)


def _is_decoration(part: Message) -> bool:
    is_attached = str(part.get("content-disposition", "")).strip().lower().startswith("attachment")
    return part.get_content_maintype() == "image" and not is_attached
