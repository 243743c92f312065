"""The exported default model, kept between runs, and a real HTTP server that plays the replies it is given."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import httpx
import pytest
import pytest_asyncio

from infra.inference.export import DEFAULT_MODEL, ensure_exported
from infra.inference.exported import ExportedModel
from infra.inference.openvino_embedder import OpenVinoEmbedder

Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class PlayedServer:
    """Plays its replies in order, the last one again and again; keeps what it was asked."""

    base_url: str = ""
    replies: list[Reply] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            self.requests.append(head + await reader.readexactly(int(length[1]) if length else 0))
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
            await reply(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def says(body: str, status: str = "200 OK", headers: str = "") -> Reply:
    """A whole reply; the connection closes after it."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body.encode())}\r\n{headers}\r\n"
        writer.write(head.encode() + body.encode())

    return reply


def streams(*pieces: str, is_cut: bool = False, is_stuck: bool = False) -> Reply:
    """A reply in HTTP chunks; cut: the connection closes in the middle; stuck: it stays open and silent."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        for piece in pieces:
            writer.write(f"{len(piece.encode()):x}\r\n{piece}\r\n".encode())
            await writer.drain()
        if is_stuck:
            await asyncio.get_running_loop().create_future()
        if not is_cut:
            writer.write(b"0\r\n\r\n")

    return reply


@pytest_asyncio.fixture
async def played() -> AsyncIterator[PlayedServer]:
    played = PlayedServer()
    answering: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.add(asyncio.create_task(played.answer(reader, writer)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    played.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    yield played
    server.close()
    for task in answering:
        task.cancel()
    await asyncio.gather(*answering, return_exceptions=True)


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture(scope="session")
def exported(request: pytest.FixtureRequest) -> ExportedModel:
    cache = request.config.cache
    assert cache is not None
    return ensure_exported(DEFAULT_MODEL, cache.mkdir("models"))


@pytest_asyncio.fixture(scope="session")
async def embedder(exported: ExportedModel) -> AsyncIterator[OpenVinoEmbedder]:
    async with OpenVinoEmbedder(exported) as embedder:
        yield embedder
