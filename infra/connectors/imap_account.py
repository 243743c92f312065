"""A mailbox on a mail server: one connection, made again when it breaks, and the few questions the connector asks it.

The library is a blocking one, so every question runs in a thread; they are asked one after the other.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import Any, TypeVar

import msgspec
import stamina
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError
from imapclient.imap4 import IMAP4WithTimeout
from imapclient.tls import IMAP4_TLS

from domain.errors import Forbidden, Invalid, NotFound, Unavailable
from infra.connectors.addresses import AddressGuard

TIMEOUT_S = 60.0
N_TRIES = 5
SECURITIES = (
    ("tls", "TLS from the start (port 993)"),
    ("starttls", "STARTTLS (port 143)"),
    ("none", "None (servers the operator allows)"),
)
NOT_READ = frozenset({b"\\Noselect", b"\\NonExistent", b"\\Trash", b"\\Junk", b"\\Drafts", b"\\All", b"\\Flagged"})
"""Folders that hold no mail, or mail nobody means to keep, or what stands in other folders too (RFC 6154)."""
BUSY = ("[UNAVAILABLE]", "[LIMIT]", "[INUSE]", "[SERVERBUG]")
"""Answers to a login that say nothing about the password (RFC 5530)."""
BROKEN = (OSError, IMAPClientAbortError)
"""What a connection dies of."""

Answer = TypeVar("Answer")
Span = tuple[int, int]


class Door(msgspec.Struct, frozen=True):
    """Where a mailbox is, and what opens it."""

    host: str
    port: int
    security: str
    user: str
    password: str = ""
    token: str = ""
    """An access token, which opens it instead of a password (XOAUTH2)."""
    refused: str = (
        "The mail server does not accept this user name and password. Many providers want an app password, made "
        "in the account's security settings; enter it on the integration's page."
    )
    """What to tell people whom the server does not let in."""

    def __repr__(self) -> str:
        """Keep what opens it out of logs and tracebacks."""
        return f"Door({self.user!r} at {self.host}:{self.port})"


class Folder(msgspec.Struct, frozen=True):
    """How a folder stands: the same three numbers mean the same mails."""

    name: str
    validity: int
    """Another one means that all numbers of mails are new (RFC 3501, section 2.3.1.1)."""
    next_uid: int
    n_mails: int
    mod_sequence: int = 0
    """0 where the server does not count changes."""


class PinnedClient(IMAPClient):  # type: ignore[misc]
    """Connects to an address that was judged; the certificate is checked against the host that was meant."""

    def __init__(self, address: str, door: Door) -> None:
        self._address = address
        super().__init__(door.host, door.port, ssl=door.security == "tls", timeout=TIMEOUT_S)
        self.normalise_times = False  # moments keep their zones

    def _create_IMAP4(self) -> IMAP4WithTimeout:  # noqa: N802 (the library's name)
        plain = IMAP4WithTimeout
        if not self.ssl:
            return plain(self._address, self.port, TIMEOUT_S)
        host = self.host

        class Pinned(IMAP4_TLS):  # type: ignore[misc]
            def _create_socket(self, timeout: float | None = None) -> ssl.SSLSocket:
                bare = plain._create_socket(self, timeout)
                return ssl.create_default_context().wrap_socket(bare, server_hostname=host)

        return Pinned(self._address, self.port, timeout=TIMEOUT_S)


class Account:
    """One mailbox, as its owner reads it; nothing is changed there, not even what has been seen.

    `door` takes a token that was refused ("" when none was), and gives a door with another, or raises Forbidden.
    """

    def __init__(self, guard: AddressGuard, door: Callable[[str], Awaitable[Door]], n_tries: int = N_TRIES) -> None:
        self._guard = guard
        self._door = door
        self._n_tries = n_tries
        self._client: PinnedClient | None = None
        self._selected = ""

    async def folders(self) -> list[str]:
        """Return the names of the folders worth reading, in order."""
        listed = await self._ask(lambda client: client.list_folders())
        return sorted(name for flags, _, name in listed if NOT_READ.isdisjoint(flags) and isinstance(name, str))

    async def stands(self, name: str) -> Folder:
        """Return how a folder stands. Raises: NotFound when it is gone, or not for us."""

        def ask(client: PinnedClient) -> dict[bytes, int]:
            wanted = ["MESSAGES", "UIDNEXT", "UIDVALIDITY"]
            wanted += ["HIGHESTMODSEQ"] if client.has_capability("CONDSTORE") else []
            return client.folder_status(name, wanted)  # type: ignore[no-any-return]

        said = await self._ask(ask)
        sequence = int(said.get(b"HIGHESTMODSEQ", 0))
        return Folder(name, int(said[b"UIDVALIDITY"]), int(said[b"UIDNEXT"]), int(said[b"MESSAGES"]), sequence)

    async def uids_after(self, folder: str, uid: int) -> list[int]:
        """Return the numbers of the mails above one, in order."""
        # "7:*" means at least the last mail, whatever its number (RFC 3501, section 6.4.8)
        found = await self._ask(lambda client: client.search(["UID", f"{uid + 1}:*"]), folder)
        return sorted(each for each in found if each > uid)

    async def n_sent(self, folder: str, since: date | None, until: date | None) -> int:
        """Return how many mails of a folder were sent within these days."""
        criteria: list[str | date] = ["ALL"]
        criteria += ["SENTSINCE", since] if since else []
        criteria += ["SENTBEFORE", until + timedelta(days=1)] if until else []
        return len(await self._ask(lambda client: client.search(criteria), folder))

    async def vanished(self, folder: str, since: int) -> list[Span] | None:
        """Return what was deleted since a count of changes, as spans; None where the server keeps no such record."""

        def ask(client: PinnedClient) -> list[Span] | None:
            if not client.has_capability("QRESYNC"):
                return None
            client._imap.response("VANISHED")  # what it said unasked is said again
            status, told = client._imap.uid("FETCH", "1:*", "(UID)", f"(CHANGEDSINCE {since} VANISHED)")
            if status != "OK":
                raise IMAPClientError(str(told))
            _, said = client._imap.response("VANISHED")
            return spans(said)

        return await self._ask(ask, folder)

    async def about(self, folder: str, uids: Sequence[int], wanted: Sequence[str]) -> dict[int, dict[bytes, Any]]:
        """Return what was asked of these mails, by number; mails that are gone are absent."""
        found = await self._ask(lambda client: client.fetch(list(uids), list(wanted)), folder)
        return {uid: dict(found[uid]) for uid in uids if uid in found}

    async def close(self) -> None:
        """Say goodbye; the next question connects anew."""
        client, self._client, self._selected = self._client, None, ""
        if client is not None:
            with suppress(OSError, IMAPClientError):
                await asyncio.to_thread(client.logout)

    async def _ask(self, question: Callable[[PinnedClient], Answer], folder: str = "") -> Answer:
        try:
            async for attempt in stamina.retry_context(
                on=_is_passing, attempts=self._n_tries, timeout=120, wait_initial=0.3
            ):
                with attempt:
                    return await self._once(question, folder)
        except ssl.SSLError as error:
            raise Invalid(_untrusted(error)) from error
        except BROKEN as error:
            after = (
                "The next sync goes on from here." if self._n_tries > 1 else "Check its name and port, or try later."
            )
            raise Unavailable(f"The mail server does not answer. {after}") from error
        except IMAPClientError as error:
            raise NotFound(f"The mail server does not let us read this: {str(error)[:200]}") from error
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, question: Callable[[PinnedClient], Answer], folder: str) -> Answer:
        try:
            client = self._client or await self._opened()
            if folder and folder != self._selected:
                await asyncio.to_thread(client.select_folder, folder, readonly=True)
                self._selected = folder
            return await asyncio.to_thread(question, client)
        except BROKEN:
            broken, self._client, self._selected = self._client, None, ""
            if broken is not None:
                await asyncio.to_thread(_hang_up, broken)
            raise

    async def _opened(self) -> PinnedClient:
        door = await self._door("")
        if door.security == "none" and not self._guard.allows(door.host):
            raise Invalid(
                "Without encryption your password could be read on its way. Choose TLS or STARTTLS.",
                {"security": "Choose TLS or STARTTLS."},
            )
        address = await self._guard.address_of(door.host, door.port)
        try:
            self._client = await asyncio.to_thread(_connected, address, door)
        except Forbidden:
            if not door.token:
                raise
            self._client = await asyncio.to_thread(_connected, address, await self._door(door.token))
        return self._client


def _connected(address: str, door: Door) -> PinnedClient:
    client = PinnedClient(address, door)
    try:
        if door.security == "starttls":
            client.starttls(ssl.create_default_context())
        if door.token:
            client.oauth2_login(door.user, door.token)
        else:
            client.login(door.user, door.password)
        if client.has_capability("ENABLE") and client.has_capability("QRESYNC"):
            client.enable("QRESYNC")
    except LoginError as error:
        _hang_up(client)
        if any(mark in str(error) for mark in BUSY):
            raise Unavailable("The mail server takes no more sign-ins just now. Try again in a few minutes.") from error
        raise Forbidden(door.refused) from error
    except (OSError, IMAPClientError):
        _hang_up(client)
        raise
    return client


def _hang_up(client: PinnedClient) -> None:
    with suppress(OSError):
        client.shutdown()


def _is_passing(error: Exception) -> bool:
    return isinstance(error, BROKEN) and not isinstance(error, ssl.SSLError)


def spans(said: Iterable[bytes | None]) -> list[Span]:
    """Return the numbers in answers such as `(EARLIER) 3:9,12`, as spans: they may cover millions."""
    found: list[Span] = []
    for line in said:
        if line is None:
            continue
        for part in line.decode("ascii", "replace").removeprefix("(EARLIER)").strip().split(","):
            first, _, last = part.partition(":")
            if first.isdecimal():
                numbers = int(first), int(last) if last.isdecimal() else int(first)
                found.append((min(numbers), max(numbers)))
    return found


def _untrusted(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"The mail server's certificate is not to be trusted ({error.verify_message}). "
            "Check the server's name, or ask whoever runs it to renew the certificate."
        )
    return "The mail server does not speak TLS on this port. Check the port and the kind of encryption."
