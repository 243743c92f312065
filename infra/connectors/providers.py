"""What all providers of consent share: the client of a process, where browsers come back to, and finding one."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from domain.credentials import Provider
from domain.errors import Unavailable

REDIRECT_PATH = "/connect/{provider}/callback"


@asynccontextmanager
async def open_client(trust: ssl.SSLContext | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """Open the client that all connectors of a process share; redirects are followed by hand, where that is safe."""
    headers = {"User-Agent": "KnowledgeVault"}
    async with httpx.AsyncClient(follow_redirects=False, headers=headers, verify=trust or True) as client:
        yield client


def provider_found(providers: Mapping[str, Provider], name: str, title: str) -> Provider:
    """Return a provider that an integration needs. Raises: Unavailable when this deployment has no client id for it."""
    if found := providers.get(name):
        return found
    raise Unavailable(f"{title} is not set up on this server any more. Ask the operator to set its client id again.")
