"""What a mail server tells of a mail before it is fetched: subject, sender, size, and what is attached."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from typing import Any

import msgspec
from imapclient.response_types import Envelope

from domain.integrations import Entry, Item, Unreadable
from domain.uploads import MAX_FILE_BYTES
from infra.connectors.attachments import MARK, MAX_ATTACHMENTS
from infra.connectors.members import short_id
from infra.connectors.site import too_large
from infra.parsers.builder import in_utc
from infra.parsers.detection import media_type_of
from infra.parsers.mail import attachment_name, header, payload

FULL = ("ENVELOPE", "BODYSTRUCTURE", "RFC822.SIZE", "INTERNALDATE")
BARE = ("RFC822.SIZE", "INTERNALDATE")
"""Enough for a mail whose headers are so broken that the server's account of them cannot be read."""
BASE64_SHARE = 0.73
"""Bytes of a file in each byte of its base64, with line ends."""
MAX_DEPTH = 20


class Attached(msgspec.Struct, frozen=True):
    """A file in a mail; `part` is its number (RFC 3501, section 6.4.5)."""

    part: str
    name: str
    media_type: str
    size_bytes: int


def mail_entries(external_id: str, said: dict[bytes, Any], principals: tuple[str, ...]) -> Iterator[Entry]:
    """Yield a mail and what is attached to it."""
    envelope = said.get(b"ENVELOPE")
    received_at = said.get(b"INTERNALDATE")
    sent_at = in_utc(_sent_at(envelope) or (received_at if isinstance(received_at, datetime) else None))
    size_bytes = int(said.get(b"RFC822.SIZE", 0))
    subject = _words(envelope.subject) if isinstance(envelope, Envelope) else ""
    name = f"{subject[:120] or 'mail'}.eml"
    if size_bytes > MAX_FILE_BYTES:
        yield Unreadable(external_id, name, too_large(size_bytes))
    else:
        yield Item(
            external_id=external_id,
            name=name,
            revision=str(size_bytes),  # a mail never changes under its number
            size_bytes=size_bytes,
            media_type="message/rfc822",
            author=_sender(envelope),
            created_at=sent_at,
            modified_at=sent_at,
            principals=principals,
        )
    for number, file in enumerate(attached(said.get(b"BODYSTRUCTURE"))):
        if number == MAX_ATTACHMENTS:
            reason = f"This mail has more than {MAX_ATTACHMENTS} attachments; the others were left out."
            yield Unreadable(f"{external_id}{MARK}more", name, reason)
            return
        yield _attached_entry(external_id, file, _sender(envelope), sent_at, principals)


def _attached_entry(
    mail_id: str, file: Attached, author: str, sent_at: datetime | None, principals: tuple[str, ...]
) -> Entry:
    external_id = mail_id + short_id(f"{MARK}{file.part}-{file.name}")
    if file.size_bytes > MAX_FILE_BYTES:
        return Unreadable(external_id, file.name, too_large(file.size_bytes))
    return Item(
        external_id=external_id,
        name=file.name,
        revision=str(file.size_bytes),
        size_bytes=file.size_bytes,
        media_type=media_type_of(file.name) or file.media_type,
        author=author,
        created_at=sent_at,
        modified_at=sent_at,
        principals=principals,
    )


def attached(structure: Any, path: str = "", depth: int = 0) -> Iterator[Attached]:
    """Yield the files of a mail; pictures that belong to its text are left out, and mails in it stay whole."""
    if not isinstance(structure, tuple) or not structure or depth > MAX_DEPTH:
        return
    if isinstance(structure[0], list):
        for number, part in enumerate(structure[0], start=1):
            yield from attached(part, f"{path}.{number}" if path else str(number), depth + 1)
        return
    try:
        file = _file(structure, path or "0")
    except (IndexError, TypeError, ValueError):
        return
    if file is not None:
        yield file


def content_of(part: bytes) -> bytes:
    """Return what a part holds, unpacked as its headers say."""
    return payload(message_from_bytes(part, policy=compat32))


def _file(structure: Sequence[Any], path: str) -> Attached | None:
    media_type = f"{_text(structure[0])}/{_text(structure[1])}".lower()
    place = 11 if media_type == "message/rfc822" else 9 if media_type.startswith("text/") else 8
    disposition: tuple[Any, ...] = (
        structure[place] if len(structure) > place and isinstance(structure[place], tuple) else ()
    )
    kind = _text(disposition[0]).lower() if disposition else ""
    part = Message()
    _set(part, "Content-Type", media_type, structure[2])
    if kind:
        _set(part, "Content-Disposition", kind, disposition[1] if len(disposition) > 1 else None)
    name = attachment_name(part)
    if not name or (media_type.startswith("image/") and kind != "attachment"):
        return None
    is_packed = _text(structure[5]).lower() == "base64"
    size_bytes = int(structure[6])
    return Attached(path, name, media_type, int(size_bytes * BASE64_SHARE) if is_packed else size_bytes)


def _set(part: Message, header_name: str, value: str, parameters: Any) -> None:
    """Put a header back together, so that the names in it are read as in any mail (RFC 2231)."""
    pairs = parameters if isinstance(parameters, tuple) else ()
    texts = [value]
    for key, said in zip(pairs[::2], pairs[1::2], strict=False):
        escaped = _text(said).replace("\\", "\\\\").replace('"', '\\"')
        texts.append(f"{_text(key)}={escaped}" if _text(key).endswith("*") else f'{_text(key)}="{escaped}"')
    part[header_name] = "; ".join(texts).replace("\r", " ").replace("\n", " ")


def _sent_at(envelope: object) -> datetime | None:
    return envelope.date if isinstance(envelope, Envelope) else None


def _sender(envelope: object) -> str:
    people = (envelope.from_ or envelope.sender or ()) if isinstance(envelope, Envelope) else ()
    for person in people:
        if name := _words(person.name):
            return name
        if person.mailbox and person.host:
            return f"{_text(person.mailbox)}@{_text(person.host)}"
    return ""


def _words(raw: bytes | None) -> str:
    """A header's text as people read it."""
    if not raw:
        return ""
    message = Message()
    message["subject"] = _text(raw).replace("\r", " ").replace("\n", " ")
    return header(message, "subject")


def _text(raw: object) -> str:
    return raw.decode("ascii", "surrogateescape") if isinstance(raw, bytes) else "" if raw is None else str(raw)
