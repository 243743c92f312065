"""GitHub: the files of chosen repositories, and each issue and pull request with its comments as one document.

External ids are `owner/name/blob/PATH`, `owner/name/issues/N` and `owner/name/pull/N`. Files are compared by their git
hash, so only changed ones are fetched; what is gone from the tree is found by comparing it with what the vault holds,
which mends itself after anything. Issues and pull requests come by the time of their last change.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from urllib.parse import parse_qs, urlsplit

import msgspec

from domain.errors import Invalid, NotFound
from domain.integrations import Connector, Entry, Gone, Integration, IntegrationKind, Item, Page, Unreadable
from domain.kinds import Kind
from domain.people import EVERYONE, Viewer, user_principal
from domain.vault import OpenVault
from infra.connectors.github_consent import TERMS
from infra.connectors.github_files import BlobEntry, file_entry, read_blob
from infra.connectors.github_talks import Talk, TalkKind, read_talk, since_before, since_text, talk_item
from infra.connectors.http import Source
from infra.connectors.kinds import Access, ConnectorKind

PAGE_SIZE = 100
"""The most GitHub gives at once."""
NO_CHOICE = "No repository is chosen yet. Choose some on the integration's page, then sync again."


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far one repository has been read, and for whom; for other readers it is read again from the start."""

    readers: str = ""
    tree: str = ""
    issues_since: str = ""
    pulls_since: str = ""


class Repository(msgspec.Struct, frozen=True):
    """What GitHub says of a repository."""

    full_name: str
    private: bool
    default_branch: str
    html_url: str


class Tree(msgspec.Struct, frozen=True):
    """A listing of files; `truncated` when there are too many for one answer."""

    sha: str
    tree: tuple[BlobEntry, ...]
    truncated: bool = False


@dataclass(slots=True)
class Reading:
    """Where a run stands: marks by repository, and what it has listed."""

    marks: dict[str, Mark]
    n_listed: int = 0

    def page(self, entries: Sequence[Entry], total: int | None = None) -> Page:
        """Return a page whose cursor is the marks as they are now."""
        self.n_listed += sum(not isinstance(entry, Gone) for entry in entries)
        return Page(tuple(entries), msgspec.json.encode(self.marks).decode(), total)


class GitHubConnector:
    """Reads the chosen repositories of one integration."""

    is_snapshot = False

    def __init__(self, integration: Integration, source: Source, viewer: Viewer, open_vault: OpenVault) -> None:
        self._integration = integration
        self._source = source
        self._viewer = viewer
        self._open_vault = open_vault

    async def pages(self, cursor: str) -> AsyncIterator[Page]:
        """Yield what has changed; repositories that are no longer chosen, or no longer there for us, go.

        Raises: Invalid when nothing is chosen, Forbidden when our access has ended, Unavailable.
        """
        chosen = self._chosen()
        if not chosen:
            raise Invalid(NO_CHOICE)
        await self._source.get("/user")  # an ended access must not look like repositories that are gone
        reading = Reading(msgspec.json.decode(cursor, type=dict[str, Mark]) if cursor else {})
        async for page in self._drop_unchosen(reading, chosen):
            yield page
        for name in chosen:
            try:
                repository = await self._repository(name)
            except NotFound:
                reading.marks.pop(name, None)
                async for page in self._drop(reading, f"{name}/"):
                    yield page
                continue
            except Invalid as error:
                yield reading.page([Unreadable(f"{name}/", name, error.message)])
                continue
            async for page in self._changes(reading, name, repository, is_last=name == chosen[-1]):
                yield page

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these once more, one page for each repository."""
        by_repository: dict[str, list[str]] = {}
        for external_id in external_ids:
            by_repository.setdefault("/".join(external_id.split("/")[:2]), []).append(external_id)
        for name, wanted in by_repository.items():
            try:
                repository = await self._repository(name)
                files = {entry.external_id: entry for entry in await self._files(name, repository)}
                yield Page(tuple([await self._again(name, repository, files, each) for each in wanted]), "")
            except NotFound:
                yield Page(tuple(Gone(each) for each in wanted), "")

    async def fetch(self, item: Item) -> bytes:
        """Return a file's bytes, or an issue with its comments as Markdown."""
        owner, name, kind, rest = item.external_id.split("/", 3)
        if kind == "blob":
            return await read_blob(self._source, f"{owner}/{name}", item.revision)
        return await read_talk(self._source, f"{owner}/{name}", TalkKind(kind), int(rest))

    def _chosen(self) -> list[str]:
        return sorted(set(self._integration.settings.get("chosen", "").split()))

    def _principals(self, is_private: bool) -> tuple[str, ...]:
        """Private repositories are for the person who connected them, unless an admin shares them with everyone."""
        settings = self._integration.settings
        if not is_private or settings.get("is_shared") == "yes":
            return (EVERYONE,)
        connected_by = settings.get("connected_by", "")
        return (user_principal(int(connected_by)),) if connected_by.isdecimal() else ()

    async def _repository(self, name: str) -> Repository:
        return msgspec.json.decode((await self._source.get(f"/repos/{name}")).content, type=Repository)

    async def _drop_unchosen(self, reading: Reading, chosen: Iterable[str]) -> AsyncIterator[Page]:
        kept = set(chosen)
        async with self._open_vault(self._viewer) as vault:
            held = await vault.documents.listed(self._integration.id, "")
        gone = [Gone(each) for each in held if "/".join(each.split("/")[:2]) not in kept]
        reading.marks = {name: mark for name, mark in reading.marks.items() if name in kept}
        if gone:
            yield reading.page(gone)

    async def _drop(self, reading: Reading, prefix: str) -> AsyncIterator[Page]:
        async with self._open_vault(self._viewer) as vault:
            held = await vault.documents.listed(self._integration.id, prefix)
        if held:
            yield reading.page([Gone(each) for each in held])

    async def _changes(self, reading: Reading, name: str, repository: Repository, is_last: bool) -> AsyncIterator[Page]:
        readers = ",".join(self._principals(repository.private))
        mark = reading.marks.get(name, Mark())
        if mark.readers != readers:
            mark = Mark(readers=readers)
        tree_sha, entries = await self._changed_files(name, repository, mark)
        is_first_time = not mark.tree
        total = None
        if is_last and is_first_time:
            n_talks = await self._count(name, "issues") + await self._count(name, "pulls")
            total = reading.n_listed + len(entries) + n_talks
        if tree_sha != mark.tree:
            async for page in self._file_pages(reading, name, entries, total):
                yield page
        mark = msgspec.structs.replace(mark, tree=tree_sha)
        reading.marks[name] = mark
        async for page in self._issue_pages(reading, name, repository, total):
            yield page
        async for page in self._pull_pages(reading, name, repository, total):
            yield page

    async def _changed_files(self, name: str, repository: Repository, mark: Mark) -> tuple[str, list[Entry]]:
        """The hash of the tree, and its files unless it is the one that was read last."""
        try:
            tree = await self._tree(name, repository.default_branch)
        except NotFound:
            return "none", []
        if tree.sha == mark.tree:
            return tree.sha, []
        return tree.sha, await self._entries(name, repository, tree)

    async def _files(self, name: str, repository: Repository) -> list[Entry]:
        with suppress(NotFound):
            return await self._entries(name, repository, await self._tree(name, repository.default_branch))
        return []

    async def _entries(self, name: str, repository: Repository, tree: Tree) -> list[Entry]:
        principals, entries = self._principals(repository.private), []
        async for blob in self._blobs(name, tree):
            url = f"{repository.html_url}/blob/{repository.default_branch}/{blob.path}"
            if entry := file_entry(name, blob, url, principals):
                entries.append(entry)
        return entries

    async def _tree(self, name: str, sha: str, is_recursive: bool = True) -> Tree:
        """Raises: NotFound for a repository without a commit as well, which GitHub calls a conflict (409)."""
        params = {"recursive": "1"} if is_recursive else {}
        try:
            answer = await self._source.get(f"/repos/{name}/git/trees/{sha}", params)
        except Invalid as error:
            if "empty" in error.message.lower():
                raise NotFound("The repository is empty.") from error
            raise
        return msgspec.json.decode(answer.content, type=Tree)

    async def _blobs(self, name: str, tree: Tree, prefix: str = "") -> AsyncIterator[BlobEntry]:
        """Yield all files; a listing that was cut off is walked folder by folder."""
        if tree.truncated:
            tree = await self._tree(name, tree.sha, is_recursive=False)
            for entry in tree.tree:
                if entry.type == "tree":
                    path = f"{prefix}{entry.path}/"
                    async for blob in self._blobs(name, await self._tree(name, entry.sha), path):
                        yield blob
        for entry in tree.tree:
            if entry.type == "blob":
                yield msgspec.structs.replace(entry, path=prefix + entry.path)

    async def _file_pages(
        self, reading: Reading, name: str, entries: Sequence[Entry], total: int | None
    ) -> AsyncIterator[Page]:
        async with self._open_vault(self._viewer) as vault:
            held = await vault.documents.listed(self._integration.id, f"{name}/blob/")
        left, listed = iter(entries), {entry.external_id for entry in entries}
        while batch := list(islice(left, PAGE_SIZE)):
            yield reading.page(batch, total)
        if gone := [Gone(each) for each in held if each not in listed]:
            yield reading.page(gone, total)

    async def _issue_pages(
        self, reading: Reading, name: str, repository: Repository, total: int | None
    ) -> AsyncIterator[Page]:
        """Oldest change first, so that each page's last change is a place to go on from."""
        mark, principals = reading.marks[name], self._principals(repository.private)
        params = {"state": "all", "sort": "updated", "direction": "asc", "per_page": str(PAGE_SIZE)}
        since = {"since": mark.issues_since} if mark.issues_since else {}
        try:
            async for answer in self._source.pages(f"/repos/{name}/issues", {**params, **since}):
                talks = msgspec.json.decode(answer.content, type=list[Talk])
                if talks:
                    last = since_before(talks[-1].updated_at)
                    mark = msgspec.structs.replace(mark, issues_since=max(last, mark.issues_since))
                reading.marks[name] = mark
                issues = [each for each in talks if each.pull_request is None]
                yield reading.page([talk_item(name, TalkKind.ISSUE, each, principals) for each in issues], total)
        except NotFound:
            yield reading.page([])  # a repository may have its issues switched off

    async def _pull_pages(
        self, reading: Reading, name: str, repository: Repository, total: int | None
    ) -> AsyncIterator[Page]:
        """Newest change first, since GitHub takes no `since` here; the mark moves when all are there."""
        mark, principals = reading.marks[name], self._principals(repository.private)
        params = {"state": "all", "sort": "updated", "direction": "desc", "per_page": str(PAGE_SIZE)}
        newest = ""
        with suppress(NotFound):
            async for answer in self._source.pages(f"/repos/{name}/pulls", params):
                talks = msgspec.json.decode(answer.content, type=list[Talk])
                newest = newest or (since_before(talks[0].updated_at) if talks else "")
                changed = [each for each in talks if since_text(each.updated_at) >= mark.pulls_since]
                yield reading.page([talk_item(name, TalkKind.PULL, each, principals) for each in changed], total)
                if len(changed) < len(talks):
                    break
        since = max(newest, mark.pulls_since)
        reading.marks[name] = msgspec.structs.replace(mark, pulls_since=since)
        yield reading.page([], total)

    async def _count(self, name: str, noun: str) -> int:
        """How many there are: with one on a page, the number of the last page."""
        try:
            answer = await self._source.get(f"/repos/{name}/{noun}", {"state": "all", "per_page": "1"})
        except NotFound:
            return 0
        last = answer.links.get("last", {}).get("url", "")
        return _page_number(last) if last else len(answer.json())

    async def _again(self, name: str, repository: Repository, files: Mapping[str, Entry], external_id: str) -> Entry:
        kind, rest = external_id.split("/", 3)[2:] if external_id.count("/") >= 3 else ("", "")
        if kind not in (TalkKind.ISSUE, TalkKind.PULL):
            return files.get(external_id, Gone(external_id))
        noun = "issues" if kind == TalkKind.ISSUE else "pulls"
        try:
            answer = await self._source.get(f"/repos/{name}/{noun}/{rest}")
        except NotFound:
            return Gone(external_id)
        talk = msgspec.json.decode(answer.content, type=Talk)
        return talk_item(name, TalkKind(kind), talk, self._principals(repository.private))


def _page_number(url: str) -> int:
    return int(parse_qs(urlsplit(url).query)["page"][0])


def _connect(access: Access) -> Connector:
    return GitHubConnector(access.integration, access.source(), access.viewer, access.open_vault)


KIND = ConnectorKind(
    Kind(IntegrationKind.GITHUB, "GitHub", "link", "Files, issues and pull requests of the repositories you choose."),
    _connect,
    consent=TERMS,
)
