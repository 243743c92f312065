"""Invitations: a link that lets one person join, made by admins, shown once, good for a week."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath, SkipValidation

from domain import accounts
from domain.errors import Invalid, NotFound
from domain.lobby import Lobby
from domain.people import INVITATION_LIFE, Invitation, Role
from domain.vault import Tools, Vault
from web.accounts.members import invitation_id_of, members_context, members_page
from web.doors import WebSettings
from web.forms import EMPTY, Form
from web.rendering import page, see_other, wants_region
from web.sessions import new_token, open_session, require_admin, token_hash
from web.visits import visit_of


@post("/invitations", include_in_schema=False, guards=[require_admin])
async def create(vault: Vault, tools: Tools, settings: WebSettings, form: Form) -> Response[str]:
    """Make an invitation and show its link, this once."""
    email = form.value("email")
    if wrong := accounts.wrong_email(email):
        return await members_page(vault, tools, status=422, form=form.refused(Invalid(accounts.LOOK_AT_FIELDS, wrong)))
    role = Role.ADMIN if form.value("role") == Role.ADMIN else Role.MEMBER
    token = new_token()
    await vault.members.invite(email, role, token_hash(token), tools.now() + INVITATION_LIFE)
    await vault.audit.record("invitation.made", email)
    link = f"{settings.base_url}/invitations/{token}"
    return await members_page(vault, tools, status=201, form=EMPTY, link=link, invited=email)


@post("/invitations/revocations", include_in_schema=False, guards=[require_admin])
async def revoke(request: Request[Any, Any, Any], vault: Vault, tools: Tools, form: Form) -> Response[str]:
    """Take an invitation back."""
    await vault.members.revoke_invitation(invitation_id_of(form))
    await vault.audit.record("invitation.revoked", form.value("invitation_id"))
    notice = "The invitation was taken back. Its link does not work any more."
    if wants_region(request):
        context = await members_context(vault, tools)
        return page("members/_invitations.html", "members/_invitations.html", notice=notice, **context)
    return see_other("/members", notice)


@get("/invitations/{token:str}", include_in_schema=False)
async def show(token: FromPath[str], lobby: SkipValidation[Lobby], tools: Tools) -> Response[str]:
    """Show who invites, and the way in that fits the reader."""
    invitation = await lobby.invitation(token_hash(token), tools.now())
    if invitation is None:
        return page("invitations/over.html", status=410, message=accounts.INVITATION_OVER)
    return await invitation_page(lobby, token, invitation, EMPTY, 200)


@post("/invitations/{token:str}/acceptance", include_in_schema=False)
async def accept(
    request: Request[Any, Any, Any], token: FromPath[str], lobby: SkipValidation[Lobby], tools: Tools, form: Form
) -> Response[str]:
    """Join, and sign in to the vault joined."""
    viewer, hashed, now = visit_of(request).viewer, token_hash(token), tools.now()
    try:
        if viewer is not None and form.value("as") == "viewer":
            entry = await accounts.join(lobby, hashed, viewer.user_id, now)
        else:
            entry = await accounts.join_with_password(
                lobby, tools.passwords, hashed, now, name=form.value("name"), password=form.secret("password")
            )
    except NotFound as error:
        return page("invitations/over.html", status=410, message=error.message)
    except Invalid as error:
        invitation = await lobby.invitation(hashed, now)
        if invitation is None:
            return page("invitations/over.html", status=410, message=accounts.INVITATION_OVER)
        return await invitation_page(lobby, token, invitation, form.refused(error), 422)
    response = see_other("/", "Welcome. You have joined.")
    response.set_cookie(await open_session(lobby, request, entry.tenant_id, entry.user_id))
    return response


async def invitation_page(lobby: Lobby, token: str, invitation: Invitation, form: Form, status: int) -> Response[str]:
    """Return the page behind the link."""
    has_account = await lobby.user_by_email(invitation.email) is not None
    return page(
        "invitations/show.html", status=status, token=token, invitation=invitation, has_account=has_account, form=form
    )


routes = [create, revoke, show, accept]
