"""Bytes to text, whatever their character set."""

import codecs

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; UTF-32 before UTF-16, whose mark begins in the same way."""


def decode(content: bytes, declared: str = "") -> str:
    """Return the text: by byte order mark, as declared, as UTF-8, or as chardet guesses; never an error.

    What no character set explains is read as Windows-1252 with marks of replacement.
    """
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    for encoding in (declared, "utf-8"):
        text = _tried(content, encoding)
        if text is not None:
            return text
    import chardet  # noqa: PLC0415 - 30 ms that UTF-8 files need not pay

    guessed = chardet.detect(content)["encoding"] or "cp1252"
    text = _tried(content, guessed)
    return text if text is not None else content.decode("cp1252", "replace")


def _tried(content: bytes, encoding: str) -> str | None:
    if not encoding:
        return None
    try:
        if not codecs.lookup(encoding)._is_text_encoding:
            return None
        return content.decode(encoding)
    except (LookupError, ValueError, UnicodeError):
        return None
