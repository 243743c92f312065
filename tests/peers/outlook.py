"""A mailbox at Outlook of our own, in the shapes of Graph's reference, for want of one that others wrote.

Each folder has its delta; a mail that is moved is gone from one and new in another, under another id, as at Microsoft.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import parse_qs, unquote, urlsplit

from tests.connectors.peers import mail_of

MAX_AT_ONCE = 7
"""Fewer than the real one gives, so that lists have pages."""
Answer = tuple[int, dict[str, object] | bytes]


@dataclass
class OutlookServer:
    """A mailbox, as its owner changes it."""

    url: str = ""
    folders: dict[str, dict[str, str]] = field(default_factory=dict)
    mails: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """The folder and the bytes of each mail, by its id."""
    events: list[tuple[str, str, bool]] = field(default_factory=list)
    """What happened, in order: in which folder, to which mail, and whether it went."""
    access_token: str = "a0"
    is_forgetful: bool = False
    """Whether all deltas handed out so far are too old."""
    expected: dict[str, str] = field(default_factory=dict)
    constant: int = 8
    ids: Iterator[int] = field(default_factory=lambda: count(1))

    def folder(self, name: str, inside: str = "top", well_known: str = "") -> str:
        number = f"F{next(self.ids)}="
        self.folders[number] = {"id": number, "displayName": name, "parentFolderId": inside, "wellKnown": well_known}
        return number

    def put(self, folder: str, content: bytes) -> str:
        number = f"M{next(self.ids)}="
        self.mails[number] = folder, content
        self.events.append((folder, number, False))
        return f"{folder}/{number}"

    def take(self, external_id: str) -> bytes:
        folder, _, number = external_id.partition("/")
        self.events.append((folder, number, True))
        return self.mails.pop(number)[1]

    def move(self, external_id: str, folder: str) -> str:
        return self.put(folder, self.take(external_id))

    async def add(self, text: str) -> None:
        self.expected[self.put(self._inbox, mail_of(text).as_bytes())] = text

    async def edit(self, external_id: str, text: str) -> None:
        await self.delete(external_id)
        await self.add(text)

    async def delete(self, external_id: str) -> None:
        self.take(external_id)
        del self.expected[external_id]

    @property
    def _inbox(self) -> str:
        return next(number for number, each in self.folders.items() if each["wellKnown"] == "inbox")

    def answer(self, path: str, asked: dict[str, str]) -> Answer:
        match path.removeprefix("/v1.0/me/").split("/"):
            case ["mailFolders", "delta"]:
                said = [{k: v for k, v in each.items() if k != "wellKnown"} for each in self.folders.values()]
                return 200, {"value": said, "@odata.deltaLink": f"{self.url}{path}?$deltatoken=x"}
            case ["mailFolders", name]:
                found = [each for each in self.folders.values() if name in (each["wellKnown"], each["id"])]
                return (200, {"id": found[0]["id"]}) if found else (404, {"error": {"code": "ErrorItemNotFound"}})
            case ["mailFolders", folder, "messages", "delta"] if folder in self.folders:
                return self._delta(path, folder, asked)
            case ["mailFolders", folder, "messages"] if folder in self.folders:
                inside = [content for place, content in self.mails.values() if place == folder]
                return 200, {"@odata.count": sum(_is_asked_for(each, asked) for each in inside), "value": []}
            case ["messages", number, "$value"] if number in self.mails:
                return 200, self.mails[number][1]
            case _:
                return 404, {"error": {"code": "ErrorItemNotFound", "message": "Not found."}}

    def _delta(self, path: str, folder: str, asked: dict[str, str]) -> Answer:
        if "$deltatoken" in asked:
            since = int(asked["$deltatoken"])
            if self.is_forgetful:
                self.is_forgetful = False
                return 410, {"error": {"code": "syncStateNotFound", "message": "The sync state is not found."}}
            happened = {mail: gone for place, mail, gone in self.events[since:] if place == folder}
            said = [
                {"id": mail} | ({"@removed": {"reason": "deleted"}} if gone else {}) for mail, gone in happened.items()
            ]
            return 200, {"value": said, "@odata.deltaLink": f"{self.url}{path}?$deltatoken={len(self.events)}"}
        start = int(asked.get("$skiptoken", 0))
        inside = [number for number, (place, _) in self.mails.items() if place == folder]
        said = [
            {"id": each, "webLink": f"https://mail.test/{each}", "receivedDateTime": _came_at(self.mails[each][1])}
            for each in inside[start : start + MAX_AT_ONCE]
        ]
        if start + MAX_AT_ONCE < len(inside):
            return 200, {"value": said, "@odata.nextLink": f"{self.url}{path}?$skiptoken={start + MAX_AT_ONCE}"}
        return 200, {"value": said, "@odata.deltaLink": f"{self.url}{path}?$deltatoken={len(self.events)}"}


def _came_at(content: bytes) -> str:
    return f"{parsedate_to_datetime(str(message_from_bytes(content)['Date'])):%Y-%m-%dT%H:%M:%SZ}"


def _is_asked_for(content: bytes, asked: dict[str, str]) -> bool:
    """Whether a mail passes a filter of the two forms the connector sends."""
    compared = {"ge": str.__ge__, "lt": str.__lt__}
    parts = [each.split() for each in asked.get("$filter", "").split(" and ") if each]
    assert all(field == "receivedDateTime" and how in compared for field, how, _ in parts), parts
    return all(compared[how](_came_at(content), moment) for _, how, moment in parts)


@contextmanager
def running_outlook() -> Iterator[OutlookServer]:
    """Serve a mailbox with the usual folders and no mail."""
    outlook = OutlookServer()
    for name in ("inbox", "drafts", "deleteditems", "junkemail"):
        outlook.folder(name.title(), well_known=name)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            is_known = self.headers["Authorization"] == f"Bearer {outlook.access_token}"
            status, said = outlook.answer(unquote(url.path), asked) if is_known else (401, {})
            content = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        outlook.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield outlook
        finally:
            server.shutdown()
            thread.join()
