"""The JSON API as scripts use it."""

from typing import Any

import httpx
import pytest
from litestar import Litestar

from domain.people import Viewer
from infra.store import Stores
from tests import factories
from tests.web.api.conftest import token_of
from tests.web.browser import Browser

QUESTION = {"question": "How long are nightly backups kept?"}


async def test_a_token_speaks_for_its_owner(api: httpx.AsyncClient, viewer: Viewer) -> None:
    me = (await api.get("/me")).json()
    assert (me["user_id"], me["tenant_id"], me["role"]) == (viewer.user_id, viewer.tenant_id, "admin")
    members = (await api.get("/members")).json()
    assert [member["email"] for member in members["items"]] == [viewer.email]


async def test_nobody_gets_a_problem_that_says_how_to_sign_in(api: httpx.AsyncClient) -> None:
    for token in ("", "Bearer wrong", "Bearer ", "Basic abc"):
        answer = await api.get("/me", headers={"Authorization": token})
        assert answer.status_code == 401
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert "Authorization: Bearer" in answer.json()["detail"]


async def test_a_session_needs_the_csrf_header_for_changes_and_a_token_does_not(admin: Browser) -> None:
    client = admin.client
    assert (await client.get("/api/v1/me")).json()["tenant_name"] == "Tidewater"
    refused = await client.post("/api/v1/answers", json=QUESTION)
    assert refused.status_code == 403
    assert "X-CSRF-Token" in refused.json()["detail"]
    token = (await admin.visit("/uploads/new")).csrf_token()
    assert (await client.post("/api/v1/answers", json=QUESTION, headers={"X-CSRF-Token": token})).status_code == 200


async def test_search_gives_passages_whose_spans_hold_in_the_document(api: httpx.AsyncClient, library: None) -> None:
    found = (await api.get("/search", params={"q": "how long are backups kept"})).json()
    best = found["items"][0]
    passage = best["passages"][0]
    marked = {passage["text"][start:end].lower() for start, end in passage["marks"]}
    assert marked >= {"backups", "kept"}
    read = (await api.get(f"/documents/{best['document_id']}", params={"version": passage["version_id"]})).json()
    assert read["text"][passage["start"] : passage["end"]] == passage["text"]


async def test_an_answer_quotes_what_stands_in_the_cited_version(api: httpx.AsyncClient, library: None) -> None:
    answer = (await api.post("/answers", json=QUESTION)).json()
    assert not answer["is_abstained"]
    for sentence in answer["sentences"]:
        for citation in sentence["citations"]:
            params = {"version": citation["version_id"]}
            read = (await api.get(f"/documents/{citation['document_id']}", params=params)).json()
            assert read["text"][citation["start"] : citation["end"]] == citation["quote"]
    unanswered = (await api.post("/answers", json={"question": "Who plays the xylophone?"})).json()
    assert (unanswered["is_abstained"], unanswered["sentences"]) == (True, [])


async def test_documents_are_listed_page_by_page_filtered_and_deleted(api: httpx.AsyncClient, library: None) -> None:
    first = (await api.get("/documents", params={"limit": 1, "sort": "title"})).json()
    second = (await api.get("/documents", params={"limit": 1, "sort": "title", "key": first["next_key"]})).json()
    titles = [page["items"][0]["title"] for page in (first, second)]
    assert titles == ["Minutes of the storage round", "Operations handbook"]
    assert (first["total"], second["next_key"]) == (2, "")
    narrowed = (await api.get("/documents", params={"text": "handbook", "until": "9999-12-31"})).json()
    [handbook] = narrowed["items"]
    assert (await api.delete(f"/documents/{handbook['id']}")).status_code == 204
    assert (await api.delete(f"/documents/{handbook['id']}")).status_code == 404
    found = (await api.get("/search", params={"q": "backups"})).json()
    assert [hit["title"] for hit in found["items"]] == ["Minutes of the storage round"]


async def test_a_conversation_is_begun_continued_read_listed_and_deleted(api: httpx.AsyncClient, library: None) -> None:
    begun = await api.post("/conversations", json=QUESTION)
    assert begun.status_code == 201
    path = f"/conversations/{begun.json()['conversation']['id']}"
    assert "35 days" in begun.json()["messages"][1]["text"]
    message = (await api.post(f"{path}/messages", json={"question": "And the monthly backups?"})).json()
    assert (message["role"], message["state"]) == ("answer", "complete")
    assert "two years" in message["text"]
    thread = (await api.get(path)).json()
    assert [one["role"] for one in thread["messages"]] == ["question", "answer", "question", "answer"]
    assert thread["conversation"]["name"] == QUESTION["question"]
    listed = (await api.get("/conversations")).json()
    assert [one["n_questions"] for one in listed["items"]] == [2]
    assert (await api.delete(path)).status_code == 204
    assert (await api.get(path)).status_code == 404


async def test_files_are_uploaded_and_their_sync_watched_and_cancelled(api: httpx.AsyncClient) -> None:
    files = [("files", ("a.md", b"# A\n\nText.")), ("files", ("b.txt", b"Text."))]
    sync = await api.post("/uploads", files=files, data={"readers": "me"})
    assert sync.status_code == 202
    assert (sync.json()["state"], sync.json()["percent"]) == ("queued", None)
    [integration] = (await api.get("/integrations")).json()["items"]
    assert integration["kind"] == "upload"
    assert "settings" not in integration
    again = await api.post(f"/integrations/{integration['id']}/syncs")
    assert (again.status_code, again.json()["id"]) == (202, sync.json()["id"])
    assert (await api.get(f"/integrations/{integration['id']}")).json() == integration
    cancelled = await api.post(f"/syncs/{sync.json()['id']}/cancellation")
    assert (cancelled.status_code, cancelled.json()["state"]) == (202, "cancelled")
    assert (await api.get(f"/syncs/{sync.json()['id']}")).json()["state"] == "cancelled"
    assert (await api.post(f"/syncs/{sync.json()['id']}/cancellation")).status_code == 409


async def test_an_upload_without_files_is_refused(api: httpx.AsyncClient) -> None:
    nonsense = {"content": b"nonsense", "headers": {"Content-Type": "multipart/form-data"}}
    attempts: list[dict[str, Any]] = [{"data": {"readers": "me"}}, {"json": {}}, nonsense]
    for sent in attempts:
        answer = await api.post("/uploads", **sent)
        assert answer.status_code in (400, 422), sent
        assert answer.headers["Content-Type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/search", "q"),
        ("/search?q=%20", "q"),
        ("/search?q=x&limit=0", "limit"),
        ("/search?q=x&limit=51", "limit"),
        ("/search?q=x&since=yesterday", "since"),
        ("/search?q=x&integration=x", "integration"),
        ("/documents?limit=1000", "limit"),
        ("/documents?limit=ten", "limit"),
        ("/documents?sort=size", "sort"),
        ("/documents?integration=9223372036854775808", "integration"),
        ("/conversations?limit=-1", "limit"),
    ],
)
async def test_a_value_outside_of_its_limits_is_named(api: httpx.AsyncClient, path: str, field: str) -> None:
    answer = await api.get(path)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])


async def test_bodies_that_make_no_sense_are_refused(api: httpx.AsyncClient) -> None:
    for body in (
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"question": 5}',
        b'{"question": ""}',
        b'{"question": "\\u0000 "}',
        b"\xff",
    ):
        for path in ("/answers", "/conversations", "/conversations/1/messages"):
            answer = await api.post(path, content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code in (400, 422), (path, body)
            assert answer.headers["Content-Type"].startswith("application/problem+json")


async def test_what_is_somebody_elses_is_not_found(
    api: httpx.AsyncClient, library: None, stores: Stores, viewer: Viewer, app: Litestar
) -> None:
    thread = (await api.post("/conversations", json=QUESTION)).json()
    document = (await api.get("/documents")).json()["items"][0]
    integration = (await api.get("/integrations")).json()["items"][0]
    colleague, stranger = (
        await factories.member(stores.engine, viewer.tenant_id),
        await factories.member(stores.engine),
    )
    conversation = f"/conversations/{thread['conversation']['id']}"
    own = {conversation, f"/documents/{document['id']}", f"/integrations/{integration['id']}"}
    for other, hidden in ((colleague, {conversation}), (stranger, own)):
        headers = {"Authorization": f"Bearer {await token_of(stores, other)}"}
        for path in own:
            expected = 404 if path in hidden else 200
            assert (await api.get(path, headers=headers)).status_code == expected, path
        assert (await api.post(f"{conversation}/messages", json=QUESTION, headers=headers)).status_code == 404
        assert (await api.delete(conversation, headers=headers)).status_code == 404
    headers = {"Authorization": f"Bearer {await token_of(stores, stranger)}"}
    assert (await api.delete(f"/documents/{document['id']}", headers=headers)).status_code == 404
    assert (await api.post(f"/integrations/{integration['id']}/syncs", headers=headers)).status_code == 404


async def test_unknown_numbers_are_not_found(api: httpx.AsyncClient) -> None:
    for number in ("9223372036854775807", "9223372036854775808", "0"):
        for noun in ("documents", "conversations", "integrations", "syncs"):
            answer = await api.get(f"/{noun}/{number}")
            assert answer.status_code in (404, 422), answer.url
            assert answer.headers["Content-Type"].startswith("application/problem+json")


async def test_every_call_is_described(api: httpx.AsyncClient) -> None:
    schema = (await api.get("/schema", headers={"Authorization": ""})).json()
    assert schema["components"]["securitySchemes"].keys() == {"token", "session"}
    for path, methods in schema["paths"].items():
        assert path.startswith("/api/v1/")
        for method, operation in methods.items():
            assert operation["summary"] and operation["tags"] and operation["operationId"], (method, path)
            assert operation["description"], (method, path)
