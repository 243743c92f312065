"""Consent to read a Notion workspace: a public connection of Notion's, whose consent page asks which pages to share.

Notion departs from the standard three times: client id and secret travel as user and password beside JSON, there is no
PKCE (the state and the secret protect the code), and tokens last until they are revoked unless a refresh token comes
with them, which then is good once.
"""

from collections.abc import Sequence

import msgspec

from domain.credentials import Account, Choice
from domain.errors import Unavailable
from infra.connectors.consent import Consented, Terms
from infra.connectors.oauth import Answer, Dialect
from infra.registrations import Registration

NOTION = "notion"
VERSION = "2025-09-03"


class Person(msgspec.Struct, frozen=True):
    """Who gave consent."""

    id: str


class Owner(msgspec.Struct, frozen=True):
    """Whose a token is."""

    user: Person | None = None


class Holder(msgspec.Struct, frozen=True):
    """What a token reads."""

    workspace_id: str = ""
    bot_id: str = ""
    """One for each person who gives consent in a workspace; it stays when they give it again."""
    workspace_name: str | None = None
    owner: Owner = Owner()


class NotionAnswer(Holder, frozen=True):
    """What Notion's token endpoint says."""

    access_token: str = ""
    refresh_token: str | None = None
    error: str = ""


def read_answer(content: bytes) -> Answer:
    """Return Notion's answer in the form of RFC 6749."""
    said = msgspec.json.decode(content, type=NotionAnswer)
    holder = Holder(said.workspace_id, said.bot_id, said.workspace_name, said.owner)
    return Answer(
        access_token=said.access_token,
        refresh_token=said.refresh_token or "",
        error=said.error,
        holder=msgspec.json.encode(holder).decode() if said.access_token else "",
    )


async def _account(consented: Consented) -> Account:
    """Raises: Unavailable when Notion does not say whose the token is."""
    try:
        holder = msgspec.json.decode(consented.grant.holder, type=Holder)
    except msgspec.DecodeError as error:
        raise Unavailable("Notion did not say which workspace this is. Begin again.") from error
    person = holder.owner.user.id if holder.owner.user else holder.bot_id
    return Account(f"{holder.workspace_id}/{person}", holder.workspace_name or "a workspace")


async def _nothing(consented: Consented) -> Sequence[Choice]:  # noqa: ARG001 (what is read was chosen at Notion)
    return ()


TERMS = Terms(
    name=NOTION,
    title="Notion",
    choice_noun="",
    registration=Registration(
        app=NOTION,
        title="Notion",
        url="https://api.notion.com",
        api_url="{url}",
        authorize_url="{url}/v1/oauth/authorize",
        token_url="{api_url}/v1/oauth/token",  # noqa: S106 (an address)
        revoke_url="{api_url}/v1/oauth/revoke",
    ),
    account=_account,
    choices=_nothing,
    access_page="https://www.notion.so/my-connections (in Notion: Settings, Connections)",
    more={"owner": "user"},
    dialect=Dialect(read_answer, has_pkce=False, in_json=True, headers={"Notion-Version": VERSION}),
    is_personal=False,
    mirrors_access=False,
)
"""Notion, as far as its pages are shared with us."""
