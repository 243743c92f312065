"""GitHub: the files of chosen repositories, and each issue and pull request with its comments as one document.

External ids are `owner/name/blob/PATH`, `…/wiki/PATH`, `…/issues/N` and `…/pull/N`. Files are compared by their git
hash, so only changed ones are fetched; what is gone from the tree is found by comparing it with what the vault holds,
which mends itself after anything. Issues and pull requests come by the time of their last change.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice

import msgspec

from domain.errors import Invalid, NotFound, VaultError
from domain.integrations import Connector, Entry, Gone, Integration, IntegrationKind, Item, Page, Unreadable
from domain.kinds import Kind
from domain.people import EVERYONE, Viewer, user_principal
from domain.vault import OpenVault
from infra.connectors.github_consent import TERMS
from infra.connectors.github_files import BlobEntry, file_entry, read_blob
from infra.connectors.github_reading import Mark, Reading
from infra.connectors.github_talks import (
    Talk,
    TalkKind,
    count_talks,
    read_talk,
    since_before,
    since_text,
    talk_item,
    talk_numbers,
)
from infra.connectors.github_wiki import Wikis
from infra.connectors.http import Source
from infra.connectors.kinds import Access, ConnectorKind

PAGE_SIZE = 100
"""The most GitHub gives at once."""
NO_CHOICE = "No repository is chosen yet. Choose some on the integration's page, then sync again."


class Repository(msgspec.Struct, frozen=True):
    """What GitHub says of a repository."""

    full_name: str
    private: bool
    default_branch: str
    html_url: str
    has_wiki: bool = False


class Tree(msgspec.Struct, frozen=True):
    """A listing of files; `truncated` when there are too many for one answer."""

    sha: str
    tree: tuple[BlobEntry, ...]
    truncated: bool = False


class GitHubConnector:
    """Reads the chosen repositories of one integration."""

    is_snapshot = False

    def __init__(
        self, integration: Integration, source: Source, wikis: Wikis, viewer: Viewer, open_vault: OpenVault
    ) -> None:
        self._integration = integration
        self._source = source
        self._wikis = wikis
        self._notes: list[str] = []
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
        await self._keep_notes()

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these once more, one page for each repository."""
        by_repository: dict[str, list[str]] = {}
        for external_id in external_ids:
            by_repository.setdefault("/".join(external_id.split("/")[:2]), []).append(external_id)
        for name, wanted in by_repository.items():
            try:
                repository = await self._repository(name)
                files = {entry.external_id: entry for entry in await self._files(name, repository)}
                if any(each.startswith(f"{name}/wiki/") for each in wanted):
                    pages = await self._wikis.entries(name, repository.html_url, self._principals(repository.private))
                    files |= {entry.external_id: entry for entry in pages}
                yield Page(tuple([await self._again(name, repository, files, each) for each in wanted]), "")
            except NotFound:
                yield Page(tuple(Gone(each) for each in wanted), "")

    async def fetch(self, item: Item) -> bytes:
        """Return a file's bytes, or an issue with its comments as Markdown."""
        owner, name, kind, rest = item.external_id.split("/", 3)
        if kind == "wiki":
            return await self._wikis.read(f"{owner}/{name}", item.revision)
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
            mark = reading.marks[name] = Mark(readers=readers)
        async for page in self._wiki_pages(reading, name, repository):
            yield page
        mark = reading.marks.get(name, mark)
        tree_sha, entries = await self._changed_files(name, repository, mark)
        is_first_time = not mark.tree
        total = None
        if is_last and is_first_time:
            n_talks = await count_talks(self._source, name)
            total = None if n_talks is None else reading.n_listed + len(entries) + n_talks
        if tree_sha != mark.tree:
            async for page in self._file_pages(reading, name, entries, total):
                yield page
        mark = msgspec.structs.replace(mark, tree=tree_sha)
        reading.marks[name] = mark
        listed = set[str]()
        for read in (self._issue_pages, self._pull_pages):
            async for page in read(reading, name, repository, total):
                listed |= {entry.external_id for entry in page.entries}
                yield page
        async for page in self._issues_gone(reading, name, listed):
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

    async def _wiki_pages(self, reading: Reading, name: str, repository: Repository) -> AsyncIterator[Page]:
        """A wiki that cannot be reached is noted; the rest is read, and what is held of it stays."""
        mark, prefix = reading.marks.get(name, Mark()), f"{name}/wiki/"
        try:
            head = await self._wikis.head(name) if repository.has_wiki else ""
            if head and head == mark.wiki:
                return
            principals = self._principals(repository.private)
            entries = await self._wikis.entries(name, repository.html_url, principals) if head else ()
        except VaultError as error:
            self._notes.append(f"The wiki of {name} was not read: {error.message} What we hold of it stays.")
            return
        left, listed = iter(entries), {entry.external_id for entry in entries}
        while batch := list(islice(left, PAGE_SIZE)):
            yield reading.page(batch)
        async with self._open_vault(self._viewer) as vault:
            held = await vault.documents.listed(self._integration.id, prefix)
        gone = [Gone(each) for each in held if each not in listed]
        if head or gone:
            reading.marks[name] = msgspec.structs.replace(mark, wiki=head)
            yield reading.page(gone)

    async def _keep_notes(self) -> None:
        """Keep what people should know of this run beside the integration."""
        notes = "\n".join(self._notes)
        async with self._open_vault(self._viewer) as vault:
            settings = (await vault.integrations.get(self._integration.id)).settings
            if settings.get("notes", "") != notes:
                await vault.integrations.configure(self._integration.id, {**settings, "notes": notes})

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

    async def _issues_gone(self, reading: Reading, name: str, listed: Iterable[str]) -> AsyncIterator[Page]:
        """Find what was deleted: GitHub lists no such thing, so all numbers are compared when there are too few."""
        async with self._open_vault(self._viewer) as vault:
            held = [await vault.documents.listed(self._integration.id, f"{name}/{noun}/") for noun in TalkKind]
        known = set(listed).union(*held)
        n_there = await count_talks(self._source, name) if known else None
        if n_there is None or n_there >= len(known):
            return
        there = await talk_numbers(self._source, name)
        issues = sorted(each for each in known if each.startswith(f"{name}/{TalkKind.ISSUE}/"))
        yield reading.page([Gone(each) for each in issues if int(each.rpartition("/")[2]) not in there])

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


def _connect(access: Access) -> Connector:
    if access.token is None:
        raise Invalid("GitHub is not connected by consent. Reconnect it on the integration's page.")
    wikis = Wikis(access.git_url, access.token)
    return GitHubConnector(access.integration, access.source(), wikis, access.viewer, access.open_vault)


KIND = ConnectorKind(
    Kind(
        IntegrationKind.GITHUB,
        "GitHub",
        "link",
        "Files, issues, pull requests and wikis of the repositories you choose.",
        n_readers=4,
    ),
    _connect,
    consent=TERMS,
)
