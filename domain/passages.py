"""Passages: chunks that stand side by side are read as one, and how many are worth reading depends on their scores."""

from collections.abc import Sequence

import msgspec

from domain.search import Candidate, Passage, Stretch

MAX_CHUNKS = 12
"""Chunks that passages are made of."""
MAX_BEHIND = 2.5
"""A chunk whose score lies further behind the best, in standard deviations, is no longer worth reading."""
MAX_GAP_CHARACTERS = 8
"""Between two chunks that follow each other stands white space."""


def worth_reading(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the first candidates, best first, down to where the scores have fallen off; few where one is far ahead."""
    if not candidates:
        return []
    least = candidates[0].score - MAX_BEHIND
    return [each for each in candidates[:MAX_CHUNKS] if each.score >= least]


def runs(passages: Sequence[Passage]) -> list[list[Passage]]:
    """Group neighbours under one heading, each run in the order of its text, the runs by their best part."""
    found: list[list[Passage]] = []
    for passage in sorted(passages, key=lambda each: (each.version_id, each.start)):
        if found and _follows(found[-1][-1], passage):
            found[-1].append(passage)
        else:
            found.append([passage])
    return sorted(found, key=lambda run: (-_best(run).score, _best(run).chunk_id))


def stretch(run: Sequence[Passage]) -> Stretch:
    """Return where a run stands."""
    return Stretch(run[0].version_id, run[0].start, max(part.end for part in run))


def joined(run: Sequence[Passage], text: str) -> Passage:
    """Return a run as one passage with the text of its stretch; score and id are its best part's."""
    if len(run) == 1:
        return run[0]
    place = stretch(run)
    return msgspec.structs.replace(_best(run), text=text, start=place.start, end=place.end, page=run[0].page)


def _follows(before: Passage, after: Passage) -> bool:
    is_same_place = (before.version_id, before.heading_path) == (after.version_id, after.heading_path)
    return is_same_place and after.start - before.end <= MAX_GAP_CHARACTERS


def _best(run: Sequence[Passage]) -> Passage:
    return max(run, key=lambda each: each.score)
