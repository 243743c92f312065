"""Which chunks a lexical search scores: in a large tenant not all that have a word of the question, but those that have
enough of its words to come first.

A chunk can gain of a word at most a fixed multiple of the word's inverse document frequency (as in WAND, Broder et al.
2003), so chunks whose words together weigh little need not be read. How many there are is estimated as if words stood
independently of each other.
"""

from collections.abc import Mapping
from itertools import combinations

from domain.lexical import inverse_document_frequency

FEW_CHUNKS = 2_000
"""Where no more have any of the words, all of them are scored."""
MAX_SCORED = 1_000
"""Chunks of a large tenant that are to be scored: ten times what a leg proposes there."""
MAX_WEIGHED_WORDS = 7
"""Of a longer question its rarest words decide; 127 sets of them can be weighed."""


def telling_sets(n_containing: Mapping[str, int], n_chunks: int) -> list[tuple[str, ...]]:
    """Return sets of lexemes: a chunk is worth scoring when it has all of any of them.

    `n_containing` are those the tenant has, with their numbers of chunks. Where few chunks have any of them, each is a
    set of its own.
    """
    rarest = sorted(n_containing, key=lambda lexeme: (n_containing[lexeme], lexeme))
    if sum(n_containing.values()) <= FEW_CHUNKS:
        return [(lexeme,) for lexeme in rarest]
    weights = {each: inverse_document_frequency(n_chunks, n_containing[each]) for each in rarest[:MAX_WEIGHED_WORDS]}
    sets = [each for size in range(1, len(weights) + 1) for each in combinations(weights, size)]
    heaviest = sorted(sets, key=lambda each: (-sum(weights[lexeme] for lexeme in each), each))
    kept, n_expected = heaviest[:1], _n_with_only(heaviest[0], weights, n_containing, n_chunks)
    for each in heaviest[1:]:
        n_expected += _n_with_only(each, weights, n_containing, n_chunks)
        if n_expected > MAX_SCORED:
            break
        kept.append(each)
    return _smallest(kept)


def _n_with_only(
    held: tuple[str, ...], weights: Mapping[str, float], n_containing: Mapping[str, int], n_chunks: int
) -> float:
    """Return how many chunks may have these of the weighed words, and no other."""
    expected = float(n_chunks)
    for lexeme in weights:
        share = min(1.0, n_containing[lexeme] / n_chunks) if n_chunks else 0.0
        expected *= share if lexeme in held else 1 - share
    return expected


def _smallest(sets: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Leave out sets that hold another one whole."""
    kept: list[tuple[str, ...]] = []
    for each in sorted(sets, key=len):
        if not any(set(smaller) <= set(each) for smaller in kept):
            kept.append(each)
    return kept
