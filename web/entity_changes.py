"""What people decide about entities: add one, merge two, take a merge back, split a name off."""

from litestar import Response, post
from litestar.params import FromPath

from domain.entities import EntityKind
from domain.errors import Conflict, Invalid, NotFound
from domain.vault import Tools, Vault
from web.entities import entity_page, index_page
from web.forms import Form
from web.narrowing import one_line
from web.numbers import whole_number
from web.rendering import see_other

CHOOSE = "Choose what it is."
WHICH = "Enter a name that exactly one other entity of this kind has, or its number."


@post("/entities", include_in_schema=False)
async def create(vault: Vault, form: Form) -> Response[str]:
    """Make an entity by hand."""
    kind, asked = form.value("kind"), {"kind": "", "text": "", "key": ""}
    try:
        if kind not in set(EntityKind):
            raise Invalid(CHOOSE, {"kind": CHOOSE})
        entity_id = await vault.entities.add(EntityKind(kind), one_line(form.value("name"), 1_000))
    except Invalid as error:
        return await index_page(vault, form.refused(error), asked, status=422)
    await vault.audit.record("entity.made", form.value("name"))
    return see_other(f"/entities/{entity_id}", "Added. It stays, whatever happens to documents.")


@post("/entities/{entity_id:int}/merges", include_in_schema=False)
async def merge(vault: Vault, tools: Tools, form: Form, entity_id: FromPath[int]) -> Response[str]:
    """Merge another entity into this one."""
    entity = await vault.entities.get(entity_id)
    try:
        other_id = await _other(vault, entity_id, entity.kind, one_line(form.value("other")))
        other = await vault.entities.get(other_id)
        reason = one_line(form.value("reason"), 300) or "No reason was given."
        await vault.entities.merge(entity_id, other_id, reason)
    except (Invalid, Conflict, NotFound) as error:
        refused = error if isinstance(error, Invalid) else Invalid(error.message, {"other": error.message})
        return await entity_page(vault, tools, entity_id, form.refused(refused), status=422)
    await vault.audit.record("entity.merged", f"{other.name} into {entity.name}")
    return see_other(f"/entities/{entity_id}", f"“{other.name}” is part of this now. It can be taken back below.")


async def _other(vault: Vault, entity_id: int, kind: EntityKind, entered: str) -> int:
    if (number := whole_number(entered)) is not None:
        return number
    found = await vault.entities.page(kind, entered, "", 20) if entered else None
    exact = [each for each in found.entities if each.id != entity_id] if found else []
    named = [each for each in exact if each.name.casefold() == entered.casefold()] or exact
    if len(named) != 1:
        raise Invalid("It is not clear which entity is meant.", {"other": WHICH})
    return named[0].id


@post("/entities/{entity_id:int}/merges/{merge_id:int}/reversal", include_in_schema=False)
async def undo(vault: Vault, entity_id: FromPath[int], merge_id: FromPath[int]) -> Response[str]:
    """Take a merge back."""
    apart = await vault.entities.undo(entity_id, merge_id)
    entity = await vault.entities.get(entity_id)
    await vault.audit.record("entity.split", entity.name)
    return see_other(f"/entities/{entity_id}", f"Taken back: it stands apart again, as number {apart}.")


@post("/entities/{entity_id:int}/aliases/{alias_id:int}/separation", include_in_schema=False)
async def split(vault: Vault, entity_id: FromPath[int], alias_id: FromPath[int]) -> Response[str]:
    """Give a name an entity of its own."""
    apart = await vault.entities.split(entity_id, alias_id)
    entity = await vault.entities.get(apart)
    await vault.audit.record("entity.split", entity.name)
    return see_other(f"/entities/{apart}", f"“{entity.name}” has a page of its own now, and keeps it.")


routes = [create, merge, undo, split]
