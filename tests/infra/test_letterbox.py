"""Forwarded mail, from a real SMTP client to the running listener, to what a member finds."""

import asyncio
import smtplib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.people import Role, Viewer
from domain.syncs import Trigger
from domain.vault import Tools
from infra.letterbox import Letterbox, listen
from infra.mail_addresses import SignedAddresses
from infra.mail_senders import headers_of, is_authentic, sender_of
from infra.store import Stores
from tests import factories
from tests.connectors.contract import succeeded
from tests.connectors.entered import Entered, entered
from tests.connectors.peers import mail_of

ADDRESSES = SignedAddresses("mail.vault.test", ["a key of the tests alone", "an older key"])
MEMBER = "ana@tidewater.example"


@dataclass
class Post:
    """The way to the listener, as a mail server has it."""

    port: int
    protocol: str = "smtp"

    async def send(self, mail: EmailMessage | bytes, to: str) -> tuple[int, str]:
        """Send a mail; return what the listener says to it in the end."""
        return await asyncio.to_thread(self._send, mail if isinstance(mail, bytes) else mail.as_bytes(), to)

    def _send(self, mail: bytes, to: str) -> tuple[int, str]:
        kind: Callable[..., smtplib.SMTP] = smtplib.LMTP if self.protocol == "lmtp" else smtplib.SMTP
        with kind("127.0.0.1", self.port) as client:
            try:
                client.sendmail("bounces@elsewhere.example", [to], mail)
            except smtplib.SMTPRecipientsRefused as refused:
                code, said = next(iter(refused.recipients.values()))
                return code, said.decode()
            except smtplib.SMTPDataError as refused:
                return refused.smtp_code, bytes(refused.smtp_error).decode()
            return 250, ""


@asynccontextmanager
async def post_office(stores: Stores, protocol: str = "smtp", trusted: str = "") -> AsyncIterator[Post]:
    server = await listen(Letterbox(stores.open_vault, ADDRESSES, trusted), "127.0.0.1", 0, protocol)
    async with server:
        yield Post(server.sockets[0].getsockname()[1], protocol)


@pytest_asyncio.fixture
async def forwarding(stores: Stores, tools: Tools, viewer: Viewer) -> AsyncIterator[Entered]:
    async with stores.open_vault(viewer) as vault:
        await vault.access.prove(viewer.user_id, MEMBER)
    async with entered(stores, tools, viewer, "forwarding", {"domains": "Brightwater.example"}) as forwarding:
        yield forwarding


def letter(text: str, sender: str = f"Ana Ruiz <{MEMBER}>", **headers: str) -> EmailMessage:
    mail = mail_of(text)
    mail.replace_header("From", sender)
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    return mail


def address(forwarding: Entered) -> str:
    return ADDRESSES.address_of(forwarding.viewer.tenant_id, forwarding.integration.id)


@pytest.mark.parametrize("protocol", ["smtp", "lmtp"])
async def test_what_a_member_forwards_is_found_with_what_is_attached_and_once_only(
    forwarding: Entered, stores: Stores, protocol: str
) -> None:
    mail = letter("The offer is attached.")
    mail.add_attachment(b"Two thousand crates.", maintype="text", subtype="plain", filename="offer.txt")
    succeeded(await forwarding.sync())
    async with post_office(stores, protocol) as post:
        assert await post.send(mail, address(forwarding)) == (250, "")
        async with stores.open_vault(forwarding.viewer) as vault:
            newest = (await vault.syncs.page(forwarding.integration.id, None, 5))[0]
        assert newest.trigger is Trigger.WEBHOOK
        assert await post.send(mail, address(forwarding).upper()) == (250, "")
    succeeded(await forwarding.sync())
    texts = await forwarding.texts()
    assert sorted(name.partition("#")[2] for name in texts) == ["", "attachment/1-offer.txt"]
    assert any("Two thousand crates" in text for text in texts.values())
    assert (await forwarding.sync()).progress.indexed == 0


async def test_strangers_are_refused_at_the_door_and_allowed_domains_are_not(
    forwarding: Entered, stores: Stores
) -> None:
    async with post_office(stores) as post:
        stranger = await post.send(letter("Buy now.", "eve@elsewhere.example"), address(forwarding))
        two = await post.send(letter("Both.", f"{MEMBER}, eve@elsewhere.example"), address(forwarding))
        none = await post.send(b"Subject: nobody\r\n\r\nWords.", address(forwarding))
        near = await post.send(letter("Near.", "eve@notbrightwater.example"), address(forwarding))
        allowed = await post.send(letter("The harbour is closed.", "tom@brightwater.example"), address(forwarding))
    assert [code for code, _ in (stranger, two, none, near, allowed)] == [550, 550, 550, 550, 250]
    succeeded(await forwarding.sync())
    assert len(await forwarding.texts()) == 1


async def test_an_address_that_was_guessed_or_is_anothers_takes_nothing(
    forwarding: Entered, stores: Stores, engine: AsyncEngine
) -> None:
    local, _, domain = address(forwarding).partition("@")
    other = await factories.member(engine, role=Role.ADMIN)
    foreign = ADDRESSES.address_of(other.tenant_id, forwarding.integration.id)
    wrong = (
        f"{local[:-1]}{'a' if local[-1] != 'a' else 'b'}@{domain}",
        f"{local}@elsewhere.example",
        f"in-{forwarding.viewer.tenant_id}-{forwarding.integration.id}-@{domain}",
        foreign,
    )
    async with post_office(stores) as post:
        codes = [(await post.send(letter("A guess."), each))[0] for each in wrong]
    assert codes == [550] * len(wrong)
    succeeded(await forwarding.sync())
    assert await forwarding.texts() == {}


async def test_where_a_mail_server_is_trusted_only_senders_it_proved_come_in(
    forwarding: Entered, stores: Stores
) -> None:
    proved = "mx.vault.test; spf=fail smtp.mailfrom=x.example; dkim=pass header.d=tidewater.example"
    async with post_office(stores, trusted="mx.vault.test") as post:
        bare = await post.send(letter("Bare."), address(forwarding))
        forged = await post.send(
            letter("Forged.", Authentication_Results=proved.replace("mx.", "evil.")), address(forwarding)
        )
        good = await post.send(letter("Proved.", Authentication_Results=proved), address(forwarding))
    assert [code for code, _ in (bare, forged, good)] == [550, 550, 250]


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ("mx; dmarc=pass header.from=tidewater.example", True),
        ("mx 1; spf=pass (sender is fine; really) smtp.mailfrom=bounce@tidewater.example", True),
        ("mx; dkim=pass header.d=elsewhere.example", False),
        ("mx; dkim=pass header.d=example", False),
        ("mx; dkim=fail (dkim=pass) header.d=tidewater.example", False),
        ("mx; none", False),
        ("other; dmarc=pass header.from=tidewater.example", False),
        ("mx; dmarc=fail\r\nAuthentication-Results: mx; dmarc=pass header.from=tidewater.example", False),
    ],
)
def test_a_finding_counts_when_the_trusted_server_passed_the_senders_own_domain(findings: str, expected: bool) -> None:
    headers = headers_of(f"Authentication-Results: {findings}\r\nFrom: {MEMBER}\r\n\r\nWords.".encode())
    assert is_authentic(headers, sender_of(headers), "mx") is expected


def test_an_address_of_an_earlier_key_stays_good() -> None:
    earlier = SignedAddresses("mail.vault.test", ["an older key"])
    assert ADDRESSES.read(earlier.address_of(7, 9)) == (7, 9)
    assert SignedAddresses("mail.vault.test", ["another"]).read(earlier.address_of(7, 9)) is None
