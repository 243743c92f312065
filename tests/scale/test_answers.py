"""The stream of an answer, read on several instances: it may break anywhere, and goes on with any of them."""

import re

import pytest

from tests.scale.cluster import Cluster
from tests.scale.people import Person, Seen, person

FACT = "# Harbour\n\n## Ferry\n\nThe ferry to the islands leaves at seven every morning from pier four.\n"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


async def begin(ada: Person, question: str) -> str:
    """Ask as a browser with script does; return the address of the answer's stream."""
    await ada.visit("/conversations")
    token = TOKEN.search(ada.response.text)
    assert token is not None, ada.words[:300]
    sent = await ada.client.post(
        "/conversations", data={"question": question, "csrf_token": token[1]}, headers={"HX-Request": "true"}
    )
    await ada.visit(sent.headers["HX-Redirect"])
    waiting = re.search(r'sse-connect="([^"]+)"', ada.response.text)
    assert waiting is not None
    return waiting[1]


async def follow(ada: Person, path: str, last_event: str) -> tuple[str, list[tuple[str, str]]]:
    """Read a stream up to the first event of this name; return the instance and the events."""
    events: list[tuple[str, str]] = []
    async with ada.client.stream("GET", path, timeout=40) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if line.startswith("event: "):
                events.append((line.removeprefix("event: "), ""))
                if events[-1][0] == last_event:
                    break
            elif line.startswith("data: ") and events:
                events[-1] = (events[-1][0], events[-1][1] + line.removeprefix("data: "))
    return response.headers["X-Instance"], events


@pytest.mark.parametrize("breaks_at", ["passages", "sentence", "done"])
async def test_an_answers_stream_that_breaks_goes_on_at_another_instance(several: Cluster, breaks_at: str) -> None:
    folder = several.folder / f"ferry-{breaks_at}"
    folder.mkdir()
    (folder / "harbour.md").write_text(FACT)
    async with person(several.url) as ada:
        await ada.sign_up()
        await ada.watch(await ada.connect_folder(folder), Seen())
        stream = await begin(ada, "When does the ferry to the islands leave?")
        first, _ = await follow(ada, stream, breaks_at)
        second, events = await follow(ada, stream, "close")
        third, again = await follow(ada, stream, "close")
    assert len({first, second, third}) > 1, "the proxy sends each request to the next process"
    done, kept = dict(events)["done"], dict(again)["done"]
    assert "leaves at seven" in done
    assert TOKEN.sub("", done) == TOKEN.sub("", kept), "what was once shown stays"
    assert [name for name, _ in again] == ["done", "close"]
