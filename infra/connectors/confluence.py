"""Confluence: each page and blog post is a document with its comments, and so is each file attached to one.

Every sync lists all there is by one search, a hundred a request, with versions and restrictions: a changed restriction
moves no date, so only a list shows it. What is new or edited is fetched; a page is edited when a comment of it is.
External ids are Confluence's own, an attachment's behind its page's and a slash.
"""

import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence

from domain.errors import Forbidden, NotFound
from domain.integrations import Connector, Entry, Integration, Item, Page, Unreadable
from domain.kinds import Kind, Proof
from domain.uploads import MAX_FILE_BYTES
from infra.connectors.atlassian import Atlassian, access_fields, chosen_keys, quoted, readers_within, said
from infra.connectors.batches import batched
from infra.connectors.confluence_content import EXPAND, Content, Found, Restricted
from infra.connectors.kinds import Access, ConnectorKind, Reach
from infra.connectors.paging import Paging
from infra.connectors.site import too_large
from infra.connectors.worth import holds_words, readers_field
from infra.parsers.detection import media_type_of

SEARCH = "/rest/api/content/search"
AT_ONCE = "100"
PAGES = frozenset({"page", "blogpost"})
BODY = "body.export_view,history,version"


class ConfluenceApi(Atlassian):
    """One Confluence; in the cloud it lies under /wiki."""

    def __init__(self, reach: Reach) -> None:
        super().__init__(reach, "Confluence")
        if self.is_cloud and not self.url.endswith("/wiki"):
            self.url += "/wiki"

    async def search(self, cql: str, expand: str) -> AsyncIterator[tuple[Content, ...]]:
        """Yield what a search finds, page by page. Raises: Unavailable when it goes in a circle; what `ask` raises."""
        params: dict[str, str] | None = {"cql": cql, "expand": expand, "limit": AT_ONCE}
        path, paging = SEARCH, Paging("Confluence")
        while path:
            found = await self.ask(path, Found, params)
            yield found.results
            path, params = found.links.next and paging.turn(found.links.next, len(found.results)), None


class ConfluenceConnector:
    """Reads what one account of Confluence can read."""

    is_snapshot = True

    def __init__(self, api: ConfluenceApi, integration: Integration) -> None:
        self._api = api
        self._integration = integration
        self._files: dict[str, str] = {}
        """Where attachments are, by external id."""
        self._commented: set[str] = set()

    async def pages(self, cursor: str) -> AsyncIterator[Page]:  # noqa: ARG002 - a snapshot begins anew each time
        """Yield what is there. Raises: Forbidden, Unavailable."""
        pages: dict[str, Content] = {}
        files: list[Content] = []
        comments: defaultdict[str, list[str]] = defaultdict(list)
        restricted = Restricted(self._api)
        async for found in self._api.search(self._cql(), EXPAND):
            for each in found:
                if each.type in PAGES:
                    pages[each.id] = each
                    await restricted.learn(each)
                elif each.container and each.type == "comment":
                    comments[each.container.id].append(f"{each.id}:{each.version.number}")
                elif each.container and each.type == "attachment":
                    files.append(each)
        self._commented = set(comments)
        readers = {
            number: readers_within(self._integration, await restricted.allowed(page)) for number, page in pages.items()
        }
        wanted = [each for each in files if each.container and each.container.id in pages and holds_words(each.title)]
        total = len(pages) + len(wanted)
        for part in batched(pages.values(), 500):
            yield Page(tuple([self._page(each, comments[each.id], readers[each.id]) for each in part]), "", total)
        for batch in batched(wanted, 500):
            yield Page(tuple([self._file(each, readers) for each in batch]), "", total)

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these once more: a snapshot meets them anyway."""
        for _ in external_ids:
            yield Page((), "")

    async def fetch(self, item: Item) -> bytes:
        """Return a page with its comments as HTML, or a file's bytes."""
        if address := self._files.get(item.external_id):
            return await self._api.file(address)
        found = [each async for part in self._api.search(f"id = {item.external_id}", BODY) for each in part]
        if not found:
            raise NotFound("This page is no longer there, or not ours to see.")
        comments: list[tuple[str, str, str]] = []
        if item.external_id in self._commented:
            async for part in self._api.search(f"type = comment and container = {item.external_id}", BODY):
                comments += [_comment(each) for each in part]
        comments.sort(key=lambda each: each[1])
        return said(found[0].title, {}, found[0].body.export_view.value, tuple(comments))

    def _cql(self) -> str:
        keys = chosen_keys(self._integration.settings)
        within = f" and space in ({quoted(keys)})" if keys else ""
        return f"type in (page, blogpost, comment, attachment){within} order by created"

    def _page(self, page: Content, comments: list[str], readers: tuple[str, ...]) -> Item:
        spoken = hashlib.sha256(" ".join(sorted(comments)).encode()).hexdigest()[:16] if comments else ""
        return Item(
            external_id=page.id,
            name=f"{page.title or 'Untitled'}.html",
            revision=f"{page.version.number} {spoken} {page.title}" if page.version.number else "",
            media_type="text/html",
            url=self._api.url + page.links.webui if page.links.webui else "",
            author=page.version.by.title if page.version.by else "",
            created_at=page.history.created_date,
            modified_at=page.version.when,
            principals=readers,
        )

    def _file(self, file: Content, readers: dict[str, tuple[str, ...]]) -> Entry:
        container = file.container.id if file.container else ""
        external_id, size = f"{container}/{file.id}", file.extensions.file_size
        if size is not None and size > MAX_FILE_BYTES:
            return Unreadable(external_id, file.title, too_large(size))
        self._files[external_id] = file.links.download
        return Item(
            external_id=external_id,
            name=file.title,
            revision=f"{file.version.number} {file.title}" if file.version.number else "",
            size_bytes=size,
            media_type=media_type_of(file.title) or file.extensions.media_type,
            url=self._api.url + file.links.webui if file.links.webui else "",
            author=file.version.by.title if file.version.by else "",
            created_at=file.history.created_date,
            modified_at=file.version.when,
            principals=readers[container],
        )


def _comment(content: Content) -> tuple[str, str, str]:
    by, at = content.history.created_by, content.history.created_date
    return by.title if by else "Somebody", at.isoformat() if at else "", content.body.export_view.value


def _connect(access: Access) -> Connector:
    return ConfluenceConnector(ConfluenceApi(access.reach), access.integration)


async def _check(reach: Reach) -> str:
    api = ConfluenceApi(reach)
    keys = chosen_keys(reach.settings)
    cql = f"type = page and space in ({quoted(keys)})" if keys else "type = page"
    found = await api.ask(SEARCH, Found, {"cql": cql, "limit": "1"})
    if not found.results:
        raise Forbidden(
            "Confluence lets this account in, but there is no page for it to read. Check the keys of the spaces, and "
            "what the account may see there."
        )
    return f"Confluence at {reach.settings['url'].partition('://')[2].partition('/')[0]}"


KIND = ConnectorKind(
    Kind(
        "confluence",
        "Confluence",
        "documents",
        "Reads pages and blog posts with their comments, and what is attached. Restricted pages are for those they are "
        "open to there, where Confluence tells their addresses.",
        (*access_fields("Spaces", "https://company.atlassian.net"), readers_field()),
        proof=Proof.SCHEMA,
    ),
    _connect,
    _check,
)
