"""The pages about people: accounts, sessions, invitations, members, tokens, and the audit trail."""

from litestar.types import ControllerRouterHandler

from web.accounts import invitations, members, reading, session, settings, sign_up

routes: tuple[ControllerRouterHandler, ...] = (
    *sign_up.routes,
    *session.routes,
    *invitations.routes,
    *members.routes,
    *settings.routes,
    *reading.routes,
)
