"""Apps: how this vault is registered at providers, for admins; beside those that the server's settings hold."""

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from domain.credentials import App, Registered
from domain.errors import Invalid, NotFound
from domain.kinds import LOOK
from domain.vault import Tools, Vault
from web.forms import Form
from web.rendering import Page, SeeOther, page, see_other
from web.sessions import require_admin

MAX_CHARACTERS = 500
SECRET = "client_secret"  # noqa: S105 (the name of a field)


class AppView(msgspec.Struct, frozen=True):
    """A provider, and the app with which its consent is asked for."""

    name: str
    title: str
    callbacks: tuple[str, ...]
    """The addresses to enter at the provider."""
    is_set_up: bool
    """Whether the settings of the server hold an app."""
    client_id: str
    """Of the vault's own app, or ""."""

    @property
    def state(self) -> str:
        """How it stands, in words."""
        if self.client_id:
            return "Own app"
        return "The server's app" if self.is_set_up else "Not set up"


@get("/settings/apps", include_in_schema=False, guards=[require_admin])
async def index(vault: Vault, tools: Tools) -> Page:
    """List the providers, and which app each uses."""
    return page("settings/apps.html", apps=await app_views(vault, tools))


@get("/settings/apps/{name:str}/edit", include_in_schema=False, guards=[require_admin])
async def edit(vault: Vault, tools: Tools, name: FromPath[str]) -> Page:
    """Show what is to be entered, and what is to be entered at the provider."""
    app = await app_view(vault, tools, name)
    return page("settings/app.html", app=app, form=Form({"client_id": app.client_id}))


@post("/settings/apps/{name:str}", include_in_schema=False, guards=[require_admin])
async def save(vault: Vault, tools: Tools, form: Form, name: FromPath[str]) -> Response[Any]:
    """Keep an app, its secret sealed; a secret that is left empty stays as it is."""
    app = await app_view(vault, tools, name)
    held = (await vault.apps.all()).get(name)
    client_id, client_secret = form.value("client_id"), form.secret(SECRET).strip()
    entered = App(client_id, client_secret or (held.client_secret if held and held.client_id == client_id else ""))
    try:
        check(entered)
    except Invalid as error:
        return page("settings/app.html", status=422, app=app, form=form.refused(error))
    await vault.apps.save(name, entered)
    await vault.audit.record("app.saved", f"{app.title}, {client_id}")
    return see_other(
        "/settings/apps", f"{app.title} asks for consent as your own app now. Reconnect what was connected."
    )


@post("/settings/apps/{name:str}/removal", include_in_schema=False, guards=[require_admin])
async def remove(vault: Vault, tools: Tools, name: FromPath[str]) -> SeeOther:
    """Forget the vault's own app."""
    app = await app_view(vault, tools, name)
    await vault.apps.remove(name)
    await vault.audit.record("app.removed", app.title)
    return see_other("/settings/apps", f"The app for {app.title} was removed. What it connected has to be reconnected.")


async def app_views(vault: Vault, tools: Tools) -> list[AppView]:
    """Return the providers in the order of the registry."""
    own = await vault.apps.all()
    by_app: dict[str, list[Registered]] = {}
    for each in tools.oauth.registered if tools.oauth else ():
        by_app.setdefault(each.app, []).append(each)
    return [
        AppView(
            name,
            kinds[0].title,
            tuple(each.callback for each in kinds),
            kinds[0].is_set_up,
            own[name].client_id if name in own else "",
        )
        for name, kinds in by_app.items()
    ]


async def app_view(vault: Vault, tools: Tools, name: str) -> AppView:
    """Return one provider. Raises: NotFound."""
    if found := next((each for each in await app_views(vault, tools) if each.name == name), None):
        return found
    raise NotFound("There is no such provider here. Choose one from the list.")


def check(entered: App) -> None:
    """Refuse an app that cannot be one. Raises: Invalid."""
    errors = {}
    for field, value, words in (
        ("client_id", entered.client_id, "Enter the client id, as the provider shows it."),
        (SECRET, entered.client_secret, "Enter the client secret that belongs to this client id."),
    ):
        if not value:
            errors[field] = words
        elif len(value) > MAX_CHARACTERS or not value.isprintable():
            errors[field] = "This cannot be right: copy it again from the provider."
    if errors:
        raise Invalid(LOOK, errors)


routes = [index, edit, save, remove]
