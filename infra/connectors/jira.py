"""Jira: each issue is a document with its comments, and so is each file attached to one.

What was changed is found by `updated`, counted back in minutes, so that no time zone matters; what was deleted, by a
list of bare ids that is compared with the vault. External ids are Jira's numbers, which stay when an issue moves; a
file's is `ISSUE/attachment/NUMBER`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

import msgspec

from domain.errors import Forbidden, NotFound
from domain.integrations import Connector, Entry, Gone, Integration, Item, Page, Unreadable
from domain.kinds import Kind, Proof
from domain.people import Viewer
from domain.uploads import MAX_FILE_BYTES
from domain.vault import OpenVault
from infra.connectors.atlassian import Atlassian, access_fields, chosen_keys, quoted, readers_within
from infra.connectors.http import MAX_PAGES
from infra.connectors.jira_issues import (
    LISTED,
    READ,
    Attachment,
    Comment,
    Comments,
    Found,
    Issue,
    Me,
    comments_within,
    issue_text,
    moment,
)
from infra.connectors.kinds import Access, ConnectorKind, Reach
from infra.connectors.paging import Paging
from infra.connectors.site import too_large
from infra.connectors.worth import holds_words, readers_field
from infra.parsers.detection import media_type_of

API = "/rest/api/2"
AT_ONCE = "100"
IDS_AT_ONCE = "1000"
OVERLAP = timedelta(minutes=5)
"""Clocks differ, and Jira's index lags."""
ALL = 'created >= "1970-01-02"'
"""The cloud refuses a search without any condition."""
FILE = "/attachment/"


class Mark(msgspec.Struct, frozen=True):
    """Up to when what has been read."""

    since: datetime
    scope: str


class JiraApi(Atlassian):
    """One Jira."""

    def __init__(self, reach: Reach) -> None:
        super().__init__(reach, "Jira")

    async def search(self, jql: str, fields: str, at_once: str) -> AsyncIterator[Found]:
        """Yield what a search finds, page by page. Raises: Unavailable when it goes in a circle; what `ask` raises."""
        path = f"{API}/search/jql" if self.is_cloud else f"{API}/search"
        params, n_met, paging = {"jql": jql, "fields": fields, "maxResults": at_once}, 0, Paging("Jira")
        while True:
            found = await self.ask(path, Found, params)
            yield found
            n_met += len(found.issues)
            following = found.next_page_token or ""
            if not self.is_cloud and found.issues and n_met < (found.total or 0):
                following = str(n_met)
            if not following:
                return
            params["nextPageToken" if self.is_cloud else "startAt"] = paging.turn(following, len(found.issues))


class JiraConnector:
    """Reads what one account of Jira can read."""

    is_snapshot = False

    def __init__(
        self, api: JiraApi, now: datetime, integration: Integration, viewer: Viewer, open_vault: OpenVault
    ) -> None:
        self._api = api
        self._now = now
        self._integration = integration
        self._viewer = viewer
        self._open_vault = open_vault
        self._scope = f"{' '.join(chosen_keys(integration.settings))} {integration.settings.get('readers', '')}"
        self._addresses: dict[str, str] = {}
        """Where attachments are, by external id."""

    async def pages(self, cursor: str) -> AsyncIterator[Page]:
        """Yield what has changed, then what is gone. Raises: Forbidden, Unavailable."""
        mark = msgspec.json.decode(cursor, type=Mark) if cursor else None
        if mark and mark.scope != self._scope:
            mark = None
        within = _within(self._integration.settings)
        changed = f"{within} and {_since(mark.since, self._now)}" if mark else within
        async for found in self._api.search(f"{changed} order by created", LISTED, AT_ONCE):
            entries = [entry for issue in found.issues for entry in self._entries(issue)]
            gone = [each for issue in found.issues for each in await self._files_gone(issue)]
            yield Page((*entries, *gone), cursor, None if mark else found.total)
        there = set[str]()
        async for found in self._api.search(f"{within} order by created", "id", IDS_AT_ONCE):
            there |= {issue.id for issue in found.issues}
        gone = [Gone(each) for each in await self._held("") if each.partition("/")[0] not in there]
        yield Page(tuple(gone), msgspec.json.encode(Mark(self._now, self._scope)).decode())

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these issues once more, with what is attached."""
        for number in sorted({each.partition("/")[0] for each in external_ids}):
            try:
                issue = await self._api.ask(f"{API}/issue/{quote(number)}", Issue, {"fields": LISTED})
            except NotFound:
                yield Page(tuple(Gone(each) for each in {number, *await self._held(f"{number}/")}), "")
                continue
            yield Page((*self._entries(issue), *await self._files_gone(issue)), "")

    async def fetch(self, item: Item) -> bytes:
        """Return an issue with its comments as HTML, or a file's bytes."""
        if FILE in item.external_id:
            return await self._api.file(self._addresses[item.external_id])
        path = f"{API}/issue/{item.external_id}"
        issue = await self._api.ask(path, Issue, {"fields": READ, "expand": "renderedFields"})
        comments = comments_within(issue)
        return issue_text(issue, await self._comments(path) if comments is None else comments)

    async def _comments(self, path: str) -> tuple[Comment, ...]:
        found: list[Comment] = []
        for _ in range(MAX_PAGES):
            params = {"expand": "renderedBody", "startAt": str(len(found)), "maxResults": AT_ONCE}
            page = await self._api.ask(f"{path}/comment", Comments, params)
            found += page.comments
            if not page.comments or len(found) >= page.total:
                break
        return tuple(found)

    async def _files_gone(self, issue: Issue) -> list[Gone]:
        there = {_file_id(issue, each) for each in issue.fields.attachment}
        return [Gone(each) for each in await self._held(f"{issue.id}{FILE}") if each not in there]

    async def _held(self, prefix: str) -> list[str]:
        async with self._open_vault(self._viewer) as vault:
            return list(await vault.documents.listed(self._integration.id, prefix))

    def _entries(self, issue: Issue) -> list[Entry]:
        fields = issue.fields
        whole = Item(
            external_id=issue.id,
            name=f"{issue.key}: {fields.summary}.html",
            revision=fields.updated,
            media_type="text/html",
            url=f"{self._api.url}/browse/{issue.key}",
            author=fields.creator.title if fields.creator else "",
            created_at=moment(fields.created),
            modified_at=moment(fields.updated),
            principals=self._readers(issue),
        )
        return [whole, *(self._file(issue, whole, each) for each in fields.attachment if holds_words(each.filename))]

    def _file(self, issue: Issue, whole: Item, file: Attachment) -> Entry:
        external_id = _file_id(issue, file)
        if file.size is not None and file.size > MAX_FILE_BYTES:
            return Unreadable(external_id, file.filename, too_large(file.size))
        self._addresses[external_id] = file.content
        return msgspec.structs.replace(
            whole,
            external_id=external_id,
            name=file.filename,
            revision=file.id,
            size_bytes=file.size,
            media_type=media_type_of(file.filename) or file.mime_type,
            author=file.author.title if file.author else "",
            created_at=moment(file.created),
            modified_at=moment(file.created),
        )

    def _readers(self, issue: Issue) -> tuple[str, ...]:
        """Who is in a security level only admins of Jira may ask, so such an issue is for the token's account alone."""
        if issue.fields.security is None:
            return readers_within(self._integration, None)
        email = self._integration.settings.get("email", "").lower()
        return readers_within(self._integration, frozenset({email} if email else ()))


def _within(settings: Mapping[str, str]) -> str:
    keys = chosen_keys(settings)
    return f"project in ({quoted(keys)})" if keys else ALL


def _since(since: datetime, now: datetime) -> str:
    minutes = int((now - since + OVERLAP).total_seconds() // 60) + 1
    return f"updated >= -{minutes}m"


def _file_id(issue: Issue, file: Attachment) -> str:
    return f"{issue.id}{FILE}{file.id}"


def _connect(access: Access) -> Connector:
    api, now = JiraApi(access.reach), access.reach.now()
    return JiraConnector(api, now, access.integration, access.viewer, access.open_vault)


async def _check(reach: Reach) -> str:
    api = JiraApi(reach)
    await api.ask(f"{API}/myself", Me)
    async for found in api.search(f"{_within(reach.settings)} order by created", "id", "1"):
        if not found.issues:
            raise Forbidden(
                "Jira lets this account in, but there is no issue for it to read. Check the keys of the projects, and "
                "what the account may see there."
            )
        break
    return f"Jira at {reach.settings['url'].partition('://')[2].partition('/')[0]}"


KIND = ConnectorKind(
    Kind(
        "jira",
        "Jira",
        "note",
        "Reads issues with their comments, and what is attached. Issues with a security level are for the token's "
        "account alone; comments only some may read are left out.",
        (*access_fields("Projects", "https://company.atlassian.net"), readers_field()),
        proof=Proof.SCHEMA,
    ),
    _connect,
    _check,
)
