"""Words and abbreviations so often written everywhere that nobody needs them explained, from a list of frequencies."""

LENGTHS = range(3, 7)
"""How long an abbreviation is that detectors ask about."""


def familiar_words() -> frozenset[str]:
    """Return, in capitals, what stands at least once in a million words of English (Speer's wordfreq)."""
    import wordfreq  # noqa: PLC0415  # 20 MB, of use to who detects alone

    words = wordfreq.iter_wordlist("en", wordlist="small")
    return frozenset(word.upper() for word in words if len(word) in LENGTHS and word.isascii() and word.isalpha())
