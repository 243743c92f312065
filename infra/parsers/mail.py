"""Mail: headers decoded, the readable body in blocks, quoted replies marked as quotes, attachments named.

The standard library's older policy reads broken mail without an error; headers are decoded here, one by one.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.policy import compat32
from email.utils import getaddresses, parsedate_to_datetime

from domain.errors import Invalid
from domain.parsing import BlockKind, ParsedDocument
from infra.parsers.builder import TextBuilder, cleaned, one_line
from infra.parsers.charset import decode
from infra.parsers.text import add_paragraphs

REPLY_LINE = re.compile(r"^(On .{5,200} wrote:|Am .{5,200} schrieb.{0,100}:|Le .{5,200} a écrit ?:)$", re.IGNORECASE)
ORIGINAL_LINE = re.compile(
    r"^-{2,} ?(Original Message|Forwarded message|Ursprüngliche Nachricht) ?-{2,}$", re.IGNORECASE
)
QUOTED = re.compile(r"^((?:> ?)+)(.*)$")
KEPT_HEADERS = ("from", "to", "cc", "date", "message-id", "in-reply-to", "references", "list-id")


def parse(name: str, content: bytes) -> ParsedDocument:
    """Return a mail; its title is the subject, its author the sender's name. Raises: Invalid when it says nothing."""
    message = message_from_bytes(content.removeprefix(b"\xef\xbb\xbf").lstrip(), policy=compat32)
    if not message.keys():
        raise Invalid("This is not a mail: it has no headers. Export it from the mail program as .eml and try again.")
    builder = TextBuilder()
    _add_bodies(builder, message)
    subject = header(message, "subject")
    metadata = {key: header(message, key) for key in KEPT_HEADERS}
    names = [part_name for part in message.walk() if (part_name := attachment_name(part))]
    metadata["attachments"] = "\n".join(names)
    if builder.is_empty:
        builder.add(BlockKind.PARAGRAPH, "\n".join([subject, *names]))
    sent_at = moment(metadata["date"])
    return builder.build(
        name,
        "message/rfc822",
        title=subject or "(no subject)",
        author=_sender(message),
        created_at=sent_at,
        modified_at=sent_at,
        metadata=metadata,
    )


def header(message: Message, name: str) -> str:
    """Return a header as a person reads it, on one line; "" when it is absent."""
    value = message.get(name)
    return "" if value is None else _decoded(str(value))


def moment(text: str) -> datetime | None:
    """Return the moment of a mail's date, or None when it is none."""
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def attachment_name(part: Message) -> str:
    """Return the file name of an attachment; "" when the part is none. Names lose their folders."""
    if part.is_multipart() and part.get_content_type() != "message/rfc822":
        return ""
    try:
        file_name = part.get_filename() or ""
    except (ValueError, LookupError, TypeError, UnicodeError):
        file_name = ""
    is_attached = str(part.get("content-disposition", "")).strip().lower().startswith("attachment")
    if not file_name and part.get_content_type() == "message/rfc822":
        return "message.eml"
    name = _decoded(file_name).replace("\\", "/").rsplit("/", 1)[-1]
    return name or ("attachment" if is_attached else "")


def payload(part: Message) -> bytes:
    """Return a part's bytes; a mail within the mail comes as it would be stored alone."""
    inner = part.get_payload()
    if isinstance(inner, list):
        return inner[0].as_bytes() if inner and isinstance(inner[0], Message) else b""
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        content = str(inner).encode("utf-8", "replace")
    return content if isinstance(content, bytes) else b""


def _decoded(value: str) -> str:
    """RFC 2047 where it is used; raw bytes, which the standard forbids and people send, by guess."""
    value = value.replace("\r", "").replace("\n", "")
    try:
        raw = value.encode("utf-8", "surrogateescape")
        value = decode(raw) if any("\udc80" <= letter <= "\udcff" for letter in value) else value
        return one_line(str(make_header(decode_header(value))))
    except (ValueError, LookupError, UnicodeError):
        return one_line(value)


def _sender(message: Message) -> str:
    pairs = getaddresses([header(message, "from") or header(message, "sender")])
    return next((name or address for name, address in pairs if name or address), "")


def _add_bodies(builder: TextBuilder, message: Message) -> None:
    for part in _readable_parts(message):
        text = decode(payload(part), _charset(part))
        if part.get_content_type() == "text/html":
            from infra.parsers.html import add_html  # noqa: PLC0415 - most mails need no HTML parser

            add_html(builder, text)
        else:
            _add_plain(builder, text)


def _readable_parts(part: Message, depth: int = 0) -> Iterator[Message]:
    """Yield the parts a mail program would show; of alternatives, plain text before HTML."""
    if depth > 20 or part.get_content_type() == "message/rfc822":
        return
    inner = part.get_payload()
    if isinstance(inner, list):
        below = [list(_readable_parts(child, depth + 1)) for child in inner if isinstance(child, Message)]
        if part.get_content_type() == "multipart/alternative":
            below = sorted((parts for parts in below if any(_says_something(each) for each in parts)), key=_rank)[:1]
        for parts in below:
            yield from parts
    elif part.get_content_maintype() in ("text", "multipart") and not attachment_name(part):
        yield part


def _says_something(part: Message) -> bool:
    return bool(payload(part).strip())


def _rank(parts: list[Message]) -> int:
    return min((0 if part.get_content_type() == "text/plain" else 1 for part in parts), default=2)


def _charset(part: Message) -> str:
    try:
        return str(part.get_content_charset() or "")
    except (ValueError, LookupError, TypeError, UnicodeError):
        return ""


def _add_plain(builder: TextBuilder, text: str) -> None:
    """Runs of `>` lines, and all that follows a forwarded original's line, are quotes."""
    held: list[str] = []
    depth = 0
    lines = cleaned(text).split("\n")
    for number, line in enumerate(lines):
        if ORIGINAL_LINE.match(line.strip()):
            _add_run(builder, held, depth)
            for paragraph in re.split(r"\n\s*\n", "\n".join(lines[number + 1 :])):
                builder.add(BlockKind.QUOTE, paragraph, level=1)
            return
        quoted = QUOTED.match(line)
        line_depth = quoted.group(1).count(">") if quoted else 0
        if line_depth != depth:
            _add_run(builder, held, depth)
            held, depth = [], line_depth
        held.append(quoted.group(2) if quoted else line)
    _add_run(builder, held, depth)


def _add_run(builder: TextBuilder, lines: list[str], depth: int) -> None:
    """A line that only says who wrote what is quoted belongs to the quote, as a quote of level 0."""
    if depth:
        for paragraph in re.split(r"\n\s*\n", "\n".join(lines)):
            builder.add(BlockKind.QUOTE, paragraph, level=depth)
        return
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    says_who = bool(lines) and REPLY_LINE.match(lines[-1].strip()) is not None
    add_paragraphs(builder, "\n".join(lines[:-1] if says_who else lines))
    if says_who:
        builder.add(BlockKind.QUOTE, lines[-1])
