"""Consent to read a Slack workspace (OAuth v2, a user's token), and the channels there are to choose."""

from collections.abc import AsyncIterator, Sequence

import httpx
import msgspec

from domain.credentials import Account, Choice, Grant
from domain.errors import Forbidden, Unavailable
from infra.connectors.http import Source, fixed_token
from infra.connectors.oauth import Answer, OAuthClient
from infra.connectors.providers import REDIRECT_PATH
from infra.connectors.slack_api import Conversation, conversations, one_user
from infra.registrations import ProviderSettings, Registration

SLACK = "slack"
REGISTRATION = Registration(
    app=SLACK,
    title="Slack",
    url="https://slack.com",
    api_url="{url}/api",
    authorize_url="{url}/oauth/v2/authorize",
    token_url="{url}/api/oauth.v2.access",  # noqa: S106 (an address)
    revoke_url="{url}/api/auth.revoke",
)
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


class Slack:
    """Slack, read-only, as the person who consents sees it: public channels, and the private ones they are in.

    A user's token instead of a bot's, because a bot sees no channel before somebody invites it there.
    """

    name = SLACK
    title = "Slack"
    kind = SLACK
    choice_noun = "channels"
    is_personal = False
    must_choose = False
    has_public_only = False
    mirrors_access = True
    access_page = "https://slack.com/apps/manage"
    scopes: tuple[str, ...] = SCOPES

    def __init__(self, client: httpx.AsyncClient, settings: ProviderSettings, base_url: str) -> None:
        self._client = client
        self._settings = settings
        self._oauth = OAuthClient(client, self.title, settings, base_url + REDIRECT_PATH.format(provider=self.name))

    def authorize_url(self, state: str, challenge: str, is_private: bool) -> str:  # noqa: ARG002 (Slack has one consent)
        return self._oauth.authorize_url(state, challenge, (), user_scope=",".join(SCOPES))

    async def exchange(self, code: str, verifier: str) -> Grant:
        return await self._oauth.exchange(code, verifier, read_answer)

    async def renew(self, grant: Grant) -> Grant:
        return await self._oauth.renew(grant, read_answer)

    async def revoke(self, grant: Grant) -> None:
        """Slack ends the token that asks for it."""
        headers = {"Authorization": f"Bearer {grant.access_token}"}
        answer = await self._oauth.send("POST", self._settings.revoke_url, headers=headers)
        if answer.status_code >= 400:
            raise Unavailable("Slack could not end our access just now.")

    async def account(self, grant: Grant) -> Account:
        source = self._source(grant)
        team = msgspec.json.decode((await source.post("/auth.test", {})).content, type=Team)
        user = await one_user(source, team.user_id)
        email = user.profile.email if user and user.is_confirmed else ""
        name = f"{team.team or team.team_id}, {user.shown if user else team.user_id}"
        return Account(f"{team.team_id}/{team.user_id}", name, email or "")

    async def choices(self, grant: Grant) -> Sequence[Choice]:
        found = [each async for page in self._channels(grant) for each in page]
        listed = [Choice(each.id, f"#{each.name}", each.is_private, each.about) for each in found]
        return sorted(listed, key=lambda choice: choice.name.lower())

    def _channels(self, grant: Grant) -> AsyncIterator[tuple[Conversation, ...]]:
        return conversations(self._source(grant))

    def _source(self, grant: Grant) -> Source:
        return Source(self._client, self.title, self._settings.api_url, fixed_token(grant))


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
