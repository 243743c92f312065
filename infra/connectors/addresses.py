"""Where addresses that people enter may lead: to public servers, not to this machine and its neighbours.

A name is looked up once, all its addresses are judged, and the connection goes to one of those: a name that answers
differently a moment later leads nowhere else. The check stands where connections are made, so redirects, sitemaps and
everything else that a source names pass through it too.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpcore
import httpx

from domain.errors import Invalid, Unavailable

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Gives the addresses of a host name. Raises: OSError."""

TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 addresses as networks without IPv4 write them (RFC 6052)."""
PROTOCOLS = IPv4Network("192.0.0.0/24")
"""Assigned to protocols (RFC 6890); Python counted parts of it as public for a while."""
MAX_CONNECTIONS = 40


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses the operating system knows for a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class AddressGuard:
    """Judges hosts; `allowed_hosts` are those the operator trusts although they are not public."""

    def __init__(self, allowed_hosts: Iterable[str] = (), resolve: Resolve = resolve) -> None:
        self._allowed = frozenset(host.lower() for host in allowed_hosts)
        self._resolve = resolve

    async def address_of(self, host: str, port: int) -> str:
        """Return an address of a host to connect to.

        Raises: Invalid when any of its addresses is not public, Unavailable when the name is not known.
        """
        host = host.strip("[]").lower().rstrip(".")
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise Unavailable(f"No server is known by the name {host}. Check how it is written.") from error
        if not addresses:
            raise Unavailable(f"No server is known by the name {host}. Check how it is written.")
        if not self.allows(host) and not all(is_public(address) for address in addresses):
            raise Invalid(
                f"{host} leads into a private network, where we do not go. Enter the address of a public server, or "
                "ask the operator to allow this one."
            )
        return addresses[0]

    def allows(self, host: str) -> bool:
        """Whether the operator trusts a host by name."""
        return host.strip("[]").lower().rstrip(".") in self._allowed


def is_public(address: str) -> bool:
    """Whether an IP address belongs to a public server; one inside another's notation is judged by itself."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        inner = _inside(ip)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip in PROTOCOLS)


def _inside(ip: IPv6Address) -> IPv4Address | None:
    if ip in TRANSLATED:
        return IPv4Address(ip.packed[-4:])
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


@dataclass(frozen=True, slots=True)
class Outside:
    """The way to servers whose addresses people enter."""

    guard: AddressGuard
    client: httpx.AsyncClient
    """Goes where the guard lets it, and follows no redirect by itself."""


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects where the guard lets it; names of certificates are still checked against the host that was meant."""

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the interface of httpcore)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the address that was judged."""
        address = await self._guard.address_of(host, port)
        return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        """Pause, as httpcore asks."""
        await self._inner.sleep(seconds)


@asynccontextmanager
async def open_outside(
    allowed_hosts: Iterable[str] = (), resolve: Resolve = resolve, trust: ssl.SSLContext | None = None
) -> AsyncIterator[Outside]:
    """Open the way to servers that people enter; its client keeps no cookies, since many tenants share it."""
    guard = AddressGuard(allowed_hosts, resolve)
    trust = trust or httpx.create_ssl_context()
    transport = httpx.AsyncHTTPTransport(verify=trust)
    # httpx 0.28 (pinned) hands nothing through to where its connections are made
    transport._pool = httpcore.AsyncConnectionPool(
        ssl_context=trust,
        max_connections=MAX_CONNECTIONS,
        network_backend=GuardedBackend(guard),
    )
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    async with httpx.AsyncClient(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        cookies=no_cookies,
        headers={"User-Agent": "KnowledgeVault"},
    ) as client:
        yield Outside(guard, client)
