"""Every kind of source with what stands behind it in the tests, opened in one way, so that all keep one contract.

Between us and every peer that speaks HTTP stands mitmproxy, which troubles the connection where a test asks for it.
"""

import tempfile
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from domain.credentials import Grant
from domain.oauth import challenge_of
from domain.people import Viewer
from domain.vault import Tools
from infra.connectors import make_oauth
from infra.connectors.providers import open_client
from infra.secrets import StateSigner
from infra.settings import read_settings
from infra.store import Stores
from tests.connectors import contract, test_imap, test_s3, test_web, test_webdav
from tests.connectors.entered import Peer, Synced, entered
from tests.connectors.peers import (
    DriveFiles,
    Mailbox,
    github_environment,
    google_environment,
    microsoft_environment,
    new_channel,
    new_repository,
    slack_environment,
)
from tests.connectors.vaulted import connected
from tests.infra.test_letterbox import MEMBER, Post, address, letter, post_office
from tests.peers.atlassian import EMAIL, TOKEN, AtlassianServer, Issues, Pages, running_atlassian
from tests.peers.box import running_box
from tests.peers.dovecot import running_dovecot
from tests.peers.emulate import Emulators, consent
from tests.peers.mediawiki import WikiServer, running_mediawiki
from tests.peers.notion import SECRET, running_notion
from tests.peers.onedrive import OneDriveFiles
from tests.peers.outlook import running_outlook
from tests.peers.proxy import faulty
from tests.peers.rclone import running_rclone
from tests.peers.wsgidav import PATH, running_wsgidav

VERIFIER = "v" * 64
ANY_WAY = ("write", "delete", "add")


@dataclass(frozen=True)
class Opened:
    """A source that is connected, and the means to change it and to stand in its way."""

    synced: Synced
    peer: Peer
    allowance: int
    """Requests of a sync that finds nothing changed, at most."""
    proxy: str = ""
    """Where faults are asked for; "" where nothing can stand in between."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """The settings under which another process reaches it too."""
    is_renewed: bool = False
    """Whether a token that is refused is renewed; else a person is asked."""
    has_token: bool = True
    ways: tuple[str, ...] = ANY_WAY


@dataclass
class ByName:
    """A peer of the contract, whose items have ids, as one whose items have names."""

    peer: contract.Peer
    ids: dict[str, str] = field(default_factory=dict)

    async def write(self, name: str, text: str) -> None:
        before = set(self.peer.expected) - {self.ids.get(name, "")}
        if name in self.ids:
            await self.peer.edit(self.ids[name], text)
        else:
            await self.peer.add(text)
        [self.ids[name]] = set(self.peer.expected) - before

    async def delete(self, name: str) -> None:
        await self.peer.delete(self.ids.pop(name))


@dataclass
class Bench:
    """What a source is opened with."""

    request: pytest.FixtureRequest
    stack: AsyncExitStack
    stores: Stores
    tools: Tools
    viewer: Viewer

    @property
    def emulators(self) -> Emulators:
        found: Emulators = self.request.getfixturevalue("emulators")
        return found

    def folder(self, prefix: str) -> Path:
        return Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix=prefix)))

    def faulty(self, url: str, pass_as: str = "", renamed: str = "") -> str:
        return self.stack.enter_context(faulty(url, pass_as, renamed))

    async def api(self, url: str, token: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"}
        return await self.stack.enter_async_context(httpx.AsyncClient(base_url=url, headers=headers, timeout=30))

    async def consented(self, kind: str, environment: Mapping[str, str], person: str) -> Grant:
        """Give consent at an emulator as a person does."""
        async with open_client() as client:
            read = read_settings(environment)
            oauth = make_oauth(client, read.providers, read.base_url, StateSigner("a key"))
            address = oauth.providers[kind].authorize_url("state", challenge_of(VERIFIER), is_private=True)
            [code] = parse_qs(urlsplit(await consent(address, person)).query)["code"]
            return await oauth.providers[kind].exchange(code, VERIFIER)

    async def by_consent(
        self, kind: str, environment: Mapping[str, str], grant: Grant, settings: Mapping[str, str] | None = None
    ) -> Synced:
        return await self.stack.enter_async_context(
            connected(self.stores, self.viewer, self.tools, kind, environment, grant, settings)
        )

    async def by_form(self, kind: str, values: Mapping[str, str]) -> test_imap.Entered:
        return await self.stack.enter_async_context(entered(self.stores, self.tools, self.viewer, kind, values))


async def gmail(bench: Bench) -> Opened:
    url = bench.emulators.google_url
    mailbox, proxy = Mailbox(await bench.api(url, "ya29.tom")), bench.faulty(url)
    await mailbox.empty()
    environment = {**google_environment(bench.emulators), "GMAIL_API_URL": proxy}
    synced = await bench.by_consent("gmail", environment, await bench.consented("gmail", environment, "tom"))
    return Opened(synced, ByName(mailbox), mailbox.constant, proxy, environment, is_renewed=True)


async def drive(bench: Bench) -> Opened:
    url = str(bench.request.getfixturevalue("drive_url"))
    files, proxy = DriveFiles(await bench.api(url, "valid-token")), bench.faulty(url, "valid-token")
    assert (await files.api.post("/debug/clear")).is_success
    environment = google_environment(bench.emulators, proxy)
    synced = await bench.by_consent("drive", environment, await bench.consented("drive", environment, "tom"))
    return Opened(synced, ByName(files), files.constant, proxy, environment, is_renewed=True)


async def outlook(bench: Bench) -> Opened:
    mailbox = bench.stack.enter_context(running_outlook())
    mailbox.url = proxy = bench.faulty(mailbox.url, mailbox.access_token)
    environment = microsoft_environment(bench.emulators, proxy)
    synced = await bench.by_consent("outlook", environment, await bench.consented("outlook", environment, "ana"))
    return Opened(synced, ByName(mailbox), mailbox.constant, proxy, environment, is_renewed=True)


async def onedrive(bench: Bench) -> Opened:
    return await _microsoft_files(bench, "onedrive", {})


async def sharepoint(bench: Bench) -> Opened:
    """A library, for which the drive of the mock stands: the same answers under another address."""
    return await _microsoft_files(bench, "sharepoint", {"chosen": "L1"}, "/drives/L1/ /me/drive/")


async def _microsoft_files(bench: Bench, kind: str, settings: Mapping[str, str], renamed: str = "") -> Opened:
    url = str(bench.request.getfixturevalue("onedrive_url"))
    files, proxy = OneDriveFiles(await bench.api(url, "valid-token")), bench.faulty(url, "valid-token", renamed)
    await files.empty()
    environment = microsoft_environment(bench.emulators, proxy)
    synced = await bench.by_consent(kind, environment, await bench.consented(kind, environment, "ana"), settings)
    return Opened(synced, ByName(files), files.constant, proxy, environment, is_renewed=True)


async def slack(bench: Bench) -> Opened:
    url = bench.emulators.slack_url
    channel, proxy = await new_channel(await bench.api(url, "xoxp-ana")), bench.faulty(url)
    environment = {**slack_environment(bench.emulators), "SLACK_API_URL": f"{proxy}/api"}
    synced = await bench.by_consent("slack", environment, Grant("xoxp-ana"), {"chosen": channel.id})
    return Opened(synced, ByName(channel), channel.constant, proxy, environment)


async def github(bench: Bench) -> Opened:
    url = bench.emulators.github_url
    repository, proxy = await new_repository(await bench.api(url, "gho_ana")), bench.faulty(url)
    environment = {**github_environment(bench.emulators), "GITHUB_API_URL": proxy}
    synced = await bench.by_consent("github", environment, Grant("gho_ana"), {"chosen": repository.name})
    return Opened(synced, ByName(repository), repository.constant, proxy, environment)


async def box(bench: Bench) -> Opened:
    account = bench.stack.enter_context(running_box())
    own = account.url
    account.url = proxy = bench.faulty(own)
    environment = {"BOX_CLIENT_ID": "id", "BOX_CLIENT_SECRET": "secret", "BOX_API_URL": proxy, "BOX_TOKEN_URL": own}
    synced = await bench.by_consent("box", environment, Grant("a0", "r0"))
    return Opened(synced, ByName(account), account.constant, proxy, environment, is_renewed=True)


async def imap(bench: Bench) -> Opened:
    server = bench.stack.enter_context(running_dovecot(bench.folder("mail-")))
    user = uuid.uuid4().hex
    synced = await bench.by_form("imap", test_imap.form(server.port, user))
    bench.stack.enter_context(test_imap.noted(synced))
    return Opened(synced, test_imap.Mailbox(bench.stack.enter_context(server.open(user))), 12)


async def forwarding(bench: Bench) -> Opened:
    """Mails by SMTP; what has come in stays as it is."""
    async with bench.stores.open_vault(bench.viewer) as vault:
        await vault.access.prove(bench.viewer.user_id, MEMBER)
    synced = await bench.by_form("forwarding", {"domains": ""})
    post = await bench.stack.enter_async_context(post_office(bench.stores))
    return Opened(synced, Letters(post, address(synced)), 0, ways=("add",))


@dataclass
class Letters:
    """Mails to an address of the vault's."""

    post: Post
    to: str

    async def write(self, name: str, text: str) -> None:
        assert await self.post.send(letter(text), self.to) == (250, "")

    async def delete(self, name: str) -> None:
        raise AssertionError("a mail that was sent is not called back")


async def folder(bench: Bench) -> Opened:
    root = bench.folder("files-")
    synced = await bench.by_consent("folder", {}, Grant(""), {"path": str(root)})
    return Opened(synced, test_webdav.Folder(root), 0)


async def web(bench: Bench) -> Opened:
    site = test_web.MappedSite(bench.folder("web-"))
    bench.stack.enter_context(contextmanager(test_web.running)(site))
    site.url = proxy = bench.faulty(site.url)
    site.page("index.html", "Everything.")
    return Opened(await bench.by_form("web", {"url": f"{proxy}/"}), site, 3, proxy, has_token=False)


async def webdav(bench: Bench) -> Opened:
    store = bench.stack.enter_context(running_wsgidav(bench.folder("dav-")))
    proxy = bench.faulty(store.url.removesuffix(PATH))
    synced = await bench.by_form("webdav", test_webdav.FORM | {"url": proxy + PATH})
    return Opened(synced, test_webdav.Folder(store.folder), 2, proxy)


async def s3(bench: Bench) -> Opened:
    store = bench.stack.enter_context(running_rclone("s3", bench.folder("s3-")))
    (store.folder / "notes" / "shared").mkdir(parents=True)
    proxy = bench.faulty(store.url)
    synced = await bench.by_form("s3", test_s3.FORM | {"endpoint": proxy, "bucket": "notes"})
    return Opened(synced, test_s3.Bucket(store.folder / "notes"), 2, proxy)


async def mediawiki(bench: Bench) -> Opened:
    url = bench.stack.enter_context(running_mediawiki(bench.folder("wiki-")))
    wiki = WikiServer(url, await bench.stack.enter_async_context(httpx.AsyncClient(timeout=30)))
    await wiki.open()
    proxy = bench.faulty(url)
    synced = await bench.by_form("mediawiki", {"url": f"{proxy}/api.php"})
    return Opened(synced, wiki, 8, proxy, has_token=False)


async def notion(bench: Bench) -> Opened:
    workspace = bench.stack.enter_context(running_notion())
    await workspace.write("Start", "Nothing yet.")
    proxy = bench.faulty(workspace.url)
    return Opened(await bench.by_form("notion", {"token": SECRET, "api_url": proxy}), workspace, 8, proxy)


async def confluence(bench: Bench) -> Opened:
    site = bench.stack.enter_context(running_atlassian())
    return await _atlassian(bench, "confluence", site, Pages(site), 6)


async def jira(bench: Bench) -> Opened:
    site = bench.stack.enter_context(running_atlassian())
    return await _atlassian(bench, "jira", site, Issues(site), 4)


async def _atlassian(bench: Bench, kind: str, site: AtlassianServer, peer: Peer, allowance: int) -> Opened:
    site.url = proxy = bench.faulty(site.url)
    site.max_at_once = 100
    await peer.write("start", "Something to begin with.")
    synced = await bench.by_form(kind, {"url": proxy, "email": EMAIL, "token": TOKEN})
    await peer.delete("start")
    return Opened(synced, peer, allowance, proxy)


SOURCES: dict[str, Callable[[Bench], Awaitable[Opened]]] = {
    each.__name__: each
    for each in (
        gmail,
        drive,
        outlook,
        onedrive,
        sharepoint,
        slack,
        github,
        box,
        imap,
        forwarding,
        folder,
        web,
        webdav,
        s3,
        mediawiki,
        notion,
        confluence,
        jira,
    )
}
"""By the kind of integration."""
