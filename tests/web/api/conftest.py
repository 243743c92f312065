"""Scripts that call the API with a token."""

import uuid
from collections.abc import AsyncIterator

import httpx
import pytest_asyncio
from litestar import Litestar

from domain.people import Viewer
from domain.vault import Tools
from infra.store import Stores
from tests.factories import Source
from tests.web.asking import LIBRARY, bring_in
from web.sessions import token_hash


@pytest_asyncio.fixture
async def library(stores: Stores, tools: Tools, source: Source, viewer: Viewer) -> None:
    await bring_in(stores, tools, source, viewer, LIBRARY)


async def token_of(stores: Stores, viewer: Viewer) -> str:
    """A new API token of this person."""
    token = uuid.uuid4().hex
    async with stores.open_vault(viewer) as vault:
        await vault.members.add_api_token("tests", token_hash(token))
    return token


@pytest_asyncio.fixture
async def token(stores: Stores, viewer: Viewer) -> str:
    return await token_of(stores, viewer)


@pytest_asyncio.fixture
async def api(app: Litestar, token: str) -> AsyncIterator[httpx.AsyncClient]:
    """A script that acts as the viewer."""
    headers = {"Authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://vault.test/api/v1", headers=headers) as client:
        yield client
