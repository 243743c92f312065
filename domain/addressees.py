"""To whom a question goes: whom others named for it, who knows most, whom the text names, who wrote it.

Never who passed it on.
"""

from collections.abc import Collection, Sequence

import msgspec

from domain.access import Reason
from domain.found_gaps import FoundGap
from domain.gap_answers import GapRequest


class Addressee(msgspec.Struct, frozen=True):
    """A member who is asked, and why it is they."""

    user_id: int
    name: str
    why: str


def addressees(
    gap: FoundGap, readers: Sequence[Reason], requests: Sequence[GapRequest], refused: Collection[int]
) -> list[Addressee]:
    """Return who is asked, likeliest to know first; only members who may read the evidence, each once."""
    may_read = {each.user_id for each in readers}
    found = [
        Addressee(each.user_id, each.name, f"{each.asked_by} says that {each.name} knows")
        for each in requests
        if each.user_id in may_read
    ]
    named = (gap.addressee, gap.addressee_reason), (gap.person, "named in the text"), (gap.author, "wrote the document")
    for name, why in named:
        known = _member(name, readers)
        if known and known.user_id not in refused:
            found.append(Addressee(known.user_id, known.name, why))
    return list({each.user_id: each for each in reversed(found)}.values())[::-1]


def _member(name: str, readers: Sequence[Reason]) -> Reason | None:
    """Return the one reader that a name, or an address, can mean; nobody when it can mean two."""
    wanted = name.casefold().strip()
    if not wanted:
        return None
    exact = [each for each in readers if wanted in (each.name.casefold(), each.email.casefold())]
    first = [each for each in readers if each.name.casefold().split()[:1] == [wanted]]
    written = [each for each in readers if each.email and f"<{each.email.casefold()}>" in wanted]
    for meant in (exact, written, first):
        if len(meant) == 1:
            return meant[0]
    return None
