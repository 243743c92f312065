"""Who sent a mail, and whether a mail server that we trust found that to be true."""

import re
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from email.utils import getaddresses

COMMENT = re.compile(r"\([^()]*\)")
RESULT = re.compile(r"^\s*(?P<method>dmarc|dkim|spf)\s*=\s*pass\b(?P<said>.*)$", re.IGNORECASE | re.DOTALL)
SAID = re.compile(r"\b(header\.from|header\.d|header\.i|smtp\.mailfrom)\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)


def headers_of(content: bytes) -> Message:
    """Return a mail's headers."""
    head = content.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    return message_from_bytes(head + b"\n\n", policy=compat32)


def sender_of(headers: Message) -> str:
    """Return the one address a mail says it is from, in small letters; "" when there is none, or more than one."""
    found = {address.lower() for _, address in getaddresses([str(each) for each in headers.get_all("From", [])])}
    return found.pop() if len(found) == 1 else ""


def is_authentic(headers: Message, sender: str, server: str) -> bool:
    """Return whether a server found that a mail is from whom it says (RFC 8601, with DMARC's alignment).

    Only the topmost of its findings counts: the server puts its own above all that came with the mail.
    """
    for header in headers.get_all("Authentication-Results", []):
        name, *results = COMMENT.sub(" ", str(header)).split(";")
        if name.split()[:1] == [server]:
            return any(_vouches(each, sender.rpartition("@")[2]) for each in results)
    return False


def _vouches(result: str, domain: str) -> bool:
    match = RESULT.match(result)
    if match is None:
        return False
    said = [value.rpartition("@")[2].lower() for _, value in SAID.findall(match["said"])]
    return any(domain == each or domain.endswith(f".{each}") for each in said if "." in each)
