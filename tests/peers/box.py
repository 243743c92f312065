"""A Box of our own, for want of one that others wrote: a test holds its answers to Box's published schema.

It keeps files, folders, collaborations and groups, ends access tokens when a test says so, and takes each refresh token
once, as the real one does.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

MAX_AT_ONCE = 7
"""Fewer than the real one gives, so that lists have pages."""
Object = dict[str, Any]


@dataclass
class BoxServer:
    """An account, as its people change it."""

    url: str = ""
    items: dict[str, Object] = field(default_factory=dict)
    """Files and folders by id, with the id of the folder they lie in under `in`, and content under `content`."""
    shared: dict[str, list[Object]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    access_token: str = "a0"
    refresh_token: str = "r0"
    n_renewed: int = 0
    expected: dict[str, str] = field(default_factory=dict)
    constant: int = 13
    """Requests of the contract's sync besides one a change: three for the list, and one more for each of ten downloads,
    since Box answers those with the address of another server."""
    ids: Iterator[int] = field(default_factory=lambda: count(1001))

    def folder(self, name: str, inside: str = "0") -> str:
        number = str(next(self.ids))
        self.items[number] = {"type": "folder", "id": number, "etag": "0", "name": name, "in": inside}
        return number

    def file(self, name: str, content: bytes, inside: str = "0", number: str = "", size: int | None = None) -> str:
        number = number or str(next(self.ids))
        self.items[number] = {
            "type": "file",
            "id": number,
            "etag": "1",
            "name": name,
            "sha1": hashlib.sha1(content).hexdigest(),
            "size": len(content) if size is None else size,
            "content_created_at": "2026-05-01T08:00:00-07:00",
            "content_modified_at": "2026-05-02T08:00:00-07:00",
            "modified_by": {"type": "user", "id": "11", "name": "Ana Ruiz", "login": "ana@tidewater.example"},
            "in": inside,
            "content": content,
        }
        return number

    def share(self, number: str, grantee: str, role: str = "viewer", status: str = "accepted") -> None:
        """Share with a person, by address, or with a group, by its number."""
        is_group = grantee in self.groups
        group = {"type": "group", "id": grantee, "name": f"Group {grantee}"}
        person = {"type": "user", "id": str(next(self.ids)), "name": grantee, "login": grantee}
        self.shared.setdefault(number, []).append(
            {
                "type": "collaboration",
                "id": str(next(self.ids)),
                "role": role,
                "status": status,
                "accessible_by": group if is_group else person,
            }
        )

    async def add(self, text: str) -> None:
        number = self.file(f"note {len(self.items)}.md", text.encode())
        self.expected[number] = text

    async def edit(self, external_id: str, text: str) -> None:
        held = self.items[external_id]
        self.file(held["name"], text.encode(), held["in"], external_id)
        self.expected[external_id] = text

    async def delete(self, external_id: str) -> None:
        del self.items[external_id], self.expected[external_id]

    def renew(self, asked: Object) -> tuple[int, Object]:
        """Give new tokens for the refresh token, once."""
        if asked.get("refresh_token") != self.refresh_token:
            return 400, {"error": "invalid_grant", "error_description": "Refresh token has expired"}
        self.n_renewed += 1
        self.access_token, self.refresh_token = f"a{self.n_renewed}", f"r{self.n_renewed}"
        said = {"access_token": self.access_token, "refresh_token": self.refresh_token, "token_type": "bearer"}
        return 200, said | {"expires_in": 3600}

    def answer(self, path: str, asked: Object) -> tuple[int, Object]:
        """Answer a question, as far as the connector asks any."""
        match path.removeprefix("/2.0/").split("/"):
            case ["users", "me"]:
                return 200, {"type": "user", "id": "11", "name": "Ana Ruiz", "login": "ana@tidewater.example"}
            case ["folders", number, "items"] if number == "0" or number in self.items:
                inside = [self._listed(each) for each in self.items.values() if each["in"] == number]
                return 200, _paged(inside, asked)
            case ["folders" | "files", number, "collaborations"] if number in self.items:
                return 200, _paged(self.shared.get(number, []), asked)
            case ["groups", number, "memberships"] if number in self.groups:
                people = [{"type": "user", "id": "12", "name": each, "login": each} for each in self.groups[number]]
                entries = [
                    {"type": "group_membership", "id": str(place), "user": each} for place, each in enumerate(people)
                ]
                return 200, {"total_count": len(entries), "limit": 1000, "offset": 0, "entries": entries}
            case _:
                return 404, {"type": "error", "status": 404, "code": "not_found", "message": "Not Found"}

    def _listed(self, item: Object) -> Object:
        listed = {name: value for name, value in item.items() if name not in ("in", "content")}
        return listed | {"has_collaborations": bool(self.shared.get(item["id"]))}


def _paged(entries: list[Object], asked: Object) -> Object:
    start = int(asked.get("marker") or 0)
    part = entries[start : start + MAX_AT_ONCE]
    more = {"next_marker": str(start + MAX_AT_ONCE)} if start + MAX_AT_ONCE < len(entries) else {}
    return {"limit": MAX_AT_ONCE, "entries": part} | more


@contextmanager
def running_box() -> Iterator[BoxServer]:
    """Serve an empty account."""
    box = BoxServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            if self.headers["Authorization"] != f"Bearer {box.access_token}":
                return self.reply(401, b"{}")
            parts = url.path.split("/")
            if url.path.startswith("/dl/"):
                return self.reply(200, box.items[parts[2]]["content"])
            if url.path.endswith("/content"):
                known = parts[3] in box.items
                return self.reply(302 if known else 404, b"", f"{box.url}/dl/{parts[3]}")
            status, said = box.answer(url.path, asked)
            return self.reply(status, json.dumps(said).encode())

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            status, said = box.renew({name: values[0] for name, values in form.items()})
            self.reply(status, json.dumps(said).encode())

        def reply(self, status: int, content: bytes, location: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        box.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()
