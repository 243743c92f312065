"""What Gmail's history says of mails: which came, went, or changed a label that decides whether they are read."""

from collections.abc import Iterable, Sequence

import msgspec

HIDDEN = frozenset({"SPAM", "TRASH", "DRAFT", "CHAT"})
"""Labels of mails that are never read."""


class Message(msgspec.Struct, frozen=True, rename="camel"):
    """A mail as history names it."""

    id: str
    thread_id: str = ""


class Change(msgspec.Struct, frozen=True, rename="camel"):
    """Something that happened to one mail."""

    message: Message
    label_ids: tuple[str, ...] = ()


class HistoryRecord(msgspec.Struct, frozen=True, rename="camel"):
    """What happened at one moment."""

    id: str
    messages_added: tuple[Change, ...] = ()
    messages_deleted: tuple[Change, ...] = ()
    labels_added: tuple[Change, ...] = ()
    labels_removed: tuple[Change, ...] = ()


class History(msgspec.Struct, frozen=True, rename="camel"):
    """A page of history."""

    history: tuple[HistoryRecord, ...] = ()
    history_id: str = ""
    next_page_token: str = ""


class Touched(msgspec.Struct, frozen=True):
    """A mail that has to be looked at, or is known to be gone."""

    external_id: str
    is_gone: bool
    is_relabelled: bool
    """Whether one that is held already has to be judged again."""


def labels_that_matter(chosen: Sequence[str]) -> frozenset[str]:
    """Return the labels whose coming or going decides whether a mail is read."""
    return HIDDEN.union(chosen)


def touched_by(history: History, matter: frozenset[str]) -> list[Touched]:
    """Return each mail once, as it stands at the end of a page of history, in the order of its last change."""
    found: dict[str, Touched] = {}
    for record in history.history:
        labelled = (*record.labels_added, *record.labels_removed)
        judged = [each for each in labelled if not matter.isdisjoint(each.label_ids)]
        touched = [
            *_touched(record.messages_added, is_gone=False, is_relabelled=False),
            *_touched(judged, is_gone=False, is_relabelled=True),
            *_touched(record.messages_deleted, is_gone=True, is_relabelled=False),
        ]
        for each in touched:
            before = found.pop(each.external_id, None)
            is_relabelled = each.is_relabelled or (before is not None and before.is_relabelled)
            found[each.external_id] = msgspec.structs.replace(each, is_relabelled=is_relabelled)
    return list(found.values())


def _touched(changes: Iterable[Change], is_gone: bool, is_relabelled: bool) -> list[Touched]:
    return [Touched(f"{each.message.thread_id}/{each.message.id}", is_gone, is_relabelled) for each in changes]
