"""Consent to read a mailbox by IMAP, for hosts that take no passwords any more: Google's and Microsoft's (XOAUTH2).

Whose mailbox it is stands in the ID token: Microsoft's token for IMAP opens nothing else, so nobody could be asked.
"""

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import msgspec

from domain.credentials import Account, Choice, Grant
from domain.errors import Unavailable
from domain.oauth import lost_access
from infra.connectors import google_consent as google
from infra.connectors import microsoft_consent as microsoft
from infra.connectors.addresses import AddressGuard
from infra.connectors.consent import Consented, Terms
from infra.connectors.imap_account import Account as MailAccount
from infra.connectors.imap_account import Door
from infra.registrations import Registration

GOOGLE, MICROSOFT = "gmail_imap", "microsoft_imap"
GOOGLE_SCOPE = "https://mail.google.com/"
"""The only one that opens IMAP at Google; it would allow everything, and we only read."""
MICROSOFT_SCOPE = "https://outlook.office.com/IMAP.AccessAsUser.All"
SCHEMES = {"imaps": ("tls", 993), "imap": ("none", 143)}
"""How an address says what protects a connection, and its usual port."""


class Claims(msgspec.Struct, frozen=True):
    """What an ID token says of whoever gave consent."""

    sub: str
    email: str = ""
    email_verified: bool = False
    oid: str = ""
    preferred_username: str = ""


def claims_of(grant: Grant) -> Claims:
    """Return what came with a grant. Raises: Unavailable."""
    try:
        return msgspec.json.decode(grant.holder, type=Claims)
    except msgspec.DecodeError as error:
        raise Unavailable("The provider did not say whose mailbox this is. Begin again.") from error


def door_at(url: str, user: str, token: str, title: str) -> Door:
    """Return where a mailbox is that a token opens: `imaps://imap.gmail.com`."""
    where = urlsplit(url)
    security, port = SCHEMES[where.scheme]
    return Door(where.hostname or "", where.port or port, security, user, token=token, refused=lost_access(title))


def guard_at(url: str) -> AddressGuard:
    """Return a guard that lets connections go to the server that the operator named, and nowhere else inside."""
    return AddressGuard([urlsplit(url).hostname or ""])


async def google_account(consented: Consented) -> Account:
    """See `Terms.account`."""
    who = claims_of(consented.grant)
    return Account(who.sub, who.email, who.email if who.email_verified else "")


async def microsoft_account(consented: Consented) -> Account:
    """See `Terms.account`."""
    who = claims_of(consented.grant)
    person = microsoft.Person(who.oid or who.sub, user_principal_name=who.preferred_username)
    return Account(person.id, who.preferred_username, microsoft.vouched_address(person))


async def _google_folders(consented: Consented) -> Sequence[Choice]:
    return await _folders(consented, claims_of(consented.grant).email, "Gmail")


async def _microsoft_folders(consented: Consented) -> Sequence[Choice]:
    return await _folders(consented, claims_of(consented.grant).preferred_username, "Microsoft 365")


async def _folders(consented: Consented, user: str, title: str) -> Sequence[Choice]:
    url, token = consented.api_url, consented.grant.access_token

    async def door(refused: str) -> Door:  # noqa: ARG001 (there is no other)
        return door_at(url, user, token, title)

    account = MailAccount(guard_at(url), door, n_tries=1)
    try:
        return [Choice(each, "Inbox" if each == "INBOX" else each, is_private=True) for each in await account.folders()]
    finally:
        await account.close()


def _registration(of: Registration, api: str, url: str) -> Registration:
    return msgspec.structs.replace(of, api=api, api_url=url, account_url="", api_schemes=("imaps://", "imap://"))


GOOGLE_TERMS = Terms(
    name=GOOGLE,
    title="Gmail (IMAP)",
    choice_noun="folders",
    registration=_registration(google.google_registration("", ""), GOOGLE, "imaps://imap.gmail.com"),
    account=google_account,
    choices=_google_folders,
    access_page=google.ACCESS_PAGE,
    scopes=(GOOGLE_SCOPE,),
    asked=(*google.IDENTITY, GOOGLE_SCOPE),
    more=google.OFFLINE,
)
MICROSOFT_TERMS = replace(
    microsoft.microsoft_terms(MICROSOFT, "Microsoft 365 (IMAP)", "folders", MICROSOFT_SCOPE, _microsoft_folders),
    registration=_registration(microsoft.microsoft_registration(""), MICROSOFT, "imaps://outlook.office365.com"),
    account=microsoft_account,
    asked=(*microsoft.IDENTITY, "profile", "email", MICROSOFT_SCOPE),
)
