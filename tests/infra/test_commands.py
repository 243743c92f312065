"""The commands of the terminal: import, ask, and one clear line for what is wrong."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa

from domain.errors import Invalid, NotFound
from domain.people import Viewer
from domain.vault import Tools
from infra.commands import ask, import_path
from infra.connectors import Connectors
from infra.database import lobby_transaction
from infra.detection import read_lines
from infra.store import Stores

ROOT = Path(__file__).parent.parent.parent


async def slug_of(stores: Stores, viewer: Viewer) -> str:
    async with lobby_transaction(stores.engine) as connection:
        rows = await connection.execute(sa.text("select slug from tenants where id = :id"), {"id": viewer.tenant_id})
        return str(rows.scalar_one())


@pytest_asyncio.fixture
async def real_tools(tools: Tools) -> AsyncIterator[Tools]:
    async with httpx.AsyncClient() as client:
        yield dataclasses.replace(tools, connect=Connectors(client, {}, "", tools.now).connect)


async def test_a_folder_is_imported_and_asked_about(
    stores: Stores, real_tools: Tools, viewer: Viewer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kiln.md").write_text("# Kiln\n\nThe kiln fires glazed tiles at 1,040 degrees for nine hours.")
    (tmp_path / "empty.md").write_text("")
    slug = await slug_of(stores, viewer)
    await import_path(stores.open_lobby, stores.open_vault, real_tools, tmp_path, slug)
    printed = capsys.readouterr().out
    assert "1 documents brought in" in printed
    assert "empty.md: The file is empty" in printed
    question = "At how many degrees does the kiln fire glazed tiles?"
    await ask(stores.open_lobby, stores.open_vault, real_tools, question, slug, viewer.email, True)
    answer = json.loads(capsys.readouterr().out)
    assert not answer["abstained"]
    citation = answer["sentences"][0]["citations"][0]
    assert "1,040 degrees" in citation["quote"]
    async with stores.open_vault(viewer) as vault:
        version = await vault.documents.version(citation["document"], citation["version"])
    assert version.text[citation["start"] : citation["end"]] == citation["quote"]


async def test_importing_twice_brings_nothing_new(
    stores: Stores, real_tools: Tools, viewer: Viewer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kiln.md").write_text("# Kiln\n\nText.")
    slug = await slug_of(stores, viewer)
    for _ in range(2):
        await import_path(stores.open_lobby, stores.open_vault, real_tools, tmp_path, slug)
    assert "0 documents brought in, 1 unchanged" in capsys.readouterr().out


async def test_what_is_not_there_is_said_clearly(
    stores: Stores, real_tools: Tools, viewer: Viewer, tmp_path: Path
) -> None:
    with pytest.raises(Invalid, match="nothing at"):
        await import_path(stores.open_lobby, stores.open_vault, real_tools, tmp_path / "gone", "any")
    with pytest.raises(NotFound, match="no tenant called nobody"):
        await import_path(stores.open_lobby, stores.open_vault, real_tools, tmp_path, "nobody")
    with pytest.raises(NotFound):
        slug = await slug_of(stores, viewer)
        await ask(stores.open_lobby, stores.open_vault, real_tools, "Why?", slug, "nobody@acme.example", True)


@pytest.mark.parametrize(("name", "value"), [("PORT", "eighty"), ("DATABASE_URL", "mysql://db")])
def test_a_wrong_setting_ends_the_command_with_one_line(name: str, value: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "main", "serve"],
        env={**os.environ, name: value},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    lines = ended.stderr.strip().splitlines()
    assert len(lines) == 1
    assert name in lines[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"id": 1, "text": "Fine."}\n{"id": 2}\n', "Line 2"),
        (b'{"id": 1, "text": "\xff"}\n', "Line 1"),
        (b"[1]\n", "Line 1"),
        (None, "cannot be read"),
    ],
)
def test_what_is_no_file_of_documents_is_refused_in_one_line_that_names_the_place(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "documents.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Invalid, match=said):
        read_lines(path)


def test_a_file_of_documents_may_begin_with_a_byte_order_mark_and_hold_empty_lines(tmp_path: Path) -> None:
    path = tmp_path / "documents.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id": "a", "text": "Fine.", "extra": 1}\n\n{"id": 2, "text": "", "date": "soon"}\n')
    assert [each.id for each in read_lines(path)] == ["a", 2]
