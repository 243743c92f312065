"""The transcriber behind an OpenAI-compatible `/v1/audio/transcriptions` address."""

from functools import partial

import httpx
import msgspec

from domain.errors import Unavailable
from infra.inference.replies import Busy, patiently, require_success

TIMEOUT = httpx.Timeout(120.0, connect=5.0)


class _Reply(msgspec.Struct, frozen=True):
    text: str


class HttpTranscriber:
    """Transcribes by asking a server; the client is its maker's to close."""

    def __init__(self, client: httpx.AsyncClient, base_url: str, api_key: str, model: str) -> None:
        self._client = client
        self._url = f"{base_url.rstrip('/')}/audio/transcriptions"
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._model = model

    async def transcribe(self, name: str, media_type: str, recording: bytes) -> str:
        """See `domain.transcribing.Transcriber`; a server that is busy is asked up to three times."""
        return await patiently(partial(self._ask, name, media_type, recording))

    async def _ask(self, name: str, media_type: str, recording: bytes) -> str:
        fields = {"model": self._model, "response_format": "json"}
        files = {"file": (name, recording, media_type)}
        try:
            response = await self._client.post(
                self._url, data=fields, files=files, headers=self._headers, timeout=TIMEOUT
            )
        except httpx.TransportError as error:
            raise Busy(f"The transcription server does not answer ({type(error).__name__}).") from error
        require_success(response, "transcription server")
        try:
            return msgspec.json.decode(response.content, type=_Reply).text.strip()
        except msgspec.MsgspecError as error:
            raise Unavailable("The transcription server answered something that is no transcript.") from error
