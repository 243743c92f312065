"""How files are read: the limits every worker's next job keeps to."""

from litestar import Response, get, post

from domain.errors import Invalid
from domain.parsing import MEGABYTE, ParseSettings, settings_from
from domain.vault import Vault
from web.forms import EMPTY, Form
from web.rendering import page, see_other
from web.sessions import require_admin

SAVED = "Saved. From now on, every sync that begins reads files under these limits."


@get("/settings/reading", include_in_schema=False, guards=[require_admin])
async def show(vault: Vault) -> Response[str]:
    """Show the limits."""
    return reading_page(await vault.parsing.get(), EMPTY, 200)


@post("/settings/reading", include_in_schema=False, guards=[require_admin])
async def change(vault: Vault, form: Form) -> Response[str]:
    """Keep other limits."""
    try:
        settings = settings_from(form.values)
    except Invalid as error:
        return reading_page(await vault.parsing.get(), form.refused(error), 422)
    changed = await vault.parsing.change(settings)
    await vault.audit.record("reading.changed", f"version {changed.version}")
    return see_other("/settings/reading", SAVED)


def reading_page(settings: ParseSettings, form: Form, status: int) -> Response[str]:
    """Return the page, sizes in megabytes."""
    return page(
        "settings/reading.html",
        status=status,
        form=form,
        reading=settings,
        memory_mb=settings.max_memory_bytes // MEGABYTE,
        unpacked_mb=settings.max_unpacked_bytes // MEGABYTE,
    )


routes = [show, change]
