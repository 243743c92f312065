"""The language model behind an OpenAI-compatible `/v1/chat/completions` address, read as it streams."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

import httpx
import msgspec

from domain.errors import Unavailable
from domain.language import Turn
from infra.inference.replies import Busy, patiently, require_success

CONNECT_TIMEOUT_S = 5.0
PIECE_TIMEOUT_S = 20.0
WHOLE_TIMEOUT_S = 60.0
"""A model that trickles on for longer is broken off; people have the documents' own sentences by then."""
END_OF_STREAM = "[DONE]"


class _Delta(msgspec.Struct, frozen=True):
    content: str | None = None


class _Choice(msgspec.Struct, frozen=True):
    delta: _Delta = _Delta()
    finish_reason: str | None = None


class _Event(msgspec.Struct, frozen=True):
    choices: list[_Choice] = []
    error: msgspec.Raw = msgspec.Raw(b"")


class ChatModel:
    """Writes by asking a server; the client is its maker's to close."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        base_url: str,
        api_key: str,
        model: str,
        *,
        piece_timeout_s: float = PIECE_TIMEOUT_S,
        whole_timeout_s: float = WHOLE_TIMEOUT_S,
    ) -> None:
        self._client = client
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._model = model
        self._whole_timeout_s = whole_timeout_s
        self._timeout = httpx.Timeout(piece_timeout_s, connect=CONNECT_TIMEOUT_S)

    @property
    def name(self) -> str:
        """The model's name, for people."""
        return self._model

    async def write(self, turns: Sequence[Turn], max_tokens: int) -> AsyncGenerator[str]:
        """Yield the reply piece by piece; 429, 5xx and lost connections are retried before the first piece only.

        Raises: Unavailable when the model is away, slow beyond its time-out, refuses, or cuts the stream.
        """
        deadline = time.monotonic() + self._whole_timeout_s
        response = await patiently(lambda: self._open(turns, max_tokens))
        async with aclosing(response), _told_plainly():
            async for piece in _pieces(response.aiter_lines()):
                if time.monotonic() > deadline:
                    raise Unavailable("The language model took too long to answer. Ask again later.")
                yield piece

    async def _open(self, turns: Sequence[Turn], max_tokens: int) -> httpx.Response:
        body = {
            "model": self._model,
            "messages": [msgspec.to_builtins(turn) for turn in turns],
            "max_tokens": max_tokens,
            "temperature": 0,
            "stream": True,
        }
        request = self._client.build_request("POST", self._url, json=body, headers=self._headers, timeout=self._timeout)
        async with _told_plainly():
            response = await self._client.send(request, stream=True)
        if not response.is_success:
            await response.aclose()
        require_success(response, "language model")
        return response


async def _pieces(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """Yield the text of server-sent events (WHATWG HTML 9.2); a stream is whole when it says how it ended."""
    is_finished = False
    async for line in lines:
        if not line.startswith("data:"):
            continue
        content = line.removeprefix("data:").strip()
        if content == END_OF_STREAM:
            return
        event = _decoded(content)
        for choice in event.choices[:1]:
            is_finished = is_finished or choice.finish_reason is not None
            if choice.delta.content:
                yield choice.delta.content
    if not is_finished:
        raise Unavailable("The language model stopped in the middle of its answer. Ask again.")


def _decoded(content: str) -> _Event:
    try:
        event = msgspec.json.decode(content, type=_Event)
    except msgspec.MsgspecError as error:
        raise Unavailable("The language model answered something that cannot be read. Check LLM_BASE_URL.") from error
    if bytes(event.error) not in (b"", b"null"):
        raise Unavailable("The language model reported an error while it wrote. Ask again.")
    return event


@asynccontextmanager
async def _told_plainly() -> AsyncIterator[None]:
    """Turn what the network does into the domain's word."""
    try:
        yield
    except httpx.ReadTimeout as error:
        raise Unavailable("The language model took too long to answer. Ask again later.") from error
    except httpx.TransportError as error:
        raise Busy(f"The language model cannot be reached ({type(error).__name__}). Try again later.") from error
