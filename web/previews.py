"""What a choice would bring, before it is saved: items as the source counts them, passages and minutes."""

import msgspec

from domain.errors import Forbidden, Invalid, NotFound, Unavailable
from domain.integrations import Integration
from domain.people import Viewer
from domain.scope import Scope, settings_of
from domain.surveys import Pace, Survey, Work, n_in_scope, survey, work
from domain.vault import Tools
from web.doors import Doors
from web.filters import plural
from web.progress import time_range_in_words

UNTOLD = "{title} tells no count before it is read."
NOTHING_HERE = "Nothing of it is here yet: its first sync shows the count, the rate and the time left as it reads."
AMONG_WHAT_IS_HERE = "Counted among what has been read so far."


class Preview(msgspec.Struct, frozen=True):
    """How much a choice is, in numbers and in words."""

    found: Survey
    n_items: int
    n_left_out: int
    work_words: str
    remark: str = ""
    """What people must know of the count: where it was made, or why there is none."""

    @property
    def is_known(self) -> bool:
        """Whether there is a count at all."""
        return self.found.is_of_source or bool(self.found.counted)

    @property
    def verb(self) -> str:
        """What would happen to the items."""
        return "would be read" if self.found.is_of_source else "of what is here would stay"


async def preview(viewer: Viewer, doors: Doors, tools: Tools, integration: Integration, scope: Scope) -> Preview:
    """Return what an integration with these settings would bring within a scope.

    It is counted at the source where that needs no reading, else among what is here. No transaction is open while a
    source is asked.
    """
    async with doors.open_vault(viewer) as vault:
        held, pace = await vault.surveys.held(integration.id), await vault.surveys.pace(integration.kind)
    kind = tools.kinds.described(integration.kind)
    if not kind.is_countable:
        return among_what_is_here(_chosen_of(held, integration), scope, pace, UNTOLD.format(title=kind.title))
    try:
        settings = {**integration.settings, **settings_of(Scope())}
        whole = msgspec.structs.replace(integration, settings=settings, cursor="")
        found = await survey(tools.connect(whole, viewer, doors.open_vault), scope)
    except (Invalid, Unavailable, Forbidden, NotFound) as error:  # what is here can be chosen from all the same
        return among_what_is_here(held, scope, pace, error.message)
    except msgspec.MsgspecError:
        return among_what_is_here(held, scope, pace, f"{kind.title} gave an answer that we do not understand.")
    return counted(found, scope, pace)


def counted(found: Survey, scope: Scope, pace: Pace) -> Preview:
    """Return the preview of what was counted at the source."""
    n_all = sum(each.n_items for each in found.counted)
    n_items = n_all if found.is_total else n_in_scope(found.counted, scope)
    remark = "That is how far it was counted in a few seconds; there is more." if found.is_cut else ""
    return Preview(found, n_items, n_all - n_items, work_in_words(work(n_items, pace), pace), remark)


def among_what_is_here(held: Survey, scope: Scope, pace: Pace, why: str) -> Preview:
    """Return the preview of a source that cannot be counted, with the reason."""
    n_items, n_all = n_in_scope(held.counted, scope), sum(each.n_items for each in held.counted)
    remark = f"{why} {AMONG_WHAT_IS_HERE if held.counted else NOTHING_HERE}"
    return Preview(held, n_items, n_all - n_items, work_in_words(work(n_items, pace), pace), remark)


def _chosen_of(held: Survey, integration: Integration) -> Survey:
    """Return what is held of the chosen parts, for sources whose ids begin with the part a thing lies in."""
    parts = tuple(integration.settings.get("chosen", "").split())
    if not parts:
        return held
    kept = tuple(each for each in held.counted if each.folder.partition("/")[0] in parts)
    return msgspec.structs.replace(held, counted=kept)


def work_in_words(estimate: Work, pace: Pace) -> str:
    """Return the work as a person plans with it."""
    if estimate.n_chunks is None or estimate.least_minutes is None or estimate.most_minutes is None:
        return "How long that takes is known after the first sync of this server."
    took = time_range_in_words(estimate.least_minutes * 60, estimate.most_minutes * 60)
    whose = "the past syncs here" if pace.is_of_tenant else "other syncs of this server"
    return f"About {plural(estimate.n_chunks, 'passage')}, {took} if all of it is new, at the pace of {whose}."
