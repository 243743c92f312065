"""What the address of the gaps page asks for: a state, a kind, a person, an order, a page; and where its links lead."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from domain.found_gaps import GapFilter, GapSort, GapState
from domain.gap_kinds import GapKind
from domain.gap_ranking import Lesson
from web.forms import Form
from web.narrowing import one_line, path_with

PATH = "/gaps"
TABS = ((GapState.OPEN, "Open"), (GapState.ANSWERED, "Answered"), (GapState.DISMISSED, "Dismissed"))
SORTS = {
    GapSort.PRIORITY: "Most important first",
    GapSort.NEWEST: "Newest first",
    GapSort.OLDEST: "Oldest first",
    GapSort.KIND: "By kind",
    GapSort.DOCUMENT: "By document",
    GapSort.PERSON: "By person asked",
}
RETURN_FIELD = "list"
"""Where a form says from which list it was sent, so that its sender comes back to it."""


class GapQuery(msgspec.Struct, frozen=True):
    """The gaps page's address, read."""

    state: GapState
    kind: GapKind | None
    person: str
    sort: GapSort
    key: str

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the tab leaves gaps out."""
        return self.kind is not None or self.person != ""

    @property
    def path(self) -> str:
        """The address itself, as short as it goes."""
        return self.path_to()

    @property
    def tabs(self) -> list[tuple[str, str, bool]]:
        """The states as tabs, which keep what else the address asks for."""
        usual = self.sort is usual_sort(self.state)
        return [
            (name, self.path_to(show=each.value, sort="" if usual else self.sort.value, after=""), each is self.state)
            for each, name in TABS
        ]

    def path_to(self, **changes: str) -> str:
        """Return the address with some fields changed; a change of what is listed begins at its first page."""
        held = {
            "show": self.state.value,
            "kind": self.kind.value if self.kind else "",
            "person": self.person,
            "sort": self.sort.value,
            "after": "" if changes else self.key,
        }
        wanted = {**held, **changes}
        if wanted["sort"] == usual_sort(GapState(wanted["show"])):
            wanted["sort"] = ""
        return path_with(PATH, {**wanted, "show": "" if wanted["show"] == GapState.OPEN else wanted["show"]})

    def narrowed(self, lessons: Sequence[Lesson]) -> GapFilter:
        """Return the filter, by what people made of each kind."""
        return GapFilter(state=self.state, kind=self.kind, person=self.person, lessons=tuple(lessons))


def read_query(parameters: Mapping[str, Any]) -> GapQuery:
    """Return what an address asks for; what cannot be understood in it does not narrow."""
    entered = {name: str(parameters.get(name, "")) for name in ("show", "kind", "person", "sort", "after")}
    state = GapState(entered["show"]) if entered["show"] in frozenset(GapState) else GapState.OPEN
    return GapQuery(
        state=state,
        kind=GapKind(entered["kind"]) if entered["kind"] in frozenset(GapKind) else None,
        person=one_line(entered["person"]),
        sort=GapSort(entered["sort"]) if entered["sort"] in frozenset(GapSort) else usual_sort(state),
        key=entered["after"].replace("\0", ""),
    )


def usual_sort(state: GapState) -> GapSort:
    """Return how a tab is ordered unless asked otherwise: what is open by its weight, what is closed by its day."""
    return GapSort.PRIORITY if state is GapState.OPEN else GapSort.NEWEST


def path_back(form: Form, otherwise: str = PATH) -> str:
    """Return the list that a form was sent from; only ever an address of the gaps page."""
    sent_from = form.value(RETURN_FIELD)
    return read_query(dict(parse_qsl(sent_from.partition("?")[2]))).path if sent_from else otherwise
