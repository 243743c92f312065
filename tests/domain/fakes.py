"""Small, deterministic stand-ins for the ports of language: words as vectors, regular expressions as grammar."""

import hashlib
import re
from collections.abc import AsyncGenerator, Sequence

import numpy as np

from domain.embedding import EmbeddingModel, Matrix
from domain.errors import Unavailable
from domain.language import Turn
from domain.search import Word

STOP_WORDS = frozenset(
    """a an and are as at be by did do does for from had has have how i in is it its many much of on or our that the
    their they this to was we were what when where which who whom why will with you""".split()  # noqa: SIM905
)


def stem(word: str) -> str:
    return re.sub(r"(ing|ed|es|s|e)$", "", word) if len(word) > 4 else word


class WordAnalyzer:
    """Words by regular expression, stemmed by cutting common endings; sentences end with . ! ? or a line."""

    def words(self, text: str) -> list[Word]:
        found = [(match.start(), match.end(), match[0].lower()) for match in re.finditer(r"\w+", text)]
        return [Word(start, end, stem(word)) for start, end, word in found if word not in STOP_WORDS]

    def sentences(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\S(?:[^.!?\n]|\.(?=\S))*[.!?]?", text)]


class WordEmbedder:
    """Texts that share words are near: a bag of hashed words, unit norm."""

    def __init__(self, n_dimensions: int = 512) -> None:
        self.model = EmbeddingModel("words", "1", n_dimensions)
        self._analyzer = WordAnalyzer()

    async def embed(self, texts: Sequence[str]) -> Matrix:
        return np.array([self._vector(text) for text in texts], dtype=np.float32).reshape(-1, self.model.n_dimensions)

    def _vector(self, text: str) -> Matrix:
        vector = np.zeros(self.model.n_dimensions, dtype=np.float32)
        for lexeme in {word.lexeme for word in self._analyzer.words(text)} or {""}:
            vector[int.from_bytes(hashlib.sha256(lexeme.encode()).digest()[:4], "big") % vector.size] += 1
        return vector / np.linalg.norm(vector)


class ScriptedModel:
    """Writes what it was told to, in small pieces, and keeps what it was asked; it may break off at the end."""

    name = "scripted"

    def __init__(self, reply: str, *, is_broken: bool = False) -> None:
        self._reply = reply
        self._is_broken = is_broken
        self.turns: list[Turn] = []

    async def write(self, turns: Sequence[Turn], max_tokens: int) -> AsyncGenerator[str]:
        self.turns = list(turns)
        for start in range(0, len(self._reply), 7):
            yield self._reply[start : start + 7]
        if self._is_broken:
            raise Unavailable("The language model stopped in the middle of its answer. Ask again.")
