"""The parser in its child process."""

import asyncio
import os
import signal

import pytest

from domain.errors import Invalid
from domain.parsing import ParseSettings
from infra.parsers.process import ProcessParser, parser_process
from tests.parsers import files


def child_of(parser: object) -> int:
    assert isinstance(parser, ProcessParser) and parser._child is not None
    return parser._child.pid


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_one_child_reads_all_files_of_a_job_and_ends_with_it() -> None:
    async with parser_process(ParseSettings()) as parser:
        first = await parser.parse("a.md", "", b"# Rota\n\nAnn")
        pid = child_of(parser)
        others = await asyncio.gather(*(parser.parse(f"{n}.docx", "", files.word()) for n in range(3)))
        assert child_of(parser) == pid
    assert first.title == "Rota"
    assert {other.title for other in others} == {"Travel policy"}
    assert not is_alive(pid)


async def test_a_parser_that_reads_nothing_starts_no_child() -> None:
    async with parser_process(ParseSettings()) as parser:
        assert isinstance(parser, ProcessParser) and parser._child is None


async def test_a_bad_file_is_refused_and_the_child_lives_on() -> None:
    async with parser_process(ParseSettings()) as parser:
        with pytest.raises(Invalid, match="empty"):
            await parser.parse("a.md", "", b"")
        pid = child_of(parser)
        await parser.parse("b.md", "", b"fine")
        assert child_of(parser) == pid


async def test_a_file_that_takes_too_long_costs_its_child_and_no_other_file() -> None:
    slow = b"<p>" + b"<a><b><table>" * 300_000
    async with parser_process(ParseSettings(timeout_s=60)) as parser:
        await parser.parse("a.md", "", b"fine")
        pid = child_of(parser)
        parser._settings = ParseSettings(timeout_s=0.01)
        with pytest.raises(Invalid, match=r"longer than 0\.01 seconds"):
            await parser.parse("slow.html", "", slow)
        assert not is_alive(pid)
        parser._settings = ParseSettings()
        assert (await parser.parse("b.md", "", b"fine")).text == "fine"


async def test_a_file_that_needs_too_much_memory_is_refused_and_the_next_is_read() -> None:
    async with parser_process(ParseSettings(max_memory_bytes=300 * 1024 * 1024)) as parser:
        with pytest.raises(Invalid, match="memory"):
            await parser.parse("a.txt", "", b"word " * 20_000_000)
        assert (await parser.parse("b.md", "", b"fine")).text == "fine"


async def test_a_child_that_dies_over_a_file_is_replaced() -> None:
    async with parser_process(ParseSettings()) as parser:
        await parser.parse("a.md", "", b"fine")
        os.kill(child_of(parser), signal.SIGKILL)
        with pytest.raises(Invalid, match="crashed"):
            await parser.parse("b.md", "", b"fine")
        assert (await parser.parse("c.md", "", b"fine")).text == "fine"


async def test_a_job_that_is_cancelled_leaves_no_child_behind() -> None:
    pids = []
    has_begun = asyncio.Event()

    async def job() -> None:
        async with parser_process(ParseSettings()) as parser:
            await parser.parse("a.md", "", b"fine")
            pids.append(child_of(parser))
            has_begun.set()
            await parser.parse("slow.txt", "", b"word\n\n" * 1_000_000)

    task = asyncio.create_task(job())
    await has_begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not is_alive(pids[0])


async def test_a_zip_bomb_is_left_closed() -> None:
    async with parser_process(ParseSettings(max_unpacked_bytes=1024 * 1024)) as parser:
        with pytest.raises(Invalid, match="more than 1 MB"):
            await parser.parse("a.docx", "", files.bomb(2 * 1024 * 1024))


async def test_the_child_knows_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    async with parser_process(ParseSettings()) as parser:
        await parser.parse("a.md", "", b"fine")
        with open(f"/proc/{child_of(parser)}/environ", "rb") as environment:  # noqa: ASYNC230, PTH123
            assert b"secret" not in environment.read()
