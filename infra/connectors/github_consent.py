"""GitHub's OAuth apps: consent, whose account it is, and which repositories there are to choose."""

from collections.abc import Sequence

import msgspec

from domain.credentials import Account, Choice, Grant
from domain.errors import Unavailable
from domain.integrations import IntegrationKind
from infra.connectors.consent import Consented, Terms
from infra.connectors.oauth import OAuthClient
from infra.registrations import CLIENT_ID, ProviderSettings, Registration

MAX_CHOICES = 2_000


class Person(msgspec.Struct, frozen=True):
    """A user of GitHub."""

    id: int
    login: str


class Listed(msgspec.Struct, frozen=True):
    """A repository in a list."""

    full_name: str
    private: bool
    description: str | None = None


async def _end(oauth: OAuthClient, settings: ProviderSettings, grant: Grant) -> None:
    """GitHub ends a token by a call of its own, with our client id and secret as user and password."""
    answer = await oauth.send(
        "DELETE",
        settings.revoke_url.replace(CLIENT_ID, settings.client_id),
        json={"access_token": grant.access_token},
        auth=(settings.client_id, settings.client_secret),
    )
    if answer.status_code not in (204, 404, 422):
        raise Unavailable("GitHub could not end our access just now.")


async def _account(consented: Consented) -> Account:
    person = msgspec.json.decode((await consented.source.get("/user")).content, type=Person)
    return Account(str(person.id), person.login)


async def _repositories(consented: Consented) -> Sequence[Choice]:
    found: list[Choice] = []
    async for page in consented.source.pages("/user/repos", {"per_page": "100", "sort": "full_name"}):
        listed = msgspec.json.decode(page.content, type=list[Listed])
        found += [
            Choice(
                each.full_name, each.full_name, each.private, each.description or "", each.full_name.partition("/")[0]
            )
            for each in listed
        ]
        if len(found) >= MAX_CHOICES:
            break
    return found


TERMS = Terms(
    name=IntegrationKind.GITHUB,
    title="GitHub",
    choice_noun="repositories",
    registration=Registration(
        app="github",
        title="GitHub",
        url="https://github.com",
        api_url="https://api.github.com",
        authorize_url="{url}/login/oauth/authorize",
        token_url="{url}/login/oauth/access_token",  # noqa: S106 (an address)
        revoke_url="{api_url}/applications/{client_id}/token",
        git_url="{url}",
    ),
    account=_account,
    choices=_repositories,
    access_page="{url}/settings/applications",
    asked=("repo",),
    asked_in_public=(),
    end=_end,
    is_personal=False,
    must_choose=True,
    mirrors_access=False,
)
"""GitHub's OAuth apps. Their only scope for private repositories, `repo`, would also allow writing; we never do."""
