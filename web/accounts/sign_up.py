"""Signing up: a new vault, and its first admin."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import SkipValidation

from domain import accounts
from domain.errors import Invalid
from domain.lobby import Lobby
from domain.vault import Tools
from web.forms import Form
from web.limits import limit_sign_ups
from web.rendering import page, see_other
from web.sessions import open_session
from web.visits import visit_of


@get("/sign-up", include_in_schema=False, sync_to_thread=False)
def new(request: Request[Any, Any, Any]) -> Response[str]:
    """Show the form; those who are signed in already go home."""
    return see_other("/") if visit_of(request).viewer else page("sign_up/new.html")


@post("/sign-up", include_in_schema=False, guards=[limit_sign_ups])
async def create(
    request: Request[Any, Any, Any], lobby: SkipValidation[Lobby], tools: Tools, form: Form
) -> Response[str]:
    """Make the vault and its admin, and sign them in."""
    try:
        entry = await accounts.sign_up(
            lobby,
            tools.passwords,
            company=form.value("company"),
            name=form.value("name"),
            email=form.value("email"),
            password=form.secret("password"),
        )
    except Invalid as error:
        return page("sign_up/new.html", status=422, form=form.refused(error))
    response = see_other("/", f"Welcome. {form.value('company')} has its vault.")
    response.set_cookie(await open_session(lobby, request, entry.tenant_id, entry.user_id))
    return response


routes = [new, create]
