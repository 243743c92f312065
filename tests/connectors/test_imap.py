"""Mailboxes, on Dovecot, a real mail server: after every sync the vault equals the mailbox."""

import asyncio
import logging
import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from imapclient import IMAPClient
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.errors import Invalid, VaultError
from domain.people import Role, Viewer
from domain.scope import Scope
from domain.surveys import TellsTotals
from domain.syncs import SyncState
from domain.vault import Tools
from infra.connectors.imap_account import spans
from infra.connectors.imap_mail import mail_entries
from infra.store import Stores
from tests import factories
from tests.connectors.entered import AMOUNTS, Entered, check_mirror, entered
from tests.peers.dovecot import PASSWORD, MailServer, mail, running_dovecot

EMOJI = "🎉" * 300


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with tempfile.TemporaryDirectory(prefix="mail-") as folder, running_dovecot(Path(folder)) as running:
        yield running


@pytest.fixture(scope="module")
def forgetful_server() -> Iterator[MailServer]:
    """One that keeps no record of what was deleted."""
    with (
        tempfile.TemporaryDirectory(prefix="mail-") as folder,
        running_dovecot(Path(folder), keeps_record=False) as running,
    ):
        yield running


@dataclass
class Mailbox:
    """A mailbox as its owner changes it; a mail that is written anew is another mail."""

    session: IMAPClient
    uids: dict[str, int] = field(default_factory=dict)

    async def write(self, name: str, text: str) -> None:
        if name in self.uids:
            await self.delete(name)
        self.append("INBOX", mail(name, text), name)

    def append(self, folder: str, content: bytes, name: str = "") -> None:
        before = self.session.folder_status(folder, ["UIDNEXT"])[b"UIDNEXT"]
        self.session.append(folder, content)
        self.uids[name] = before

    async def delete(self, name: str) -> None:
        self.session.select_folder("INBOX")
        self.session.delete_messages([self.uids.pop(name)])
        self.session.expunge()


def form(port: int, user: str, **more: str) -> dict[str, str]:
    known = {"host": "127.0.0.1", "port": str(port), "security": "none", "user": user, "password": PASSWORD}
    return known | more


@pytest_asyncio.fixture
async def connected(server: MailServer, stores: Stores, tools: Tools, viewer: Viewer) -> AsyncIterator[Entered]:
    async with entered(stores, tools, viewer, "imap", form(server.port, uuid.uuid4().hex)) as connected:
        with noted(connected):
            yield connected


@pytest.fixture
def own(server: MailServer, connected: Entered) -> Iterator[Mailbox]:
    """The mailbox behind `connected`."""
    with server.open(connected.integration.settings["user"]) as session:
        yield Mailbox(session)


@contextmanager
def noted(connected: Entered) -> Iterator[None]:
    """Note what our side asks the mail server."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage().startswith(">"):
                connected.asked.append(record.getMessage())

    logger, handler = logging.getLogger("imapclient.imaplib"), Handler()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


@AMOUNTS
async def test_the_vault_mirrors_a_mailbox(connected: Entered, own: Mailbox, n_items: int, n_changes: int) -> None:
    await check_mirror(connected, own, allowance=12, n_items=n_items, n_changes=n_changes)


async def test_the_vault_mirrors_a_mailbox_whose_server_forgets_what_was_deleted(
    forgetful_server: MailServer, stores: Stores, tools: Tools, viewer: Viewer
) -> None:
    name = uuid.uuid4().hex
    async with entered(stores, tools, viewer, "imap", form(forgetful_server.port, name)) as connected:
        with forgetful_server.open(name) as session, noted(connected):
            assert not session.has_capability("QRESYNC")
            await check_mirror(connected, Mailbox(session), allowance=12)


async def test_what_is_attached_is_a_document_too_and_goes_with_its_mail(connected: Entered, own: Mailbox) -> None:
    files = {f"{EMOJI}.txt": b"The impeller turns left.", "prices.csv": b"pump,12\nvalve,7\n", "logo.png": b"\x89PNG"}
    own.append("INBOX", mail(f"Offer {EMOJI}", "See what is attached.", files), "offer")
    first = await connected.sync()
    assert first.state is SyncState.SUCCEEDED
    texts = await connected.texts()
    assert any("impeller turns left" in text for text in texts.values())
    assert any("valve" in text for text in texts.values())
    assert len(texts) == 3
    [failure] = await connected.failures()
    assert "not supported" in failure.reason
    await own.delete("offer")
    second = await connected.sync()
    assert second.progress.deleted == 3
    assert await connected.texts() == {}


async def test_folders_are_read_as_chosen_and_leave_the_vault_when_they_are_not(
    connected: Entered, own: Mailbox
) -> None:
    for folder in ("Projects", "Projects/Pump 🎉", "News; 1/2"):
        own.session.create_folder(folder)
        own.append(folder, mail(folder, f"From {folder}."))
    own.append("INBOX", mail("Hello", "From the inbox."))
    own.append("Trash", mail("Old", "From the trash."))
    first = await connected.sync()
    assert (first.progress.total, first.progress.indexed) == (4, 4)
    assert not any("trash" in text for text in (await connected.texts()).values())
    await connected.change(folders="Projects", password="")
    await connected.sync()
    assert sorted((await connected.texts()).values()) == ["From Projects.", "From Projects/Pump 🎉."]
    own.append("Projects", mail("More", "More of it."))
    assert (await connected.sync()).progress.indexed == 1
    assert await counted(connected) == [2, 1]
    assert await counted(connected, Scope(since=date(2026, 9, 8))) == [0, 0]
    own.session.delete_folder("Projects/Pump 🎉")
    await connected.sync()
    assert sorted((await connected.texts()).values()) == ["From Projects.", "More of it."]


async def counted(connected: Entered, scope: Scope = Scope()) -> list[int]:  # noqa: B008 (it never changes)
    """How many mails the server says the folders hold that are read."""
    async with connected.stores.open_vault(connected.viewer) as vault:
        integration = await vault.integrations.get(connected.integration.id)
    connector = connected.tools.connect(integration, connected.viewer, connected.stores.open_vault)
    assert isinstance(connector, TellsTotals)
    return [each async for each in connector.totals(scope)]


async def test_a_sync_of_a_mailbox_that_has_not_changed_asks_one_question_a_folder(
    connected: Entered, own: Mailbox
) -> None:
    for number in range(3):
        own.append("INBOX", mail(f"Mail {number}", f"Text {number}."))
    await connected.sync()
    await connected.sync()
    assert sum("STATUS" in each for each in connected.asked) == 1
    assert not any("FETCH" in each or "SEARCH" in each for each in connected.asked), connected.asked


async def test_a_folder_that_was_numbered_anew_is_listed_anew_and_nothing_is_embedded_again(
    connected: Entered, own: Mailbox
) -> None:
    own.session.create_folder("Plans")
    for number in range(3):
        own.append("Plans", mail(f"Plan {number}", f"We ship plan {number}."))
    await connected.sync()
    before = await connected.texts()
    own.session.rename_folder("Plans", "Old plans")
    own.session.create_folder("Plans")
    own.session.select_folder("Old plans")
    own.session.move([1, 2, 3], "Plans")
    own.session.select_folder("INBOX")
    own.session.delete_folder("Old plans")
    second = await connected.sync()
    after = await connected.texts()
    assert sorted(after.values()) == sorted(before.values())
    assert set(after).isdisjoint(before)
    assert second.progress.n_embedded == 0


async def test_a_mailbox_is_for_its_owner_until_they_say_it_is_shared(
    connected: Entered, own: Mailbox, engine: AsyncEngine
) -> None:
    colleague = await factories.member(engine, connected.viewer.tenant_id, Role.ADMIN)
    own.append("INBOX", mail("Salary", "It rises in May."))
    await connected.sync()
    assert await connected.texts(colleague) == {}
    await connected.change(readers="everyone", password="")
    await connected.sync()
    assert len(await connected.texts(colleague)) == 1
    await connected.change(readers="owner", password="")
    await connected.sync()
    assert await connected.texts(colleague) == {}
    assert len(await connected.texts()) == 1


async def test_a_connection_that_is_cut_again_and_again_ends_in_the_same_state(
    server: MailServer, stores: Stores, tools: Tools, viewer: Viewer
) -> None:
    name = uuid.uuid4().hex
    with server.open(name) as session:
        box = Mailbox(session)
        for number in range(30):
            box.append("INBOX", mail(f"Mail {number}", f"This is saying {number}."))
        async with (
            cutting(server.port, after_bytes=9_000, n_cuts=3) as port,
            entered(stores, tools, viewer, "imap", form(port, name)) as connected,
        ):
            done = await connected.sync()
            texts = await connected.texts()
    assert (done.state, done.progress.failed) == (SyncState.SUCCEEDED, 0)
    assert sorted(texts.values()) == sorted(f"This is saying {number}." for number in range(30))


@asynccontextmanager
async def cutting(port: int, after_bytes: int, n_cuts: int) -> AsyncIterator[int]:
    """A way to a port that breaks its first connections after so many bytes; gives its own port."""
    left, tasks = [n_cuts], set[asyncio.Task[None]]()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None) -> None:
        n_passed = 0
        while part := await reader.read(1024):
            n_passed += len(part)
            if limit is not None and n_passed > limit:
                break
            writer.write(part)
        writer.transport.abort()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        limit = after_bytes if left[0] > 0 else None
        left[0] -= 1
        from_server, to_server = await asyncio.open_connection("127.0.0.1", port)
        for each in (pass_on(reader, to_server, None), pass_on(from_server, writer, limit)):
            tasks.add(asyncio.create_task(each))

    async with await asyncio.start_server(meet, "127.0.0.1", 0) as listening:
        yield int(listening.sockets[0].getsockname()[1])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert left[0] <= 0, "no connection was cut"


async def test_a_mail_of_2_gb_is_refused_before_it_is_fetched() -> None:
    [entry] = mail_entries("INBOX;1/1", {b"RFC822.SIZE": 2 << 30}, ())
    assert "2,048 MB" in getattr(entry, "reason", "")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "wrong"}, "app password"),
        ({"security": "tls"}, "does not speak TLS"),
        ({"host": "169.254.169.254", "security": "tls"}, "private network"),
        ({"host": "10.0.0.1", "security": "none"}, "could be read on its way"),
        ({"host": "no-such-host.invalid", "security": "tls"}, "No server is known"),
        ({"port": "99999"}, "no such port"),
    ],
)
async def test_what_is_wrong_is_said_before_anything_is_kept(
    server: MailServer, stores: Stores, tools: Tools, viewer: Viewer, change: dict[str, str], words: str
) -> None:
    with pytest.raises(VaultError, match=words):
        async with entered(stores, tools, viewer, "imap", form(server.port, "ana") | change):
            pass
    async with stores.open_vault(viewer) as vault:
        assert await vault.integrations.all() == []


async def test_a_certificate_nobody_signed_is_not_trusted(
    server: MailServer, stores: Stores, tools: Tools, viewer: Viewer
) -> None:
    values = form(server.tls_port, "ana", security="tls", host="localhost")
    with pytest.raises(Invalid, match="not to be trusted"):
        async with entered(stores, tools, viewer, "imap", values, allowed="localhost"):
            pass


async def test_a_password_that_was_changed_fails_the_sync_with_the_way_out(connected: Entered, own: Mailbox) -> None:
    own.append("INBOX", mail("Hello", "Still here."))
    await connected.sync()
    async with connected.stores.open_vault(connected.viewer) as vault:
        held = await vault.credentials.secrets(connected.integration.id)
        await vault.credentials.save_secrets(connected.integration.id, type(held)({"password": "changed"}))
    done = await connected.sync()
    assert (done.state, "app password" in done.reason) == (SyncState.FAILED, True)
    assert len(await connected.texts()) == 1


def test_spans_of_deleted_mails_are_read_as_servers_write_them() -> None:
    assert spans([b"(EARLIER) 41,43:116,405", b"7", None]) == [(41, 41), (43, 116), (405, 405), (7, 7)]
    assert spans([b"(EARLIER) 9:3"]) == [(3, 9)]
    assert spans([b"nonsense"]) == []


@pytest.mark.long
@pytest.mark.timeout(5400)
async def test_a_mailbox_of_20_000_mails_is_read_in_bounded_memory(
    server: MailServer, stores: Stores, tools: Tools, viewer: Viewer
) -> None:
    n_mails, process, name = int(os.environ.get("MAILS", "20000")), psutil.Process(), uuid.uuid4().hex
    server.fill(name, n_mails)
    async with entered(stores, tools, viewer, "imap", form(server.port, name)) as connected:
        task = asyncio.ensure_future(connected.sync())
        start = peak = process.memory_info().rss
        while not task.done():
            await asyncio.wait({task}, timeout=0.2)
            peak = max(peak, process.memory_info().rss)
    done, grown = task.result(), (peak - start) / 2**20
    print(f"{n_mails} mails: {start / 2**20:.0f} MB at the start, {grown:.0f} MB more at the peak")
    assert (done.state, done.progress.indexed, done.progress.total) == (SyncState.SUCCEEDED, n_mails, n_mails)
    assert grown < 50, f"grew by {grown:.0f} MB"
