"""What an item must keep to before it is fetched: a name that can be stored, a size that can be read."""

import hashlib

from domain.integrations import Item
from domain.uploads import MAX_FILE_BYTES

MAX_ID_BYTES = 2_000
"""An index of Postgres holds keys up to about 2,700 bytes."""
KEPT_CHARACTERS = 200
MEBIBYTE = 1024 * 1024


def refusal(item: Item) -> str:
    """Return why an item is not fetched at all, for people; "" when it may be."""
    if storable_id(item.external_id) != item.external_id:
        return "Its name or path is too long, or has signs no text can hold. Give it a shorter name, then sync again."
    if item.size_bytes is not None and item.size_bytes > MAX_FILE_BYTES:
        size, limit = item.size_bytes // MEBIBYTE, MAX_FILE_BYTES // MEBIBYTE
        return f"It is {size:,} MB large; files over {limit} MB are not read. Split it at the source, then sync again."
    return ""


def storable_id(external_id: str) -> str:
    """Return an id that can be stored: the same where that is possible, else its beginning and a digest."""
    raw = external_id.encode("utf-8", "surrogatepass")
    is_text = "\0" not in external_id and not any("\ud800" <= letter <= "\udfff" for letter in external_id)
    if is_text and len(raw) <= MAX_ID_BYTES:
        return external_id
    return f"{storable_text(external_id[:KEPT_CHARACTERS])}…{hashlib.blake2b(raw, digest_size=12).hexdigest()}"


def storable_text(text: str) -> str:
    """Return a text without what Postgres refuses."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")
