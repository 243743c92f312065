"""A Confluence and a Jira of our own, for want of one that others wrote.

Tests hold them to what Atlassian publishes: its OpenAPI document, and clients that others made from such documents and
that refuse an answer of another shape. They understand as much of CQL and JQL as the connectors ask, in the cloud's
ways and in a server's.
"""

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

EMAIL, TOKEN = "ana@tidewater.example", "of-the-tests-alone"
MAX_WITHIN = 2
"""So many comments come with an issue; more are asked for."""
Object = dict[str, Any]


def at(moment: datetime) -> str:
    """A moment as Atlassian writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


@dataclass
class AtlassianServer:
    """A site, as its people change it."""

    url: str = ""
    content: dict[str, Object] = field(default_factory=dict)
    issues: dict[str, Object] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    asides: dict[str, Object] = field(default_factory=dict)
    """Restrictions that are told only to who asks about one page."""
    max_at_once: int = 7
    """Fewer than the real ones give, so that lists have pages."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    ids: Iterator[int] = field(default_factory=lambda: count(10_001))

    def page(self, title: str, text: str, *, space: str = "ENG", above: str = "", number: str = "") -> str:
        held = self.content.get(number, {})
        number = number or str(next(self.ids))
        restrictions = held.get("restrictions") or reading((), ())
        self.content[number] = {
            "id": number,
            "type": "page",
            "status": "current",
            "title": title,
            "version": _version(self.now, held.get("version", {}).get("number", 0) + 1),
            "history": {"latest": True, "createdDate": at(self.now), "createdBy": _person("Ana Ruiz")},
            "ancestors": [*self.content[above]["ancestors"], _reference(above)] if above else [],
            "restrictions": restrictions,
            "body": _body(text),
            "_expandable": {"space": f"/rest/api/space/{space}"},
            "_links": {"webui": f"/spaces/{space}/pages/{number}"},
        }
        return number

    def attached(self, page: str, kind: str, title: str, text: str) -> str:
        """Put a comment or a file to a page."""
        number = f"att{next(self.ids)}" if kind == "attachment" else str(next(self.ids))
        self.files[number] = text.encode()
        self.content[number] = {
            **{name: self.content[page][name] for name in ("_expandable", "status", "history")},
            "id": number,
            "type": kind,
            "title": title,
            "version": _version(self.now, 1),
            "container": _reference(page),
            "extensions": {"mediaType": "text/plain", "fileSize": len(text)} if kind == "attachment" else {},
            "body": _body(text),
            "_links": {"download": f"/download/attachments/{number}"},
        }
        return number

    def issue(self, summary: str, text: str, *, project: str = "OPS", number: str = "", **fields: object) -> str:
        number = number or str(next(self.ids))
        self.issues[number] = {
            "id": number,
            "key": f"{project}-{number}",
            "project": project,
            "touched": self.now,
            "fields": {
                "summary": summary,
                "updated": at(self.now),
                "created": at(self.now),
                "status": {"name": "Done"},
                "labels": ["cold chain"],
                "attachment": [],
                **fields,
            },
            "renderedFields": {"description": f"<p>{text}</p>"},
            "comments": [],
        }
        return number

    def say(self, number: str, text: str, **more: object) -> None:
        """Comment on an issue."""
        self.now += timedelta(seconds=1)
        said = {"id": str(next(self.ids)), "author": _author("Tom"), "created": at(self.now), "body": text, **more}
        self.issues[number]["comments"].append(said)
        self.issues[number]["fields"]["updated"] = at(self.now)

    def attach(self, number: str, name: str, text: str) -> str:
        """Attach a file to an issue."""
        file = str(next(self.ids))
        self.files[file] = text.encode()
        address = f"{self.url}/rest/api/2/attachment/content/{file}"
        said = {"id": file, "filename": name, "size": len(text), "mimeType": "text/plain", "content": address}
        self.issues[number]["fields"]["attachment"].append(said)
        self.issues[number]["fields"]["updated"] = at(self.now + timedelta(seconds=1))
        return file

    def answer(self, path: str, asked: dict[str, str]) -> tuple[int, Object | bytes]:  # noqa: PLR0911 - a table
        wiki = "/wiki" if path.startswith("/wiki/") else ""
        path = path.removeprefix("/wiki")
        match path.strip("/").split("/"):
            case ["rest", "api", "content", "search"]:
                return 200, self._content(wiki, asked)
            case ["rest", "api", "content", number] if number in self.content:
                return 200, self.content[number]
            case ["rest", "api", "content", number, "restriction", "byOperation", "read"] if number in self.asides:
                return 200, self.asides[number]["read"]
            case ["rest", "api", "group", name, "member" | "membersByGroupId"] if (
                name.removeprefix("id-") in self.groups
            ):
                people = [_person(each, each) for each in self.groups[name.removeprefix("id-")]]
                return 200, {"results": people, "start": 0, "limit": 200, "size": len(people)}
            case ["download", "attachments", number] if number in self.files:
                return 200, self.files[number]
            case ["rest", "api", "2" | "3", "attachment", "content", number] if number in self.files:
                return 200, self.files[number]
            case ["rest", "api", "2" | "3", "myself"]:
                return 200, _author("Ana Ruiz")
            case ["rest", "api", "2" | "3", "search"]:
                found = self._found(asked["jql"])
                start = int(asked.get("startAt", 0))
                part = found[start : start + self.max_at_once]
                return 200, {"total": len(found), "startAt": start, "maxResults": self.max_at_once, "issues": part}
            case ["rest", "api", "2" | "3", "search", "jql"]:
                found, start = self._found(asked["jql"]), int(asked.get("nextPageToken", 0))
                end = start + self.max_at_once
                more = {"nextPageToken": str(end)} if end < len(found) else {}
                return 200, {"issues": found[start:end], "isLast": not more, **more}
            case ["rest", "api", "2" | "3" as version, "issue", name, "comment"] if issue := self._issue(name):
                start = int(asked.get("startAt", 0))
                spoken = issue["comments"][start : start + 2]
                part = [_comment(each, version) | {"renderedBody": each["body"]} for each in spoken]
                return 200, {"total": len(issue["comments"]), "startAt": start, "maxResults": 2, "comments": part}
            case ["rest", "api", "2" | "3" as version, "issue", name] if issue := self._issue(name):
                return 200, _shown(issue, version if "comment" in asked.get("fields", "") else "")
            case _:
                return 404, {"message": "Not found"}

    def _issue(self, name: str) -> Object | None:
        return next((each for each in self.issues.values() if name in (each["id"], each["key"])), None)

    def _found(self, jql: str) -> list[Object]:
        projects = re.search(r"project in \(([^)]*)\)", jql)
        minutes = re.search(r"updated >= -(\d+)m", jql)
        since = self.now - timedelta(minutes=int(minutes[1])) if minutes else None
        found = list(self.issues.values())
        if projects:
            found = [each for each in found if f'"{each["project"]}"' in projects[1]]
        if since:
            found = [each for each in found if datetime.fromisoformat(each["fields"]["updated"]) >= since]
        return [_shown(each) for each in found]

    def _content(self, wiki: str, asked: dict[str, str]) -> Object:
        cql, start = asked["cql"], int(asked.get("start", 0))
        found = list(self.content.values())
        if types := re.search(r"type (?:in \(([^)]*)\)|= ?(\w+))", cql):
            found = [each for each in found if each["type"] in re.split(r"\W+", types[1] or types[2])]
        if spaces := re.search(r"space in \(([^)]*)\)", cql):
            found = [each for each in found if f'"{each["_expandable"]["space"].rpartition("/")[2]}"' in spaces[1]]
        if number := re.search(r"id = (\w+)", cql):
            found = [each for each in found if each["id"] == number[1]]
        if container := re.search(r"container = (\w+)", cql):
            found = [each for each in found if each.get("container", {}).get("id") == container[1]]
        following = f"/rest/api/content/search?cql={quote(cql)}&start={start + self.max_at_once}"
        links = {"base": f"{self.url}{wiki}", "context": wiki}
        links |= {"next": following} if start + self.max_at_once < len(found) else {}
        part = found[start : start + self.max_at_once]
        return {"results": part, "start": start, "limit": self.max_at_once, "size": len(part), "_links": links}


def reading(people: tuple[str, ...], groups: tuple[str, ...]) -> Object:
    """Who alone may read a page."""
    named = {
        "user": [_person(each, each) for each in people],
        "group": [{"type": "group", "name": each, "id": f"id-{each}"} for each in groups],
    }
    lists = {kind: {"results": each, "start": 0, "limit": 200, "size": len(each)} for kind, each in named.items()}
    return {"read": {"operation": "read", "restrictions": lists, "_expandable": {}, "_links": {}}}


def _person(name: str, email: str = "") -> Object:
    told = {"email": email} if email else {}
    return {"type": "known", "accountId": f"id-{name}", "accountType": "atlassian", "displayName": name, **told}


def _author(name: str) -> Object:
    """A person as Jira has it."""
    return {"accountId": f"id-{name}", "accountType": "atlassian", "active": True, "displayName": name}


def _version(when: datetime, number: int) -> Object:
    return {"number": number, "when": at(when), "minorEdit": False, "by": _person("Ana Ruiz")}


def _reference(page: str) -> Object:
    return {"id": page, "type": "page", "status": "current"}


def _body(text: str) -> Object:
    return {"export_view": {"value": f"<p>{text}</p>", "representation": "export_view"}}


def _comment(said: Object, version: str) -> Object:
    """A comment as a version of the API has it: text before the third, then a document."""
    words = [{"type": "paragraph", "content": [{"type": "text", "text": said["body"]}]}]
    return said | ({"body": {"type": "doc", "version": 1, "content": words}} if version == "3" else {})


def _shown(issue: Object, version: str = "") -> Object:
    """An issue, with its first comments where a version of the API is told."""
    shown = {name: issue[name] for name in ("id", "key", "fields", "renderedFields")}
    if version:
        part, n_comments = issue["comments"][:MAX_WITHIN], len(issue["comments"])
        held = {
            "comments": [_comment(each, version) for each in part],
            "total": n_comments,
            "startAt": 0,
            "maxResults": MAX_WITHIN,
        }
        rendered = {"comments": [{"id": each["id"], "body": each["body"]} for each in part]}
        shown["fields"] = issue["fields"] | {"comment": held}
        shown["renderedFields"] = issue["renderedFields"] | {"comment": rendered}
    return shown


@dataclass
class Pages:
    """Pages of a Confluence, as people change them."""

    server: AtlassianServer
    numbers: dict[str, str] = field(default_factory=dict)

    async def write(self, name: str, text: str) -> None:
        self.numbers[name] = self.server.page(name, text, number=self.numbers.get(name, ""))

    async def delete(self, name: str) -> None:
        del self.server.content[self.numbers.pop(name)]


@dataclass
class Issues:
    """Issues of a Jira, as people change them."""

    server: AtlassianServer
    numbers: dict[str, str] = field(default_factory=dict)

    async def write(self, name: str, text: str) -> None:
        self.server.now += timedelta(seconds=1)
        self.numbers[name] = self.server.issue(name, text, number=self.numbers.get(name, ""))

    async def delete(self, name: str) -> None:
        del self.server.issues[self.numbers.pop(name)]


@contextmanager
def running_atlassian() -> Iterator[AtlassianServer]:
    """Serve an empty site, to whoever has the token."""
    site = AtlassianServer()
    basic = base64.b64encode(f"{EMAIL}:{TOKEN}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            is_known = self.headers["Authorization"] in (f"Basic {basic}", f"Bearer {TOKEN}")
            status, said = site.answer(url.path, asked) if is_known else (401, {"message": "Unauthorized"})
            content = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
