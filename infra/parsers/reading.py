"""From bytes to a parsed document: find the family, load its module, and let no error but Invalid out."""

import importlib
from typing import Protocol, cast

import msgspec

from domain.errors import Invalid
from domain.parsing import ParsedDocument, ParseSettings
from infra.parsers.detection import Family, family_of
from infra.parsers.stated import named_date, stated_author, stated_date
from infra.parsers.zips import check_unpacked

ZIPPED = (Family.WORD, Family.SLIDES, Family.SHEETS)


class Reader(Protocol):
    """What each family's module offers."""

    def parse(self, name: str, content: bytes) -> ParsedDocument:
        """Return what the file says. Raises: Invalid."""


def read(name: str, media_type: str, content: bytes, settings: ParseSettings) -> ParsedDocument:
    """Return what a file says. Family modules, and the libraries behind them, are imported when first needed.

    Raises: Invalid when it cannot be read, with a message for people; MemoryError.
    """
    family = family_of(name, media_type, content)
    if family in ZIPPED:
        check_unpacked(content, settings.max_unpacked_bytes)
    reader = cast(Reader, importlib.import_module(f"infra.parsers.{family}"))
    try:
        parsed = reader.parse(name, content)
    except (Invalid, MemoryError):
        raise
    except RecursionError as error:
        raise Invalid("This file is nested too deeply to be read. Simplify it and bring it in again.") from error
    except Exception as error:  # the libraries meet hostile bytes here; what they raise is not documented
        raise Invalid("This file is damaged, so it could not be read. Save it anew and bring it in again.") from error
    if len(parsed.text) > settings.max_characters:
        limit = f"{settings.max_characters:,}"
        raise Invalid(f"This file holds more than {limit} characters of text. Split it and bring in the parts.")
    return _with_what_it_states(parsed, name)


def _with_what_it_states(parsed: ParsedDocument, name: str) -> ParsedDocument:
    """Fill in author and date from the document's first lines and its name, where the format has not told them."""
    date = parsed.created_at or stated_date(parsed.text) or named_date(name)
    return msgspec.structs.replace(
        parsed,
        author=parsed.author or stated_author(parsed.text),
        created_at=date,
        modified_at=parsed.modified_at or date,
    )
