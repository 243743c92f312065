"""Google's consent, shared by Gmail and Drive: one app, and for each of them its own scope."""

import msgspec

from domain.credentials import Account
from infra.connectors.consent import Consented
from infra.registrations import Registration

IDENTITY = ("openid", "email")
OFFLINE = {"access_type": "offline", "prompt": "consent"}
"""Refresh tokens are given because access is asked for offline."""
ACCESS_PAGE = "https://myaccount.google.com/permissions"


def google_registration(api: str, api_url: str) -> Registration:
    """Return how one of Google's APIs is registered; all share GOOGLE_CLIENT_ID."""
    return Registration(
        app="google",
        title="Google",
        url="https://accounts.google.com",
        api_url=api_url,
        authorize_url="{url}/o/oauth2/v2/auth",
        token_url="https://oauth2.googleapis.com/token",  # noqa: S106 (an address)
        revoke_url="https://oauth2.googleapis.com/revoke",
        account_url="https://openidconnect.googleapis.com/v1/userinfo",
        api=api,
    )


class Person(msgspec.Struct, frozen=True):
    """What Google says of whoever gave consent; the identity number is `sub`, in older answers `id`."""

    email: str
    sub: str = ""
    id: str = ""
    email_verified: bool = False
    verified_email: bool = False


async def google_account(consented: Consented) -> Account:
    """See `Terms.account`."""
    person = msgspec.json.decode((await consented.source.get("")).content, type=Person)
    is_verified = person.email_verified or person.verified_email
    return Account(person.sub or person.id, person.email, person.email if is_verified else "")
