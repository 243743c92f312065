"""When an integration is read, whether it pauses, and the answer to its guard of deletions."""

from litestar import post
from litestar.params import FromPath

from domain.deletions import GuardState
from domain.errors import Conflict, Invalid
from domain.schedules import RHYTHMS, rhythm
from domain.syncs import Trigger
from domain.vault import Vault
from web.filters import plural
from web.forms import Form
from web.managing import managed
from web.rendering import SeeOther, see_other

WORDS = {
    5: "every 5 minutes",
    15: "every 15 minutes",
    60: "every hour",
    360: "every 6 hours",
    1440: "once a day",
    0: "only when somebody asks",
}
CHOICES = tuple((minutes, WORDS[minutes].capitalize()) for minutes in RHYTHMS)


@post("/integrations/{integration_id:int}/schedule", include_in_schema=False)
async def choose(vault: Vault, form: Form, integration_id: FromPath[int]) -> SeeOther:
    """Choose how often an integration is read. Raises: Invalid, Forbidden."""
    integration, minutes = await managed(vault, integration_id), rhythm(form.value("every"))
    await vault.schedules.set(integration_id, minutes)
    await vault.audit.record("integration.scheduled", f"{integration.name}, {WORDS[minutes]}")
    return see_other(f"/integrations/{integration_id}", f"It is read {WORDS[minutes]} now.")


@post("/integrations/{integration_id:int}/pause", include_in_schema=False)
async def pause(vault: Vault, integration_id: FromPath[int]) -> SeeOther:
    """Pause an integration; a sync under way stops, and what it has stored stays."""
    integration = await managed(vault, integration_id)
    await vault.schedules.pause(integration_id)
    await vault.audit.record("integration.paused", integration.name)
    return see_other(
        f"/integrations/{integration_id}", "Paused. Nothing is read by itself until you resume; what is here stays."
    )


@post("/integrations/{integration_id:int}/resumption", include_in_schema=False)
async def resume(vault: Vault, integration_id: FromPath[int]) -> SeeOther:
    """End a pause, and catch up at once."""
    integration = await managed(vault, integration_id)
    await vault.schedules.resume(integration_id)
    sync = await vault.syncs.request(integration_id, Trigger.PERSON)
    await vault.audit.record("integration.resumed", integration.name)
    return see_other(f"/syncs/{sync.id}", f"“{integration.name}” goes on.")


@post("/integrations/{integration_id:int}/deletions", include_in_schema=False)
async def answer_guard(vault: Vault, form: Form, integration_id: FromPath[int]) -> SeeOther:
    """Answer the guard: the documents go with the sync that begins now, or they are kept. Raises: Conflict, Invalid."""
    integration = await managed(vault, integration_id)
    guard = await vault.deletions.guard(integration_id)
    if guard is None or guard.state is not GuardState.ASKING:
        raise Conflict("This question is settled already. Look at the integration's page for how things stand.")
    match form.value("answer"):
        case "delete":
            await vault.deletions.allow(integration_id, guard.n_deletions)
            sync = await vault.syncs.request(integration_id, Trigger.PERSON)
            await vault.audit.record("deletions.allowed", f"{integration.name}, {guard.n_deletions} documents")
            return see_other(f"/syncs/{sync.id}", "They are deleted at the end of this sync.")
        case "keep":
            n_kept = await vault.deletions.keep(integration_id)
            await vault.audit.record("deletions.refused", f"{integration.name}, {n_kept} documents kept")
            return see_other(
                f"/integrations/{integration_id}",
                f"{plural(n_kept, 'document')} stay, though the source has them no more.",
            )
        case _:
            raise Invalid("Choose whether the documents are deleted or kept.")


routes = [choose, pause, resume, answer_guard]
