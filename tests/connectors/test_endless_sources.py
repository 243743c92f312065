"""Servers that send one empty page after the other, each with another place to go on from: no sync reads for long."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import pytest

from domain.credentials import Grant
from domain.errors import Unavailable
from domain.people import Viewer
from domain.syncs import SyncState
from domain.vault import Tools
from infra.connectors.paging import MAX_EMPTY, Paging
from infra.store import Stores
from tests.connectors.vaulted import connected

REPOSITORY = {"full_name": "ana/x", "private": False, "default_branch": "main", "html_url": "http://x"}
DRIVE_MARK = '{"changes": "3", "swept_at": "2999-01-01T00:00:00Z", "chosen": ""}'


@dataclass
class Endless:
    """Where it answers, and how often it was asked."""

    url: str = ""
    n_asked: int = 0

    def page(self, place: int) -> dict[str, object]:
        """An empty page in the words of every provider at once; the next one is always somewhere else."""
        empty = ("messages", "history", "files", "changes", "channels", "members", "entries", "results", "value")
        following = ("nextPageToken", "next_cursor", "next_marker")
        return {
            **dict.fromkeys(empty, ()),
            **dict.fromkeys(following, f"t{place}"),
            "response_metadata": {"next_cursor": f"t{place}"},
            "@odata.nextLink": f"{self.url}/more/{place}",
            "has_more": True,
            "ok": True,
            "historyId": "5",
            "startPageToken": "1",
            "id": "hidden",
        }


@pytest.fixture(scope="module")
def endless() -> Iterator[Endless]:
    peer, places = Endless(), count(1)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            place = next(places)
            peer.n_asked += 1
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            is_list = self.path.partition("?")[0].endswith(("/issues", "/pulls"))
            said = [] if is_list else REPOSITORY if self.path == "/repos/ana/x" else self.page(place)
            status = 404 if self.path.startswith(("/repos/ana/x/git", "/drive/v3/drives")) else 200
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            if is_list:
                self.send_header("Link", f'<{peer.url}/repos/ana/x/issues?page={place}>; rel="next"')
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.do_GET()

        def page(self, place: int) -> dict[str, object]:
            return peer.page(place)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        peer.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield peer
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("kind", "cursor"),
    [
        ("gmail", ""),
        pytest.param("gmail", "5 ", marks=pytest.mark.long),
        pytest.param("drive", "", marks=pytest.mark.long),
        pytest.param("drive", DRIVE_MARK, marks=pytest.mark.long),
        ("slack", ""),
        pytest.param("github", "", marks=pytest.mark.long),
        ("outlook", ""),
        pytest.param("onedrive", "", marks=pytest.mark.long),
        pytest.param("box", "", marks=pytest.mark.long),
        pytest.param("notion", "", marks=pytest.mark.long),
    ],
)
async def test_a_source_that_sends_empty_pages_without_end_is_left_with_a_word_on_what_to_do(
    stores: Stores, viewer: Viewer, tools: Tools, endless: Endless, kind: str, cursor: str
) -> None:
    names = ("GMAIL_API", "DRIVE_API", "SLACK", "GITHUB_API", "OUTLOOK_API", "ONEDRIVE_API", "BOX_API", "NOTION")
    apps = ("GOOGLE", "SLACK", "GITHUB", "MICROSOFT", "BOX", "NOTION")
    environment = {f"{name}_URL": endless.url for name in names}
    environment |= {f"{app}_CLIENT_ID": "id" for app in apps} | {f"{app}_CLIENT_SECRET": "secret" for app in apps}
    settings = {"chosen": "ana/x" if kind == "github" else "", "account_id": "1"}
    endless.n_asked = 0
    async with connected(stores, viewer, tools, kind, environment, Grant("token"), settings) as vaulted:
        async with stores.open_vault(viewer) as vault:
            await vault.integrations.advance(vaulted.integration.id, cursor)
        done = await vaulted.sync()
    assert done.state is SyncState.FAILED
    assert "one empty page after the other, so reading was stopped after 200" in done.reason
    assert "What was brought in stays. Sync again later; if it stays like this, reconnect" in done.reason
    assert endless.n_asked <= MAX_EMPTY + 20


def test_a_list_may_pause_but_not_repeat_itself_and_not_be_empty_for_ever() -> None:
    paging = Paging("Gmail")
    for place in range(10 * MAX_EMPTY):
        paging.turn(f"{place}", n_things=int(place % MAX_EMPTY == 0))
    with pytest.raises(Unavailable, match="again and again"):
        paging.turn("7", n_things=1)
    paging = Paging("Gmail")
    with pytest.raises(Unavailable, match="empty page"):
        for place in range(MAX_EMPTY):
            paging.turn(f"{place}", n_things=0)
