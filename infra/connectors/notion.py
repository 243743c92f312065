"""Notion: each page is a document, rows of databases too, and each table of a database with its columns.

External ids are `page/ID` and `data_source/ID`. What is shared with our integration is listed whole by every sync, a
hundred a request; only what was edited is fetched. Notion's list is known to miss things for a while, so what we hold
and it does not name is asked for by itself before it goes.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from domain.errors import Forbidden, Invalid, NotFound
from domain.integrations import Connector, Entry, Gone, Integration, Item, Page
from domain.kinds import FieldType, Kind, Proof, SourceField
from domain.oauth import lost_access
from domain.people import Viewer
from domain.vault import OpenVault
from infra.connectors.http import Token
from infra.connectors.kinds import Access, ConnectorKind, Reach
from infra.connectors.notion_consent import NOTION, TERMS, VERSION
from infra.connectors.notion_text import Block, data_source_text, page_text, title_of
from infra.connectors.paging import Paging
from infra.connectors.site import Answer, Site, require_encryption
from infra.connectors.worth import chosen_readers, readers_field

API = "https://api.notion.com"
PAGE_SIZE = 100
"""The most Notion gives at once."""
MAX_BLOCKS = 5_000
MAX_DEPTH = 12
JUST_NOW = timedelta(minutes=2)
"""Notion's times are whole minutes: a change may follow another within the same one, and look like it."""
NOT_ACCEPTED = (
    "Notion does not accept this secret. Copy the one of an internal integration from notion.so/my-integrations, and "
    "enter it on the integration's page."
)
OWN_PAGES = frozenset({"child_page", "child_database"})
"""Blocks that are documents of their own."""

Object = Mapping[str, Any]


class NotionApi:
    """Notion, as one integration sees it; `token` gives what opens it, and another where one was refused."""

    def __init__(self, site: Site, url: str, token: Token) -> None:
        self._site = site
        self._url = url.rstrip("/")
        self._token = token
        self._held = ""

    async def ask(
        self, method: str, path: str, params: Mapping[str, str] | None = None, body: Object | None = None
    ) -> dict[str, Any]:
        """Return an answer. Raises: Forbidden, NotFound, Invalid, Unavailable."""
        self._held = self._held or await self._token("")
        try:
            answer = await self._once(method, path, params, body)
        except Forbidden:
            renewed = await self._token(self._held)
            if renewed == self._held:
                raise
            self._held = renewed
            answer = await self._once(method, path, params, body)
        try:
            return msgspec.json.decode(answer.content, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise Invalid("Notion gave an answer that we do not understand.") from error

    async def _once(self, method: str, path: str, params: Mapping[str, str] | None, body: Object | None) -> Answer:
        headers = {"Authorization": f"Bearer {self._held}", "Notion-Version": VERSION}
        headers |= {"Content-Type": "application/json"} if body is not None else {}
        content = msgspec.json.encode(body) if body is not None else None
        return await self._site.ask(method, f"{self._url}/v1/{path}", params=params, headers=headers, content=content)

    async def lists(self, method: str, path: str, asked: Object | None = None) -> AsyncIterator[list[dict[str, Any]]]:
        """Yield the pages of a list. Raises: Unavailable when they go in a circle; what `ask` raises."""
        following, paging = "", Paging("Notion")
        while True:
            wanted: dict[str, Any] = {**(asked or {}), "page_size": PAGE_SIZE}
            wanted |= {"start_cursor": following} if following else {}
            if method == "GET":
                said = await self.ask("GET", path, {name: str(value) for name, value in wanted.items()})
            else:
                said = await self.ask(method, path, body=wanted)
            yield [each for each in said.get("results", []) if isinstance(each, dict)]
            following = str(said.get("next_cursor") or "")
            if not said.get("has_more") or not following:
                return
            paging.turn(following, len(said.get("results", [])))


class NotionConnector:
    """Reads what is shared with one integration of Notion's."""

    is_snapshot = False

    def __init__(
        self, api: NotionApi, now: datetime, integration: Integration, viewer: Viewer, open_vault: OpenVault
    ) -> None:
        self._api = api
        self._now = now
        self._integration = integration
        self._viewer = viewer
        self._open_vault = open_vault
        self._principals = chosen_readers(integration)
        self._people: dict[str, str] | None = None
        self._held: dict[str, Object] = {}
        """What was listed last, by external id: all of it but the bodies of pages."""

    async def pages(self, cursor: str) -> AsyncIterator[Page]:  # noqa: ARG002 - what has changed is seen by the list
        """Yield what is there, newest change first, then what is gone. Raises: Forbidden, Unavailable."""
        people, listed = await self._names(), set[str]()
        newest = {"sort": {"direction": "descending", "timestamp": "last_edited_time"}}
        async for found in self._api.lists("POST", "search", newest):
            self._held = {_external_id(each): each for each in found if _external_id(each) and not _is_gone(each)}
            listed |= self._held.keys()
            yield Page(tuple(self._item(each, people) for each in self._held.values()), cursor="")
        async with self._open_vault(self._viewer) as vault:
            held = await vault.documents.listed(self._integration.id, "")
        async for page in self.again([each for each in held if each not in listed]):
            yield page

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these once more."""
        people = await self._names()
        for external_id in external_ids:
            yield Page((await self._entry(external_id, people),), cursor="")

    async def fetch(self, item: Item) -> bytes:
        """Return a page with its body, or a table with its columns, as Markdown."""
        thing = self._held.get(item.external_id) or await self._api.ask("GET", _path(item.external_id))
        if item.external_id.startswith("data_source/"):
            return data_source_text(thing).encode()
        left = [MAX_BLOCKS]
        blocks = await self._blocks(item.external_id.partition("/")[2], left, 0)
        return page_text(thing, blocks, await self._names()).encode()

    async def _entry(self, external_id: str, people: Mapping[str, str]) -> Entry:
        try:
            thing = await self._api.ask("GET", _path(external_id))
        except NotFound:
            return Gone(external_id)
        if _is_gone(thing):
            return Gone(external_id)
        self._held = {external_id: thing}
        return self._item(thing, people)

    async def _blocks(self, block_id: str, left: list[int], depth: int) -> tuple[Block, ...]:
        found: list[Block] = []
        async for listed in self._api.lists("GET", f"blocks/{block_id}/children"):
            for each in listed:
                left[0] -= 1
                if left[0] < 0:
                    return tuple(found)
                kind = str(each.get("type", ""))
                is_deeper = each.get("has_children") and kind not in OWN_PAGES and depth < MAX_DEPTH
                inner = await self._blocks(str(each["id"]), left, depth + 1) if is_deeper else ()
                says = each.get(kind)
                found.append(Block(kind, says if isinstance(says, dict) else {}, inner))
        return tuple(found)

    async def _names(self) -> dict[str, str]:
        """Names of people, by id; empty where the integration may not see them."""
        if self._people is None:
            people: dict[str, str] = {}
            try:
                async for found in self._api.lists("GET", "users"):
                    people |= {str(each.get("id", "")): str(each.get("name") or "") for each in found}
            except (Invalid, NotFound):
                people = {}
            self._people = people
        return self._people

    def _item(self, thing: Object, people: Mapping[str, str]) -> Item:
        edited_at = _moment(str(thing.get("last_edited_time", "")))
        is_settled = edited_at is not None and self._now - edited_at > JUST_NOW
        editor = thing.get("last_edited_by")
        return Item(
            external_id=_external_id(thing),
            name=f"{title_of(thing) or 'Untitled'}.md",
            revision=str(thing["last_edited_time"]) if is_settled else "",
            media_type="text/markdown",
            url=str(thing.get("url") or ""),
            author=people.get(str(editor.get("id", "")), "") if isinstance(editor, dict) else "",
            created_at=_moment(str(thing.get("created_time", ""))),
            modified_at=edited_at,
            principals=self._principals,
        )


def _external_id(thing: Object) -> str:
    kind = str(thing.get("object", ""))
    return f"{kind}/{thing['id']}" if kind in ("page", "data_source") and thing.get("id") else ""


def _path(external_id: str) -> str:
    kind, _, number = external_id.partition("/")
    return f"data_sources/{number}" if kind == "data_source" else f"pages/{number}"


def _is_gone(thing: Object) -> bool:
    return bool(thing.get("in_trash") or thing.get("archived"))


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


def by_secret(reach: Reach) -> NotionApi:
    """Return the API as it is opened by a secret that was entered."""
    url = reach.settings.get("api_url") or API

    async def token(refused: str) -> str:  # noqa: ARG001 (there is no other)
        require_encryption(reach.way_out.guard, url)
        return (await reach.secrets())["token"].strip()

    return NotionApi(Site(reach.way_out.client, "Notion", NOT_ACCEPTED, n_tries=reach.n_tries), url, token)


def by_consent(access: Access, token: Token) -> NotionApi:
    """Return the API as it is opened by a consent."""
    site = Site(access.reach.client, "Notion", lost_access("Notion"), n_tries=access.reach.n_tries)
    return NotionApi(site, access.api_url, token)


def _connect(access: Access) -> Connector:
    api, now = by_consent(access, access.token) if access.token else by_secret(access.reach), access.reach.now()
    return NotionConnector(api, now, access.integration, access.viewer, access.open_vault)


async def _check(reach: Reach) -> str:
    api = by_secret(reach)
    me = await api.ask("GET", "users/me")
    async for found in api.lists("POST", "search"):
        if not found:
            raise Forbidden(
                "Notion accepts this secret, but nothing is shared with its integration yet. Open a page in Notion, "
                "and add the integration there under Connections."
            )
        break
    owner = me.get("bot")
    workspace = owner.get("workspace_name") if isinstance(owner, dict) else ""
    return str(workspace or me.get("name") or "")


KIND = ConnectorKind(
    Kind(
        NOTION,
        "Notion",
        "documents",
        "Reads the pages and databases that are shared with it at Notion. Files in them are named, not read.",
        (
            SourceField(
                "token", "Secret", FieldType.SECRET, "Of an internal integration, from notion.so/my-integrations."
            ),
            SourceField(
                "api_url", "Address of the API", FieldType.URL, "Leave it empty for notion.com.", is_required=False
            ),
            readers_field(),
        ),
        proof=Proof.SCHEMA,
    ),
    _connect,
    _check,
    TERMS,
)
