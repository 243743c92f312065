"""Speaking an answer: what the browser records comes back as text, from a real server."""

import dataclasses

import httpx
import pytest

from domain.people import Viewer
from domain.vault import Tools
from infra.inference.transcriber import HttpTranscriber
from infra.store import Stores
from tests import factories
from tests.inference import conftest as inference
from tests.inference.conftest import PlayedServer, says
from tests.web.browser import Browser
from tests.web.knowing import LOST, Knowing

played, client = inference.played, inference.client


class TestWithServer:
    """Where a transcription server is set up."""

    @pytest.fixture
    def tools(self, tools: Tools, played: PlayedServer, client: httpx.AsyncClient) -> Tools:
        return dataclasses.replace(tools, transcriber=HttpTranscriber(client, played.base_url, "key", "whisper-1"))

    async def test_a_recording_is_written_down_and_kept_nowhere(
        self,
        admin: Browser,
        played: PlayedServer,
        stores: Stores,
        admin_viewer: Viewer,
    ) -> None:
        played.replies = [says('{"text": " Zelda cleans it. "}')]
        token = {"csrf_token": admin.csrf_token()}
        sent = {"recording": ("speech.webm", b"\x1aE\xdf\xa3 speech", "audio/webm")}
        response = await admin.client.post("/transcripts", data=token, files=sent)
        assert (response.status_code, response.text) == (200, "Zelda cleans it.")
        [request] = played.requests
        assert b"Bearer key" in request
        assert b'name="model"' in request
        assert b"\x1aE\xdf\xa3 speech" in request
        async with stores.open_vault(admin_viewer) as vault:
            assert await vault.uploads.after(0, 5) == []

    async def test_an_empty_recording_and_a_server_that_talks_nonsense_are_said(
        self,
        admin: Browser,
        played: PlayedServer,
    ) -> None:
        token = {"csrf_token": admin.csrf_token()}
        nothing = await admin.client.post("/transcripts", data=token, files={"recording": ("s.webm", b"")})
        assert nothing.status_code == 422
        played.replies = [says("pardon?")]
        broken = await admin.client.post("/transcripts", data=token, files={"recording": ("s.webm", b"x")})
        assert broken.status_code == 503

    async def test_the_gap_page_has_a_microphone(
        self, admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
    ) -> None:
        source.files = {"a.md": LOST}
        knowing = Knowing(stores, tools, admin_viewer)
        await knowing.synced()
        [gap] = await knowing.gaps()
        await admin.visit(f"/gaps/{gap.id}")
        assert admin.page.css_first("[data-records=text]") is not None
        assert "microphone=(self)" in admin.response.headers["permissions-policy"]


async def test_without_a_server_there_is_no_microphone(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> None:
    source.files = {"a.md": LOST}
    knowing = Knowing(stores, tools, admin_viewer)
    await knowing.synced()
    [gap] = await knowing.gaps()
    await admin.visit(f"/gaps/{gap.id}")
    assert admin.page.css_first("[data-records]") is None
    sent = {"recording": ("speech.webm", b"x")}
    response = await admin.client.post("/transcripts", data={"csrf_token": admin.csrf_token()}, files=sent)
    assert response.status_code == httpx.codes.NOT_FOUND
