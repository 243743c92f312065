"""The parser as the rest of the product sees it: a child process for the time of a job.

A file that crashes it, hangs or eats the memory takes down that child only; the next file gets a new one.
"""

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from domain.errors import Invalid
from domain.parsing import ParsedDocument, Parser, ParseSettings
from infra.parsers.frames import LENGTH, Parsed, Refused, Reply, Request, framed

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"}
"""All the child gets: no password or key of ours is in reach of a file that takes it over."""
START_S = 30.0
"""How long a child may take to start, on top of the time for its first file."""

CRASHED = "Reading this file crashed the reader, so it was left out. Save it anew, or in another format, and try again."


@contextlib.asynccontextmanager
async def parser_process(settings: ParseSettings) -> AsyncIterator[Parser]:
    """Open a parser for one job. Its child starts with the first file and ends with the block."""
    parser = ProcessParser(settings)
    try:
        yield parser
    finally:
        await parser.close()


class ProcessParser:
    """A parser that hands each file to its child, one at a time."""

    def __init__(self, settings: ParseSettings) -> None:
        self._settings = settings
        self._child: Process | None = None
        self._lock = asyncio.Lock()

    async def parse(self, name: str, media_type: str, content: bytes) -> ParsedDocument:
        """Return what the file says.

        Raises: Invalid when it cannot be read, and when the child crashed, took too long or too much memory over it.
        """
        async with self._lock:
            reply = await self._ask(Request(name, media_type, content))
        if isinstance(reply, Parsed):
            return reply.document
        raise Invalid(reply.reason)

    async def close(self) -> None:
        """End the child, whatever it is doing."""
        child, self._child = self._child, None
        if child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.communicate()

    async def _ask(self, request: Request) -> Reply:
        """A question that gets no full answer, for whatever reason, costs the child: it may still be busy with it."""
        is_new = self._child is None
        child = self._child or await self._start()
        is_answered = False
        try:
            async with asyncio.timeout(self._settings.timeout_s + (START_S if is_new else 0)):
                reply = await _exchange(child, request)
            is_answered = isinstance(reply, Parsed) or not reply.is_worn_out
            return reply
        except TimeoutError as error:
            limit = f"{self._settings.timeout_s:g}"
            raise Invalid(f"Reading this file took longer than {limit} seconds. Split it and try again.") from error
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Invalid(CRASHED) from error
        finally:
            if not is_answered:
                await self.close()

    async def _start(self) -> Process:
        self._child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "infra.parsers.child",
            msgspec.json.encode(self._settings).decode(),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            cwd=ROOT,
            env=ENVIRONMENT,
        )
        return self._child


async def _exchange(child: Process, request: Request) -> Reply:
    assert child.stdin is not None and child.stdout is not None  # noqa: S101 - both were asked for as pipes
    with contextlib.suppress(ConnectionError):  # a child that gives up early may still have said why
        child.stdin.write(framed(request))
        await child.stdin.drain()
    (length,) = LENGTH.unpack(await child.stdout.readexactly(LENGTH.size))
    payload = await child.stdout.readexactly(length)
    return msgspec.msgpack.decode(payload, type=Parsed | Refused)
