"""A Notion of our own, for want of one that others wrote.

Its answers have the shape of recorded ones, which a test holds it to, and nobody gets in without the secret.
"""

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.peers.notion_oauth import Consents

SECRET = "ntn_of_the_tests"
ANA = "a4f789cc-7bc8-4cf0-82b9-a8ba7d985ecf"
MAX_AT_ONCE = 10
"""Fewer than the real one gives, so that lists have pages."""
Object = dict[str, Any]


def rich(text: str) -> list[Object]:
    """Text as Notion has it."""
    looks = {"bold": False, "italic": False, "strikethrough": False, "underline": False, "code": False}
    return [
        {
            "type": "text",
            "text": {"content": text, "link": None},
            "annotations": looks | {"color": "default"},
            "plain_text": text,
            "href": None,
        }
    ]


def block(kind: str, says: Object, *inner: Object) -> Object:
    """A block with those inside it."""
    return {"object": "block", "id": str(uuid.uuid4()), "type": kind, kind: says, "inner": list(inner)}


def paragraph(text: str) -> Object:
    """A plain block."""
    return block("paragraph", {"rich_text": rich(text), "color": "default"})


@dataclass
class Workspace:
    """What stands in Notion, as its people change it."""

    url: str = ""
    things: dict[str, Object] = field(default_factory=dict)
    bodies: dict[str, list[Object]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    n_limited: int = 0
    """So many answers more are refusals because of too many requests."""
    n_edits: int = 0
    hidden: set[str] = field(default_factory=set)
    """Things the search does not find, though they are there."""
    secret: str = SECRET
    consents: Consents = field(default_factory=Consents)

    async def write(self, name: str, text: str) -> None:
        """Write a page, or write it anew."""
        self.put(name, [paragraph(text)])

    async def delete(self, name: str) -> None:
        """Put a page into the trash."""
        thing = self.things[self.ids.pop(name)]
        thing["in_trash"] = thing["archived"] = True

    def put(self, name: str, blocks: list[Object], properties: Object | None = None) -> str:
        """Write a page with these blocks and properties; return its id."""
        number = self.ids.setdefault(name, str(uuid.uuid4()))
        self.n_edits += 1
        edited_at = (datetime(2026, 7, 4, 9, 8, tzinfo=UTC) + timedelta(minutes=self.n_edits)).isoformat(
            timespec="milliseconds"
        )
        title = {"id": "title", "type": "title", "title": rich(name)}
        self.bodies[number] = blocks
        self.things[number] = {
            "object": "page",
            "id": number,
            "created_time": "2026-07-04T09:08:00.000Z",
            "last_edited_time": edited_at.replace("+00:00", "Z"),
            "created_by": {"object": "user", "id": ANA},
            "last_edited_by": {"object": "user", "id": ANA},
            "cover": None,
            "icon": None,
            "parent": {"type": "workspace", "workspace": True},
            "in_trash": False,
            "is_archived": False,
            "is_locked": False,
            "properties": {"title": title} | (properties or {}),
            "url": f"https://app.notion.com/p/{number.replace('-', '')}",
            "public_url": None,
            "archived": False,
        }
        return number

    def answer(self, method: str, path: str, asked: Object) -> tuple[int, Object]:
        """Answer a request, as far as the connector makes any."""
        parts = path.removeprefix("/v1/").split("/")
        match method, parts:
            case "POST", ["search"]:
                found = [
                    each for each in self.things.values() if not each["in_trash"] and each["id"] not in self.hidden
                ]
                return 200, self._listed(sorted(found, key=_edited, reverse=True), asked)
            case "GET", ["users", "me"]:
                bot = {"owner": {"type": "workspace", "workspace": True}, "workspace_name": "Tidewater"}
                return 200, {"object": "user", "id": str(uuid.uuid4()), "name": "KV", "type": "bot", "bot": bot}
            case "GET", ["users"]:
                person = {"object": "user", "id": ANA, "name": "Ana Ruiz", "type": "person"}
                return 200, self._listed([person], asked)
            case "GET", ["pages" | "data_sources", number] if number in self.things:
                return 200, self.things[number]
            case "GET", ["blocks", number, "children"] if (blocks := self._inside(number)) is not None:
                return 200, self._listed([_as_listed(each) for each in blocks], asked)
            case _:
                return 404, error(404, "object_not_found", "Could not find it.")

    def knows(self, authorization: str) -> bool:
        """Whether somebody may come in."""
        token = authorization.removeprefix("Bearer ")
        return token == self.secret or token in self.consents.tokens

    def _inside(self, number: str) -> list[Object] | None:
        if number in self.bodies:
            return self.bodies[number]
        left = [each for blocks in self.bodies.values() for each in blocks]
        while left:
            each = left.pop()
            if each["id"] == number:
                inner: list[Object] = each["inner"]
                return inner
            left += each["inner"]
        return None

    def _listed(self, found: list[Object], asked: Object) -> Object:
        size = min(int(asked.get("page_size", 100)), MAX_AT_ONCE)
        start = int(asked.get("start_cursor") or 0)
        following = str(start + size) if start + size < len(found) else None
        part = found[start : start + size]
        return {"object": "list", "results": part, "next_cursor": following, "has_more": following is not None}


def error(status: int, code: str, message: str) -> Object:
    """A refusal as Notion words it."""
    return {"object": "error", "status": status, "code": code, "message": message, "request_id": str(uuid.uuid4())}


def _edited(thing: Object) -> str:
    return str(thing["last_edited_time"])


def _as_listed(each: Object) -> Object:
    return {name: value for name, value in each.items() if name != "inner"} | {"has_children": bool(each["inner"])}


@contextmanager
def running_notion() -> Iterator[Workspace]:
    """Serve an empty workspace."""
    workspace = Workspace()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if urlsplit(self.path).path == "/v1/oauth/authorize":
                self.send_response(302)
                self.send_header("Location", workspace.consents.allow(urlsplit(self.path).query))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            self.reply("GET", query)

        def do_POST(self) -> None:
            self.reply("POST", json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def reply(self, method: str, asked: Object) -> None:
            status, said = 401, error(401, "unauthorized", "API token is invalid.")
            if workspace.n_limited:
                workspace.n_limited -= 1
                status, said = 429, error(429, "rate_limited", "Slow down.")
            elif self.path.startswith("/v1/oauth/"):
                headers = {name.title(): value for name, value in self.headers.items()}
                status, said = workspace.consents.answer(self.path, headers, asked)
            elif workspace.knows(self.headers["Authorization"] or "") and self.headers["Notion-Version"]:
                status, said = workspace.answer(method, urlsplit(self.path).path, asked)
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            if status == 429:
                self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        workspace.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield workspace
        finally:
            server.shutdown()
            thread.join()
