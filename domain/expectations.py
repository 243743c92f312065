"""Expectations: the questions within a question, and what an answer to each has to show: a date, a name, a reason."""

import re
from collections.abc import Iterator

DATE = re.compile(
    r"\b(19|20)\d\d\b|\d{1,2}:\d\d|\b(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?"
    r"|oct(ober)?|nov(ember)?|dec(ember)?)\b|\b(mon|tues|wednes|thurs|fri|satur|sun)day\b"
    r"|\b(daily|weekly|monthly|quarter(ly)?|yearly|annual(ly)?|today|tomorrow)\b",
    re.IGNORECASE,
)
DURATION = re.compile(
    r"\b(\d[\d.,]*|one|two|three|four|five|six|seven|eight|nine|ten|twelve|several|few)[ -]*"
    r"(s|ms|min|h|seconds?|minutes?|hours?|days?|weeks?|months?|quarters?|years?|decades?)\b",
    re.IGNORECASE,
)
MONEY = re.compile(
    r"[€$£¥]\s?\d|\d\s?(€|%|euros?|dollars?|pounds?|cents?|percent|thousand|million|billion)|\bfree\b|\bnothing\b",
    re.IGNORECASE,
)
NUMBER = re.compile(
    r"\d|\b(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million)\b",
    re.IGNORECASE,
)
NAME = re.compile(r"(?<=[\w,;:] )[A-Z][\w'’-]+|^[A-Z][\w'’-]+(?= [A-Z])|@\w+")
REASON = re.compile(
    r"\b(because|caus\w+|due to|since|so that|reasons?|therefore|led to|results?|resulted|thanks to|owing to"
    r"|in order to)\b",
    re.IGNORECASE,
)
KINDS = (
    (re.compile(r"\bwhen\b|\b(what|which) (day|date|time|year|month)\b", re.IGNORECASE), DATE),
    (re.compile(r"\bhow (long|quickly|fast|often|soon)\b", re.IGNORECASE), DURATION),
    (re.compile(r"\bhow much\b|\bcosts?\b|\bprices?\b|\bpa(y|id)\b|\brevenues?\b|\bpercentage\b", re.I), MONEY),
    (
        re.compile(r"\bhow (many|old|large|big|far|high|low)\b|\b(total|number|amount|average)\b", re.IGNORECASE),
        NUMBER,
    ),
    (re.compile(r"\bwho(m|se)?\b", re.IGNORECASE), NAME),
    (re.compile(r"\bwhy\b|\bcaus|\breasons?\b", re.IGNORECASE), REASON),
)
"""What a question of a kind expects to see in its answer."""

JOINT = re.compile(
    r",?\s+and\s+(?=(?:(?:in|at|to|by|with|for|from|on)\s+)?"
    r"(?:what|which|who|whom|whose|when|where|why|how|did|does|do|is|are|was|were|can|may|must)\b)",
    re.IGNORECASE,
)
MIN_PART_WORDS = 3
MAX_PARTS = 3


def parts(question: str) -> list[str]:
    """Return the questions that are joined by `and`, at most three; [] when it is but one."""
    pieces = [piece.strip() for piece in JOINT.split(question)]
    if not 1 < len(pieces) <= MAX_PARTS or any(len(piece.split()) < MIN_PART_WORDS for piece in pieces):
        return []
    return pieces


def disappoints(question: str, text: str) -> bool:
    """Return whether a question of a known kind asks for something that is not in the text, its own words aside."""
    expected = [expects for asks, expects in KINDS if asks.search(question)]
    asked = question.lower()
    return bool(expected) and not any(found.lower() not in asked for each in expected for found in _found(each, text))


def _found(expected: re.Pattern[str], text: str) -> Iterator[str]:
    return (match.group() for match in expected.finditer(text))
