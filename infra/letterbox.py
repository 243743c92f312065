"""Takes in the mails that people forward, over SMTP or LMTP, and asks for a sync of each.

It stands behind the operator's mail server, or alone where no encryption is needed on the way. A mail that may not come
in is refused while its sender still listens, so nothing is lost in silence and no answer goes to a forged address.
"""

import asyncio
import logging
import signal
from typing import Any

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import NotFound
from domain.people import system_viewer
from domain.received import FORWARDING, MAX_MAIL_BYTES, MailAddresses, may_send
from domain.syncs import Trigger
from domain.vault import OpenVault
from infra.mail_senders import headers_of, is_authentic, sender_of

UNKNOWN = "550 5.1.1 Nobody takes mail at this address. Compare it with the one on the integration's page."
ONE_ONLY = "452 4.5.3 One recipient at a time"
NOT_ALLOWED = (
    "550 5.7.1 This vault takes no mail from you. Send from an address that you proved there, or ask an admin to allow "
    "your domain."
)
NOT_AUTHENTIC = "550 5.7.26 The sender of this mail could not be proved (SPF, DKIM)."
LATER = "451 4.3.0 The vault cannot take this mail just now"


class Letterbox:
    """What aiosmtpd asks at each step of a mail's coming."""

    def __init__(self, open_vault: OpenVault, addresses: MailAddresses, trusted_server: str = "") -> None:
        self._open_vault = open_vault
        self._addresses = addresses
        self._trusted_server = trusted_server

    async def handle_RCPT(  # noqa: N802 (the library's name)
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
        address: str,
        options: list[str],  # noqa: ARG002
    ) -> str:
        """Take one address, if it is one of ours."""
        if envelope.rcpt_tos:
            return ONE_ONLY
        if self._addresses.read(address) is None:
            return UNKNOWN
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        """Take a mail, or say why not."""
        content = envelope.content
        place = self._addresses.read(envelope.rcpt_tos[0])
        if place is None or not isinstance(content, bytes):
            return UNKNOWN
        try:
            said = await self._take(*place, content)
        except NotFound:
            said = UNKNOWN
        except (SQLAlchemyError, OSError):
            said = LATER
        structlog.get_logger().info("mail_received", tenant=place[0], integration=place[1], answer=said[:3])
        return said

    async def _take(self, tenant_id: int, integration_id: int, content: bytes) -> str:
        headers = headers_of(content)
        sender = sender_of(headers)
        async with self._open_vault(system_viewer(tenant_id)) as vault:
            integration = await vault.integrations.get(integration_id)
            if integration.kind != FORWARDING:
                return UNKNOWN
            is_members = await vault.received.is_members(sender)
            if not may_send(sender, integration.settings.get("domains", ""), is_members):
                return NOT_ALLOWED
            if self._trusted_server and not is_authentic(headers, sender, self._trusted_server):
                return NOT_AUTHENTIC
            if await vault.received.add(integration_id, sender, content) and not integration.is_paused:
                await vault.syncs.request(integration_id, Trigger.WEBHOOK)
        return "250 2.0.0 The vault has it"


async def listen(letterbox: Letterbox, host: str, port: int, protocol: str) -> asyncio.Server:
    """Return a server that takes mail from now on."""
    kind = LMTP if protocol == "lmtp" else SMTP
    loop = asyncio.get_running_loop()
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # the library notes every line, our secret addresses too

    def answer() -> Any:
        return kind(letterbox, data_size_limit=MAX_MAIL_BYTES, enable_SMTPUTF8=True, ident="KnowledgeVault", loop=loop)

    return await loop.create_server(answer, host, port)


async def take_in(letterbox: Letterbox, host: str, port: int, protocol: str) -> None:
    """Take mail until SIGTERM."""
    server, ended = await listen(letterbox, host, port, protocol), asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, ended.set)
    async with server:
        await ended.wait()
