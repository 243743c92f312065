"""Folders, archives, mailboxes and Slack exports as an integration's entries."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from domain.errors import Invalid, NotFound
from domain.integrations import Entry, Gone, Item, Unreadable
from domain.uploads import MAX_FILE_BYTES
from infra.connectors.archives import Archive
from infra.connectors.folder import FolderConnector
from infra.parsers.transcript import parse
from tests.parsers import files

SLACK_ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "files" / "slack_export" / "testarchive.zip"

MAILBOX = b"""From ann@acme.org Wed Mar  4 10:12:00 2026
From: Ann <ann@acme.org>
Subject: Pump
Message-ID: <1@acme.org>

The pump is old.
>From now on it stays off.

From ben@acme.org Thu Mar  5 10:12:00 2026
From: Ben <ben@acme.org>
Subject: Report
Message-ID: <2@acme.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=B

--B
Content-Type: text/plain

Attached.
--B
Content-Type: text/csv; name="costs.csv"
Content-Disposition: attachment; filename="../costs.csv"

What,Cost
Pump,12
--B--
"""

SLACK = {
    "users.json": [{"id": "U1", "name": "ann", "profile": {"real_name": "Ann Lee"}}, {"id": "U2", "name": "ben"}],
    "channels.json": [{"id": "C1", "name": "incidents"}],
    "incidents/2026-03-04.json": [
        {"type": "message", "subtype": "channel_join", "user": "U2", "text": "joined", "ts": "1772610000.000000"},
        {
            "type": "message",
            "user": "U1",
            "text": "Is it <https://x.org|the pump>? &lt;no&gt;",
            "ts": "1772619120.000100",
        },
        {"type": "message", "user": "U1", "text": "KV-1042 is back", "ts": "1772620000.0", "thread_ts": "1772620000.0"},
    ],
    "incidents/2026-03-05.json": [
        {"type": "message", "user": "U2", "text": "<@U1> on it", "ts": "1772700000.0", "thread_ts": "1772620000.0"},
    ],
}


def everyone(external_id: str) -> tuple[str, ...]:
    return ("everyone",)


async def listed(connector: FolderConnector) -> list[Entry]:
    return [entry async for page in connector.pages("") for entry in page.entries]


async def listing(root: Path) -> dict[str, Entry]:
    return {entry.external_id: entry for entry in await listed(FolderConnector(root, everyone))}


def written(root: Path, members: Mapping[str, bytes | str]) -> Path:
    for name, content in members.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def slack_files() -> dict[str, bytes]:
    return {name: json.dumps(content).encode() for name, content in SLACK.items()}


def names_in(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir())


def reason(entry: Entry) -> str:
    assert isinstance(entry, Unreadable), entry
    return entry.reason


async def content_of(root: Path, external_id: str) -> bytes:
    connector = FolderConnector(root, everyone)
    (item,) = [entry for entry in await listed(connector) if entry.external_id == external_id]
    assert isinstance(item, Item)
    return await connector.fetch(item)


async def test_files_come_by_path_with_their_size_type_and_readers(tmp_path: Path) -> None:
    written(tmp_path, {"b.md": "# B", "a/z.txt": "zz", "a/unknown.xyz": "?"})
    entries = await listed(FolderConnector(tmp_path, lambda external_id: (f"reader of {external_id}",)))
    assert [entry.external_id for entry in entries] == ["a/unknown.xyz", "a/z.txt", "b.md"]
    item = entries[1]
    assert isinstance(item, Item)
    assert (item.name, item.size_bytes, item.media_type) == ("z.txt", 2, "text/plain")
    assert item.principals == ("reader of a/z.txt",)
    assert await FolderConnector(tmp_path, everyone).fetch(item) == b"zz"


async def test_hidden_files_and_those_about_the_folder_are_left_out(tmp_path: Path) -> None:
    names = (".env", ".git/config", "__pycache__/a.md", "access.json", "planted.json", "deep/access.json")
    written(tmp_path, dict.fromkeys(names, "x"))
    assert list(await listing(tmp_path)) == ["deep/access.json"]


async def test_a_changed_file_has_another_revision_and_an_unchanged_one_the_same(tmp_path: Path) -> None:
    written(tmp_path, {"a.md": "one", "b.zip": files.zipped({"x.md": b"one"})})
    before = await listing(tmp_path)
    assert await listing(tmp_path) == before
    written(tmp_path, {"a.md": "other", "b.zip": files.zipped({"x.md": b"two"})})
    after = await listing(tmp_path)
    for external_id in ("a.md", "b.zip!x.md"):
        old, new = before[external_id], after[external_id]
        assert isinstance(old, Item) and isinstance(new, Item) and old.revision != new.revision


async def test_pages_tell_the_total_from_the_first_on(tmp_path: Path) -> None:
    written(tmp_path, {f"{number:03}.md": "x" for number in range(250)})
    pages = [page async for page in FolderConnector(tmp_path, everyone).pages("")]
    assert [len(page.entries) for page in pages] == [100, 100, 50]
    assert {page.total for page in pages} == {250}


async def test_links_out_of_the_folder_and_huge_files_are_listed_with_the_reason(tmp_path: Path) -> None:
    outside = written(tmp_path / "outside", {"secret.md": "x"})
    root = written(tmp_path / "root", {"a.md": "x"})
    (root / "link.md").symlink_to(outside / "secret.md")
    (root / "folder").symlink_to(outside)
    with (root / "big.log").open("wb") as big:
        big.truncate(MAX_FILE_BYTES * 2)
    found = await listing(root)
    assert "leads out" in reason(found["link.md"]) and "leads out" in reason(found["folder"])
    assert "200 MB" in reason(found["big.log"])
    assert isinstance(found["a.md"], Item)


async def test_an_item_that_would_lie_outside_the_folder_is_never_read(tmp_path: Path) -> None:
    root = written(tmp_path / "root", {"a.md": "x"})
    written(tmp_path, {"secret.md": "x"})
    for external_id in ("../secret.md", str(tmp_path / "secret.md"), "gone.md", "a.md!x"):
        with pytest.raises((NotFound, Invalid)):
            await FolderConnector(root, everyone).fetch(Item(external_id, "secret.md", ""))


async def test_items_are_yielded_again_and_those_that_are_gone_come_as_gone(tmp_path: Path) -> None:
    written(tmp_path, {"a.md": "x", "b.md": "x"})
    pages = [page async for page in FolderConnector(tmp_path, everyone).again(["b.md", "c.md"])]
    assert [(type(entry), entry.external_id) for entry in pages[0].entries] == [(Item, "b.md"), (Gone, "c.md")]


async def test_the_root_may_be_a_single_file_or_archive(tmp_path: Path) -> None:
    written(tmp_path, {"a.md": "x", "b.zip": files.zipped({"x.md": b"one"})})
    assert list(await listing(tmp_path / "a.md")) == ["a.md"]
    assert await content_of(tmp_path / "b.zip", "b.zip!x.md") == b"one"


async def test_what_is_in_an_archive_comes_one_by_one(tmp_path: Path) -> None:
    inner = files.zipped({"deep.md": b"deep", "deeper.zip": files.zipped({"x": b""})})
    members = {"notes/a.md": b"# A", "Ü.md": "ü".encode(), "inner.zip": inner, "box.mbox": MAILBOX, ".hidden": b"x"}
    written(tmp_path, {"all.zip": files.zipped(members)})
    found = await listing(tmp_path)
    assert list(found) == [
        "all.zip!box.mbox!1@acme.org",
        "all.zip!box.mbox!2@acme.org",
        "all.zip!box.mbox!2@acme.org#attachment/1-costs.csv",
        "all.zip!inner.zip!deep.md",
        "all.zip!inner.zip!deeper.zip",
        "all.zip!notes/a.md",
        "all.zip!Ü.md",
    ]
    assert "archive inside an archive" in reason(found["all.zip!inner.zip!deeper.zip"])
    assert await content_of(tmp_path, "all.zip!inner.zip!deep.md") == b"deep"
    assert b"Pump,12" in await content_of(tmp_path, "all.zip!box.mbox!2@acme.org#attachment/1-costs.csv")


async def test_dangerous_members_are_listed_with_their_reason_and_the_others_are_read(tmp_path: Path) -> None:
    members = {"../../etc/evil.md": b"x", "/abs.md": b"x", "bomb.txt": b"\0" * (20 * 1024 * 1024), "fine.md": b"x"}
    written(tmp_path, {"a.zip": files.zipped(members), "b.zip": files.password_protected_zip()})
    found = await listing(tmp_path)
    assert "leads out of the archive" in reason(found["a.zip!../../etc/evil.md"])
    assert "leads out of the archive" in reason(found["a.zip!/abs.md"])
    assert "suspiciously much" in reason(found["a.zip!bomb.txt"])
    assert "password" in reason(found["b.zip!secret.md"])
    assert isinstance(found["a.zip!fine.md"], Item)
    assert names_in(tmp_path) == ["a.zip", "b.zip"], "nothing is unpacked to disk"


async def test_a_broken_or_overfull_archive_is_one_failure(tmp_path: Path) -> None:
    crowd = files.zipped({f"{number}.md": b"" for number in range(10_001)})
    written(
        tmp_path, {"a.zip": files.zipped({"x": b"y"})[:-10], "b.zip": crowd, "c.md": "x", "d.zip": files.zipped({})}
    )
    found = await listing(tmp_path)
    assert "no files" in reason(found["d.zip"])
    assert "damaged" in reason(found["a.zip"])
    assert "10,001 files" in reason(found["b.zip"])
    assert isinstance(found["c.md"], Item)


async def test_an_office_file_is_a_document_and_not_an_archive(tmp_path: Path) -> None:
    written(tmp_path, {"a.docx": files.word(), "b.xlsx": files.workbook(), "c.pptx": files.slides()})
    assert list(await listing(tmp_path)) == ["a.docx", "b.xlsx", "c.pptx"]


async def test_each_mail_of_a_mailbox_is_an_item_and_so_is_what_is_attached(tmp_path: Path) -> None:
    written(tmp_path, {"team.mbox": MAILBOX})
    found = await listing(tmp_path)
    assert list(found) == [
        "team.mbox!1@acme.org", "team.mbox!2@acme.org", "team.mbox!2@acme.org#attachment/1-costs.csv",
    ]  # fmt: skip
    mail = await content_of(tmp_path, "team.mbox!1@acme.org")
    assert b"\nFrom now on" in mail and b"ben@acme.org" not in mail
    assert found["team.mbox!1@acme.org"].name == "Pump.eml"  # type: ignore[union-attr]


async def test_a_mail_is_an_item_with_its_attachments_beside_it(tmp_path: Path) -> None:
    written(tmp_path, {"mail.eml": MAILBOX.partition(b"From ben")[2].partition(b"\n")[2]})
    assert list(await listing(tmp_path)) == ["mail.eml", "mail.eml#attachment/1-costs.csv"]
    assert b"Pump,12" in await content_of(tmp_path, "mail.eml#attachment/1-costs.csv")


@pytest.mark.parametrize("form", ["folder", "zip", "zip with a folder"])
async def test_a_slack_export_is_a_thread_or_a_channels_day_at_a_time(tmp_path: Path, form: str) -> None:
    match form:
        case "folder":
            written(tmp_path / "chat", slack_files())
        case "zip":
            written(tmp_path, {"chat": files.zipped(slack_files())})
        case _:
            inside = {f"export/{name}": content for name, content in slack_files().items()}
            written(tmp_path, {"chat": files.zipped(inside)})
    found = await listing(tmp_path)
    assert list(found) == ["chat!incidents/2026-03-04", "chat!incidents/thread-1772620000.0"]
    day = parse("day", await content_of(tmp_path, "chat!incidents/2026-03-04"))
    assert day.title == "#incidents, 4 March 2026: Is it the pump? <no>"
    assert [(block.label, day.text[block.start : block.end]) for block in day.blocks] == [
        ("Ann Lee, 2026-03-04 10:12", "Is it the pump? <no>")
    ]
    thread = parse("thread", await content_of(tmp_path, "chat!incidents/thread-1772620000.0"))
    assert thread.text == "KV-1042 is back\n\n@Ann Lee on it"
    assert thread.metadata["participants"] == "Ann Lee, ben"


async def test_a_damaged_channel_of_an_export_is_one_failure(tmp_path: Path) -> None:
    written(tmp_path, slack_files() | {"ops/2026-03-04.json": b"{oops"})
    found = await listing(tmp_path)
    assert "damaged" in reason(found["!ops"])
    assert isinstance(found["!incidents/2026-03-04"], Item)


@pytest.mark.skipif(not SLACK_ARCHIVE.is_file(), reason="the public sets are not here")
async def test_a_real_slack_export_is_read() -> None:
    archive = Archive(SLACK_ARCHIVE.name, SLACK_ARCHIVE.read_bytes())
    members = list(archive.members())
    parsed = [parse(member.name, archive.read(member.id)) for member in members]
    assert len(parsed) == 16, "of its 17 days, one has only people joining"
    assert "Harry Potter" in {each.author for each in parsed}
    assert not any("<@U" in each.text or "<http" in each.text for each in parsed)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_a_file_the_server_may_not_open_is_listed_with_the_reason(tmp_path: Path) -> None:
    written(tmp_path, {"a.md": "x"})
    (tmp_path / "a.md").chmod(0)
    assert "Permission denied" in reason((await listing(tmp_path))["a.md"])
