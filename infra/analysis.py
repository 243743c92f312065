"""How text is taken apart for the word index: Unicode words, identifiers whole and in parts, English stems."""

import re
import unicodedata
from collections.abc import Iterator

import sentencex
import Stemmer

from domain.search import Word

ANALYZER_VERSION = 1
"""Part of the index's identity: a change of the lexemes is a new version, and the index is made anew."""

MAX_WORD_CHARACTERS = 64
"""Longer runs (keys, encoded bytes) are no words; nobody types them, and each would be a lexeme of its own."""
MAX_REMEMBERED = 20_000
"""Lexemes kept by one analyzer, about 3 MB."""

MARKS = "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff\u1ab0-\u1aff"
"""Combining marks, and Indic blocks whole: Python's `\\w` would cut words at their vowel signs."""
LETTERS = rf"(?:[^\W_]++|[{MARKS}]++)++"
"""Runs of either kind, never given back: one character at a time would take twice as long."""
PART = re.compile(LETTERS)
WORD = re.compile(rf"{LETTERS}(?:(?:['’][^\W\d_]+)|(?:[-_.@+/]{LETTERS})|(?:_+{LETTERS}))*")
"""A run of letters and digits, with what ties such runs to identifiers: KV-1042, ERR_TIMEOUT, ann@acme.org, 2.4.1."""
IDENTIFIER = re.compile(r"[\d_@]|[^\W\d_]\.[^\W\d_]")
"""What makes a tied run worth finding whole; plain hyphens and slashes between words do not."""
IDEOGRAPHS = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0002fa1f]")

STOP_WORDS = frozenset(  # split from one string, so that a reader sees words and not quotes
    """a about above after again against all also am an and any are aren't as at be because been before being below
    between both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each few for
    from further had hadn't has hasn't have haven't having he he'd he'll he's her here here's hers herself him himself
    his how how's i i'd i'll i'm i've if in into is isn't it it's its itself let's me more most mustn't my myself no nor
    not of off on once only or other ought our ours ourselves out over own same shan't she she'd she'll she's should
    shouldn't so some such than that that's the their theirs them themselves then there there's these they they'd
    they'll they're they've this those through to too under until up very was wasn't we we'd we'll we're we've were
    weren't what what's when when's where where's which while who who's whom why why's will with won't would wouldn't
    you you'd you'll you're you've your yours yourself yourselves""".split()  # noqa: SIM905
)

MAX_STRETCH_CHARACTERS = 8_000
LIST_START = re.compile(r"\s*(?:[-*•‣·–#>|]|\d{1,3}[.)]\s|\(?[a-z]\)\s)")
HEADING_CHARACTERS = 60
"""A line this short, without a mark at its end and followed by a capital, is taken for a heading."""


class WordAnalyzer:
    """Takes text apart the way the word index does.

    An analyzer belongs to one thread at a time: the stemmer inside keeps state. Make another for another thread; the
    lexemes are the same.
    """

    def __init__(self) -> None:
        self._stemmer = Stemmer.Stemmer("english")
        self._lexemes: dict[str, str] = {}

    def words(self, text: str) -> list[Word]:
        """Return the words that count, in order of their start; stop words are left out.

        An identifier comes whole, then in parts: `KV-1042` as `kv-1042`, `kv`, `1042`. Those with digits are not
        stemmed. Chinese, Japanese and Korean runs come as overlapping pairs of characters.
        """
        found: list[Word] = []
        remembered = self._lexemes
        for match in WORD.finditer(text):
            written = match.group()
            lexeme = remembered.get(written)
            if lexeme is None and _is_simple(written):
                lexeme = self._remember(written)
            if lexeme is None:
                found.extend(self._parts(written, match.start()))
            elif lexeme:
                found.append(Word(match.start(), match.end(), lexeme))
        return found

    def sentences(self, text: str) -> list[tuple[int, int]]:
        """Return the spans of the sentences, in order, without surrounding white space.

        An empty line ends a sentence, and so do the ends of headings, rows and items of lists.
        """
        spans: list[tuple[int, int]] = []
        for offset, stretch in _stretches(text):
            for boundary in sentencex.get_sentence_boundaries("en", stretch):
                lines = _lines(text, offset + boundary["start_index"], offset + boundary["end_index"])
                spans.extend(_without_blanks(text, start, end) for start, end in lines)
        return [(start, end) for start, end in spans if start < end]

    def _remember(self, written: str) -> str:
        """The lexeme of a simple word, "" for stop words; looked up next time."""
        if len(self._lexemes) >= MAX_REMEMBERED:
            self._lexemes.clear()
        lexeme = self._lexeme(written)
        self._lexemes[written] = lexeme
        return lexeme

    def _lexeme(self, written: str) -> str:
        plain = _folded(written)
        if plain in STOP_WORDS or len(plain) > MAX_WORD_CHARACTERS:
            return ""
        if any(letter.isdigit() for letter in plain):
            return plain
        return str(self._stemmer.stemWord(plain))

    def _parts(self, written: str, start: int) -> Iterator[Word]:
        """What a tied run, or one without spaces between its words, counts as."""
        is_tied = PART.fullmatch(written) is None
        if is_tied and IDENTIFIER.search(written) and len(written) <= MAX_WORD_CHARACTERS:
            yield Word(start, start + len(written), _folded(written))
        for part in PART.finditer(written):
            spelled = part.group()
            if IDEOGRAPHS.search(spelled):
                yield from _pairs(spelled, start + part.start())
            elif (lexeme := self._lexeme(spelled)) and (len(spelled) > 1 or not is_tied or spelled.isdigit()):
                yield Word(start + part.start(), start + part.end(), lexeme)


def _is_simple(written: str) -> bool:
    """Whether a run is one word: letters and digits, an apostrophe at most, and spaces around it in its script."""
    if written.isascii():
        return written.isalnum() or written.replace("'", "").isalnum()
    bare = written.replace("’", "").replace("'", "")
    return PART.fullmatch(bare) is not None and IDEOGRAPHS.search(written) is None


def _folded(written: str) -> str:
    """Return the word in lower case, compatibility forms resolved (NFKC), accents taken off."""
    if written.isascii():
        return written.lower()
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", written).replace("’", "'").casefold())
    return unicodedata.normalize("NFC", "".join(letter for letter in apart if not "\u0300" <= letter <= "\u036f"))


def _pairs(run: str, start: int) -> Iterator[Word]:
    if len(run) == 1:
        yield Word(start, start + 1, _folded(run))
    for index in range(len(run) - 1):
        yield Word(start + index, start + index + 2, _folded(run[index : index + 2]))


def _stretches(text: str) -> Iterator[tuple[int, str]]:
    """Cut a text at empty lines, or after MAX_STRETCH_CHARACTERS at a space: sentencex is quadratic in a paragraph."""
    start = 0
    while start < len(text):
        end = min(start + MAX_STRETCH_CHARACTERS, len(text))
        if end < len(text):
            cut = max(text.rfind("\n\n", start, end), text.rfind(". ", start, end) + 1)
            cut = cut if cut > start else text.rfind(" ", start, end)
            end = cut if cut > start else end
        yield start, text[start:end]
        start = end


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a sentence at the line ends that are more than the wrapping of a long line."""
    begin = line_start = start
    while (cut := text.find("\n", line_start, end)) != -1:
        next_end = text.find("\n", cut + 1, end)
        if _ends_something(text[line_start:cut].strip(), text[cut + 1 : next_end if next_end != -1 else end]):
            yield begin, cut
            begin = cut + 1
        line_start = cut + 1
    yield begin, end


def _ends_something(line: str, next_line: str) -> bool:
    """Whether the sentence ends with a line: the next is empty or an item, this one a row or a heading."""
    if not line or not next_line.strip() or LIST_START.match(next_line) or " | " in line:
        return True
    return len(line) <= HEADING_CHARACTERS and line[-1] not in ",;-–—(" and next_line.lstrip()[0].isupper()


def _without_blanks(text: str, start: int, end: int) -> tuple[int, int]:
    written = text[start:end]
    return start + len(written) - len(written.lstrip()), start + len(written.rstrip())
