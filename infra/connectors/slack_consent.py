"""Consent to read a Slack workspace (OAuth v2, a user's token), and the channels there are to choose."""

from collections.abc import Sequence

import msgspec

from domain.credentials import Account, Choice, Grant
from domain.errors import Forbidden, Unavailable
from infra.connectors.consent import Consented, Terms
from infra.connectors.oauth import Answer, Dialect, OAuthClient
from infra.connectors.slack_api import conversations, one_user
from infra.registrations import ProviderSettings, Registration

SLACK = "slack"
GROUPS = {False: "Public channels", True: "Private channels"}
SCOPES = (
    "channels:read",
    "channels:history",
    "groups:read",
    "groups:history",
    "users:read",
    "users:read.email",
    "files:read",
)


class AuthedUser(msgspec.Struct, frozen=True):
    """Who gave consent, with the token that reads what they can read."""

    id: str
    access_token: str = ""
    refresh_token: str = ""
    expires_in: float | None = None
    scope: str = ""


class SlackAnswer(msgspec.Struct, frozen=True):
    """What Slack's token endpoint says."""

    ok: bool = False
    error: str = ""
    authed_user: AuthedUser | None = None
    access_token: str = ""
    refresh_token: str = ""
    expires_in: float | None = None


class Team(msgspec.Struct, frozen=True):
    """Whose token it is, and of which workspace."""

    user_id: str
    team_id: str
    team: str = ""


def read_answer(content: bytes) -> Answer:
    """Return Slack's answer in the form of RFC 6749: the user's token, at first inside, renewed ones outside."""
    said = msgspec.json.decode(content, type=SlackAnswer)
    if not said.ok:
        return Answer(error=said.error or "refused")
    user = said.authed_user
    if user and user.access_token:
        return Answer(user.access_token, user.refresh_token, user.expires_in, scope=user.scope)
    if said.access_token.startswith("xoxb"):
        raise Forbidden("Slack gave access to a bot, not to what you can read. Begin again.")
    return Answer(said.access_token, said.refresh_token, said.expires_in)


async def _end(oauth: OAuthClient, settings: ProviderSettings, grant: Grant) -> None:
    """Slack ends the token that asks for it."""
    headers = {"Authorization": f"Bearer {grant.access_token}"}
    answer = await oauth.send("POST", settings.revoke_url, headers=headers)
    if answer.status_code >= 400:
        raise Unavailable("Slack could not end our access just now.")


async def _account(consented: Consented) -> Account:
    team = msgspec.json.decode((await consented.source.post("/auth.test", {})).content, type=Team)
    user = await one_user(consented.source, team.user_id)
    email = user.profile.email if user and user.is_confirmed else ""
    name = f"{team.team or team.team_id}, {user.shown if user else team.user_id}"
    return Account(f"{team.team_id}/{team.user_id}", name, email or "")


async def _channels(consented: Consented) -> Sequence[Choice]:
    found = [each async for page in conversations(consented.source) for each in page]
    return [
        Choice(each.id, f"#{each.name}", each.is_private, each.about, GROUPS[each.is_private], int(each.is_private))
        for each in found
    ]


TERMS = Terms(
    name=SLACK,
    title="Slack",
    choice_noun="channels",
    registration=Registration(
        app=SLACK,
        title="Slack",
        url="https://slack.com",
        api_url="{url}/api",
        authorize_url="{url}/oauth/v2/authorize",
        token_url="{url}/api/oauth.v2.access",  # noqa: S106 (an address)
        revoke_url="{url}/api/auth.revoke",
    ),
    account=_account,
    choices=_channels,
    access_page="https://slack.com/apps/manage",
    scopes=SCOPES,
    more={"user_scope": ",".join(SCOPES)},
    dialect=Dialect(read_answer),
    end=_end,
    is_personal=False,
)
"""Slack, read-only, as the person who consents sees it: public channels, and the private ones they are in.

A user's token instead of a bot's, because a bot sees no channel before somebody invites it there.
"""
