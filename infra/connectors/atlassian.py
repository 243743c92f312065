"""Confluence and Jira as one account sees them, in Atlassian's cloud or on a server of one's own.

In the cloud an API token goes with the e-mail address of its account; on a server (Data Center) a personal access token
goes alone. So whether an address was entered tells the two apart.
"""

import base64
from collections.abc import Mapping
from html import escape
from typing import TypeVar

import httpx
import msgspec

from domain.errors import Invalid
from domain.integrations import Integration
from domain.kinds import FieldType, SourceField
from domain.people import email_principal
from domain.uploads import MAX_FILE_BYTES
from infra.connectors.kinds import Reach
from infra.connectors.site import MayFollow, Site, require_encryption
from infra.connectors.worth import chosen_readers

Shape = TypeVar("Shape")
NOT_ACCEPTED = (
    "Atlassian does not accept this token. In the cloud, enter the e-mail address of its account and an API token from "
    "id.atlassian.com; on a server of your own, a personal access token and no address."
)


class Named(msgspec.Struct, frozen=True, rename="camel"):
    """A person, or a thing that has a name."""

    display_name: str = ""
    name: str = ""
    value: str = ""

    @property
    def title(self) -> str:
        """How people call it."""
        return self.display_name or self.name or self.value


class Atlassian:
    """One site's API."""

    def __init__(self, reach: Reach, title: str) -> None:
        self._reach = reach
        self._title = title
        self._site = Site(reach.way_out.client, title, NOT_ACCEPTED, n_tries=reach.n_tries)
        self._headers: dict[str, str] = {}
        self.is_cloud = bool(reach.settings.get("email"))
        self.url = reach.settings["url"].rstrip("/")

    async def ask(self, path: str, shape: type[Shape], params: Mapping[str, str] | None = None) -> Shape:
        """Return an answer. Raises: Forbidden, NotFound, Invalid, Unavailable."""
        answer = await self._site.ask("GET", f"{self.url}{path}", params=params, headers=await self._opened())
        try:
            return msgspec.json.decode(answer.content, type=shape)
        except msgspec.MsgspecError as error:
            raise Invalid(f"{self._title} gave an answer that we do not understand. Check the address.") from error

    async def file(self, url: str) -> bytes:
        """Return a file; where it is kept elsewhere, our token does not go there. Raises: what `ask` does."""
        home = httpx.URL(self.url)
        where = httpx.URL(url) if "://" in url else httpx.URL(f"{self.url}{url}")
        if (where.scheme, where.host, where.port) != (home.scheme, home.host, home.port):
            raise Invalid(f"{self._title} names another server ({where.host}) for this file, where we do not ask.")
        answer = await self._site.ask(
            "GET", str(where), headers=await self._opened(), max_bytes=MAX_FILE_BYTES, may_follow=_may_follow(home)
        )
        return answer.content

    async def _opened(self) -> dict[str, str]:
        if not self._headers:
            require_encryption(self._reach.way_out.guard, self.url)
            token, email = (await self._reach.secrets())["token"].strip(), self._reach.settings.get("email", "")
            pair = base64.b64encode(f"{email}:{token}".encode()).decode()
            self._headers = {
                "Authorization": f"Basic {pair}" if self.is_cloud else f"Bearer {token}",
                "Accept": "application/json",
            }
        return self._headers


def access_fields(noun: str, example: str) -> tuple[SourceField, ...]:
    """Return the fields that tell where a site is, what opens it, and what of it is read."""
    return (
        SourceField("url", "Address of the site", FieldType.URL, f"For example {example}."),
        SourceField(
            "email",
            "E-mail address",
            FieldType.EMAIL,
            "Of the account the token belongs to. Leave it empty for a server of your own (Data Center).",
            is_required=False,
        ),
        SourceField(
            "token", "Token", FieldType.SECRET, "An API token; on a server of your own, a personal access token."
        ),
        SourceField(
            "keys",
            f"{noun} to read",
            FieldType.AREA,
            "Their keys, one a line; none means all that the account sees. Who may see them there is not mirrored, so "
            "name those that everybody may see whom you choose below.",
            is_required=False,
        ),
    )


def chosen_keys(settings: Mapping[str, str]) -> tuple[str, ...]:
    """Return the keys that were entered, each once."""
    return tuple(dict.fromkeys(settings.get("keys", "").replace(",", " ").split()))


def quoted(words: tuple[str, ...]) -> str:
    """Return words as a list in CQL or JQL."""
    safe = (word.replace("\\", "\\\\").replace('"', '\\"') for word in words)
    return ", ".join(f'"{word}"' for word in safe)


def readers_within(integration: Integration, allowed: frozenset[str] | None) -> tuple[str, ...]:
    """Return who may read something that is open to these addresses alone; None means to all who see the integration.

    What a source restricts never widens who may read: where only the person who connects it may, that stays so.
    """
    chosen = chosen_readers(integration)
    if allowed is None or integration.settings.get("readers") != "everyone":
        return chosen
    return tuple(sorted(email_principal(each) for each in allowed))


def said(title: str, facts: Mapping[str, str], body: str, comments: tuple[tuple[str, str, str], ...]) -> bytes:
    """Return a page: a title, facts, a body in HTML, and comments by author, moment and HTML."""
    stated = "".join(f"<p>{escape(name)}: {escape(value)}</p>" for name, value in facts.items() if value)
    spoken = "".join(f"<h3>{escape(author)}, {escape(at[:10])}</h3><div>{text}</div>" for author, at, text in comments)
    more = f"<h2>Comments</h2>{spoken}" if comments else ""
    head = f'<html><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
    return f"{head}<body><h1>{escape(title)}</h1>{stated}<div>{body}</div>{more}</body></html>".encode()


def _may_follow(home: httpx.URL) -> MayFollow:
    return lambda url: url.scheme == "https" or (url.host, url.port) == (home.host, home.port)
