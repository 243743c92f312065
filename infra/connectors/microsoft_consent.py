"""Microsoft's consent, shared by Outlook, OneDrive and SharePoint: one app, and for each its own read-only scope.

Refresh tokens rotate; Microsoft knows no call that ends one grant, so people are told where they end it themselves.
"""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from domain.credentials import Account, Choice, Grant
from domain.errors import Unavailable
from infra.connectors.consent import Consented, Terms
from infra.connectors.oauth import OAuthClient
from infra.registrations import ProviderSettings, Registration

IDENTITY = ("openid", "offline_access")
SELECT_ACCOUNT = {"prompt": "select_account"}
ACCESS_PAGE = "https://myapps.microsoft.com (for a private account: https://account.live.com/consent/Manage)"
GUEST = "#EXT#"
OWN_DOMAINS = frozenset({"outlook.com", "hotmail.com", "live.com", "msn.com"})
"""Where Microsoft itself gives addresses to private people."""
ID_OF_WORK_CHARACTERS = 36
"""Work accounts have a UUID, private ones a shorter number."""


def microsoft_registration(api: str) -> Registration:
    """Return how a part of Microsoft Graph is registered; all share MICROSOFT_CLIENT_ID."""
    return Registration(
        app="microsoft",
        title="Microsoft",
        url="https://login.microsoftonline.com/common",
        api_url="https://graph.microsoft.com",
        authorize_url="{url}/oauth2/v2.0/authorize",
        token_url="{url}/oauth2/v2.0/token",  # noqa: S106 (an address)
        revoke_url="{url}/oauth2/v2.0/logout",
        account_url="{api_url}/v1.0/me",
        api=api,
    )


class Person(msgspec.Struct, frozen=True, rename="camel"):
    """What Graph says of whoever gave consent."""

    id: str
    display_name: str | None = None
    mail: str | None = None
    user_principal_name: str | None = None


async def microsoft_account(consented: Consented) -> Account:
    """See `Terms.account`."""
    person = msgspec.json.decode((await consented.source.get("")).content, type=Person)
    name = person.mail or person.user_principal_name or person.display_name or person.id
    return Account(person.id, name, vouched_address(person))


async def end_by_hand(oauth: OAuthClient, settings: ProviderSettings, grant: Grant) -> None:  # noqa: ARG001 (an End)
    """Raises: Unavailable, always."""
    raise Unavailable("Microsoft lets nobody but you end an access.")


def microsoft_terms(
    name: str, title: str, noun: str, scope: str, choices: Callable[[Consented], Awaitable[Sequence[Choice]]]
) -> Terms:
    """Return the terms of one part of Graph."""
    return Terms(
        name=name,
        title=title,
        choice_noun=noun,
        registration=microsoft_registration(name),
        account=microsoft_account,
        choices=choices,
        access_page=ACCESS_PAGE,
        scopes=(scope,),
        asked=(*IDENTITY, "User.Read", scope),
        more=SELECT_ACCOUNT,
        end=end_by_hand,
    )


def vouched_address(person: Person) -> str:
    """Return the address Microsoft vouches for, or "".

    `mail` is whatever the admin of somebody's tenant enters, so it proves nothing; a principal name can only end in a
    domain that the tenant proved. A private account's name may be an address elsewhere, and then is nobody's proof.
    """
    name = (person.user_principal_name or "").strip()
    if GUEST in name.upper() or "@" not in name:
        return ""
    is_work = len(person.id) == ID_OF_WORK_CHARACTERS
    return name if is_work or name.rpartition("@")[2].lower() in OWN_DOMAINS else ""
