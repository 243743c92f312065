"""People who use a cluster through its proxy: each request may be answered by another process."""

import asyncio
import re
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin

import httpx
from selectolax.lexbor import LexborHTMLParser

from bench import corpus
from tests.web.browser import PASSWORD, filled

STREAM_RETRY_S = 0.2


@dataclass
class Seen:
    """What a person watching a sync has seen so far, and who served it."""

    markups: list[str] = field(default_factory=list)
    instances: list[str] = field(default_factory=list)
    is_over: bool = False

    @property
    def numbers(self) -> list[int]:
        """How many items were processed, each time the region came."""
        found = [re.search(r"(\d[\d\s,.]*)\s*%", markup) for markup in self.markups]
        return [int(match[1]) for match in found if match]


class Person:
    """One browser. `served_by` counts the instances that answered."""

    def __init__(self, url: str) -> None:
        self.client = httpx.AsyncClient(base_url=url, follow_redirects=True, timeout=30)
        self.email = f"{uuid.uuid4().hex[:12]}@tidewater.example"
        self.served_by: Counter[str] = Counter()
        self.response = httpx.Response(204)

    @property
    def path(self) -> str:
        return self.response.url.raw_path.decode()

    @property
    def words(self) -> str:
        body = LexborHTMLParser(self.response.text).body
        return " ".join(body.text(separator=" ").split()) if body else ""

    async def visit(self, path: str) -> "Person":
        return self._shown(await self.client.get(path))

    async def submit(self, action: str, **entered: str) -> "Person":
        """Send a form of the page shown."""
        page = LexborHTMLParser(self.response.text)
        form = next((form for form in page.css("form") if form.attributes.get("action") == action), None)
        assert form is not None, f"no form leads to {action} on {self.path}: {self.words[:300]}"
        return self._shown(await self.client.post(urljoin(self.path, action), data={**filled(form), **entered}))

    async def sign_up(self) -> "Person":
        await self.visit("/sign-up")
        await self.submit("/sign-up", company="Tidewater", name="Ada Byron", email=self.email, password=PASSWORD)
        assert self.path == "/", self.words[:300]
        return self

    async def sign_in(self, email: str) -> "Person":
        await self.visit("/session/new")
        return await self.submit("/session", email=email, password=PASSWORD)

    async def connect_folder(self, folder: Path) -> int:
        """Connect a folder and return the number of its first sync."""
        await self.visit("/integrations/new")
        await self.submit("/integrations", path=str(folder))
        return self.sync_shown

    async def sync_again(self, sync_id: int) -> int:
        """Ask for another sync of the same integration, and return its number."""
        await self.visit(f"/syncs/{sync_id}")
        found = re.search(r'formaction="(/integrations/\d+/syncs)"', self.response.text)
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.response.text)
        assert found and token, self.words[:300]
        self._shown(await self.client.post(found[1], data={"csrf_token": token[1]}))
        return self.sync_shown

    @property
    def sync_shown(self) -> int:
        found = re.fullmatch(r"/syncs/(\d+)", self.path)
        assert found, f"{self.path}: {self.words[:300]}"
        return int(found[1])

    async def watch(self, sync_id: int, seen: Seen) -> Seen:
        """Watch a sync as a browser does: whenever the stream breaks, connect again; return at its last event."""
        while not seen.is_over:
            try:
                await self._watch_once(sync_id, seen)
            except (httpx.HTTPError, httpx.StreamError):
                await asyncio.sleep(STREAM_RETRY_S)
        return seen

    async def _watch_once(self, sync_id: int, seen: Seen) -> None:
        async with self.client.stream("GET", f"/syncs/{sync_id}/events", timeout=40) as response:
            response.raise_for_status()
            seen.instances.append(response.headers["X-Instance"])
            name = ""
            async for line in response.aiter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                    if name == f"sync-{sync_id}":
                        seen.markups.append("")
                    if name == "close":
                        seen.is_over = True
                        return
                elif line.startswith("data: ") and name == f"sync-{sync_id}":
                    seen.markups[-1] += line.removeprefix("data: ")

    def _shown(self, response: httpx.Response) -> "Person":
        response.raise_for_status()
        for each in (*response.history, response):
            self.served_by[each.headers["X-Instance"]] += 1
        self.response = response
        return self


@asynccontextmanager
async def person(url: str) -> AsyncIterator[Person]:
    """Somebody who has not been here before."""
    somebody = Person(url)
    try:
        yield somebody
    finally:
        await somebody.client.aclose()


def write_documents(folder: Path, count: int, seed: int = 1) -> Path:
    """Fill a folder with Markdown documents."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in corpus.documents(count, seed).items():
        (folder / name).write_text(text)
    return folder
