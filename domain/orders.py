"""Orders to a machine: what a document may say to whoever reads it, and no answer may repeat.

Whoever can write a document could otherwise dictate the answer. A manual about language models loses a few quotes to
this; it stays findable.
"""

import re

import msgspec

ASSISTANT = (
    r"\b(?:a\.?i\.?|l\.?l\.?m\.?s?|language models?|(?:ai )?assistants?|(?:chat ?)?bots?|chatgpt|gpt-?\w*|claude|gemini"
    r"|copilot)"
)
UTTER = r"(?:reply|respond|answer|output|say|print|write|repeat|state|claim|announce|tell)"
SO = (
    r"(?:\W{1,3}(?:users?|people|everyone|only|exactly|always|verbatim))*"
    r"(?:\W{1,3}(?:with|that|only|exactly)\b|\s*[:'\"“‘])"
)
"""What is to be said follows: `with …`, `that …`, a colon, a quotation."""
EARLIER = r"(?:your|all|any|previous|prior|earlier|the (?:above|user|system)(?:['’]s)?)"

ADDRESSED = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}"
    r"\b(?:instructions?|prompts?|everything|the above|you were told|your rules)\b"
    r"|\b(?:system prompt|developer message|you are now|from now on,? you|pretend (?:to be|you)|as an ai)\b"
    rf"|^\W*{UTTER} (?:only|exactly|that|with)\b"
    rf"|^\W*{UTTER}\b.{{0,30}}\b(?:verbatim|word for word)\b"
    r"|^\W*act as (?:if|though)\b"
    r"|\btell (?:the )?(?:user|reader|person asking|whoever asks)s?\b"
    rf"|\byou (?:must|will|should|shall)(?: now| always| only)* {UTTER}(?:\W{{1,3}}(?:only|exactly)\b|\s*[:'\"“‘])"
    r"|\bwhen (?:summari[sz]ing|translating|(?:reading|processing|answering) this)\b"
    rf".{{0,60}}\b(?:always|only|must) {UTTER}\b"
    r"|\b(?:obey|follow|believe) (?:only )?this (?:document|text|message|passage)\b"
    r"|</?(?:system|instructions?|passage|assistant)\b|\[/?inst\]|<\|",
    re.IGNORECASE,
)
"""What makes one sentence unfit to be quoted."""


class Rule(msgspec.Struct, frozen=True):
    """A pattern, tried only where one of the hints stands in the text: all of them everywhere take 5 s a megabyte."""

    hints: tuple[str, ...]
    pattern: re.Pattern[str]


def _rule(hints: str, *alternatives: str) -> Rule:
    return Rule(tuple(hints.split("|")), re.compile("|".join(alternatives), re.IGNORECASE | re.MULTILINE))


RULES = (
    _rule(
        "ignore|disregard|forget|override|discard|bypass",
        r"\b(?:ignore|disregard|forget|override)\b.{0,40}"
        r"\b(?:instructions?|prompts?|everything above|the above|other (?:documents|passages)|passages"
        r"|(?:what )?you (?:were|are) (?:told|asked)|(?:your|previous|all) rules)\b",
        rf"\b(?:ignore|disregard|forget|override|discard|bypass)\b.{{0,20}}\b{EARLIER}"
        r" (?:context|guidelines?|directives?|rules?|orders?|prompts?|training|restrictions?)\b",
        r"\b(?:ignore|disregard|forget)\b.{0,15}\buser(?:['’]s)? (?:question|request|query)\b",
        r"\b(?:system|admin|prompt|safety)\W{1,3}override\b",
    ),
    _rule(
        "your |the user|the question| new |you are now|now on",
        r"\b(?:do not|don['’]t|never) (?:follow|obey|heed|answer)\b.{0,20}"
        r"\b(?:your (?:\w+ )?(?:guidelines|instructions|rules)|the (?:user|question))\b",
        r"\byour (?:\w+ )?(?:rules|instructions|guidelines|directives) (?:no longer|do not|don['’]t) apply\b",
        rf"\b(?:your|a) new (?:task|instruction|role|goal|job|directive)s? (?:is|are)\b.{{0,15}}\b{UTTER}\b",
        r"\bnew (?:system )?(?:directive|prompt)\b\s*[:.]",
        r"\b(?:you are now|from now on,? you)\b.{0,40}\b(?:mode|say|answer|respond|obey|pretend|unrestricted|free)\b",
    ),
    _rule(
        "ai |ai:|ai,|a.i|llm|l.l.m|language model|assistant|bot|gpt|claude|gemini|copilot",
        rf"{ASSISTANT}\b.{{0,60}}\b{UTTER}{SO}",
        rf"\b(?:if you are|dear|hey|attention,?|(?:note|instructions?|message) (?:to|for)(?: the| any| all)?)"
        rf" (?:an? |any )?{ASSISTANT}\b",
        r"\bto (?:the|any) (?:ai|l\.?l\.?m|language model|chat ?bot)s? (?:(?:that|who|which) reads|reading)\b",
    ),
    _rule(
        "question|system|instruction:|assistant:|response:|passage|inst]|<",
        r"\b(?:answer|reply to|respond to) every question\b|\banswer to (?:all|every) questions?\b|\bsystem message\b",
        r"^\W{0,5}#{1,6} {0,3}(?:instruction|response|system|assistant) {0,3}:",
        r"</?(?:system|passage)\b|\[/?inst\]|<\|",
    ),
    _rule(
        "anweisung|vorgaben|regeln|instruc|instruç|consignes|istruzioni",
        r"\b(?:vergiss|vergessen sie|ignorier\w*|missachte\w*|oubli\w+|ignore[rz]|ignor[ae]|olvid\w+|dimentica\w*)\b"
        r".{0,40}\b(?:anweisung\w*|vorgaben|regeln|instructions|consignes|instrucciones|instruções|istruzioni)\b",
    ),
)
"""What nobody writes to colleagues; a paragraph with it is left out whole, since the order may go on for sentences."""


def is_addressed_to_a_machine(sentence: str) -> bool:
    """Return whether a sentence gives an order to a machine."""
    return bool(ADDRESSED.search(sentence))


def ordering_spans(text: str) -> list[tuple[int, int]]:
    """Return the spans of the paragraphs that give orders to a machine."""
    folded = text.lower()
    tried = [rule.pattern for rule in RULES if any(hint in folded for hint in rule.hints)]
    barred = set()
    for match in (match for pattern in tried for match in pattern.finditer(text)):
        end = text.find("\n\n", match.end())
        barred.add((text.rfind("\n\n", 0, match.start()) + 1, len(text) if end == -1 else end))
    return sorted(barred)
