"""A question made fit for the vault: its abbreviations explained, its misspelt words mended, and both owned up to."""

import re

import msgspec

from domain.glossary import Expansion
from domain.vault import Tools, Vault

MAX_EXPANSIONS = 4
MIN_MENDED_CHARACTERS = 4
WRITTEN = re.compile(r"[^\W_]+(?:[-&/][^\W_]+)*")


class Correction(msgspec.Struct, frozen=True):
    """A word that stands nowhere in the vault, and the lexeme that was searched for besides."""

    written: str
    lexeme: str


class Widened(msgspec.Struct, frozen=True):
    """What is searched for: the question's words, with what was added to them."""

    text: str
    expansions: tuple[Expansion, ...] = ()
    corrections: tuple[Correction, ...] = ()


async def widen(vault: Vault, tools: Tools, question: str) -> Widened:
    """Return the question with what its abbreviations stand for, and the nearest words to those nobody uses."""
    words = tools.analyzer.words(question)
    kept = {question[word.start : word.end] for word in words}
    asked = [word for word in WRITTEN.findall(question) if word in kept or word.isupper()]
    expansions = (await vault.passages.explain(asked, question))[:MAX_EXPANSIONS]
    known = await vault.passages.rarity([word.lexeme for word in words])
    unknown = {
        word.lexeme: question[word.start : word.end]
        for word in words
        if word.lexeme not in known and len(word.lexeme) >= MIN_MENDED_CHARACTERS and word.lexeme.isalpha()
    }
    explained = {expansion.short.lower() for expansion in expansions}
    unknown = {lexeme: written for lexeme, written in unknown.items() if written.lower() not in explained}
    near = await vault.passages.spellings(list(unknown)) if unknown else {}
    corrections = tuple(Correction(unknown[lexeme], meant) for lexeme, meant in near.items())
    said = question.lower()
    added = [part for each in expansions for part in (each.long, each.short) if part.lower() not in said]
    text = " ".join([question, *added, *(each.lexeme for each in corrections)])
    return Widened(text, tuple(expansions), corrections)
