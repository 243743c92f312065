"""The embedder behind an OpenAI-compatible `/v1/embeddings` address."""

from collections.abc import Sequence
from functools import partial

import httpx
import msgspec
import numpy as np

from domain.embedding import EmbeddingModel, Matrix
from domain.errors import Unavailable
from infra.inference.replies import Busy, patiently, require_success

BATCH_TEXTS = 64
TIMEOUT = httpx.Timeout(60.0, connect=5.0)


class _Row(msgspec.Struct, frozen=True):
    embedding: list[float]
    index: int


class _Reply(msgspec.Struct, frozen=True):
    data: list[_Row]


class HttpEmbedder:
    """Embeds by asking a server; the client is its maker's to close."""

    def __init__(self, client: httpx.AsyncClient, base_url: str, api_key: str, model: EmbeddingModel) -> None:
        self._client = client
        self._url = f"{base_url.rstrip('/')}/embeddings"
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._model = model

    @property
    def model(self) -> EmbeddingModel:
        """The model that the server is asked for."""
        return self._model

    async def embed(self, texts: Sequence[str]) -> Matrix:
        """Return one row per text, in order: (n, d) float32, unit norm.

        Raises: Unavailable after three tries, or when the answer is not what was asked for.
        """
        vectors = np.zeros((len(texts), self._model.n_dimensions), dtype=np.float32)
        for start in range(0, len(texts), BATCH_TEXTS):
            batch = list(texts[start : start + BATCH_TEXTS])
            vectors[start : start + len(batch)] = await patiently(partial(self._ask, batch))
        return vectors

    async def _ask(self, texts: list[str]) -> Matrix:
        # An empty input is refused by several servers; a space means as little.
        body = {"model": self._model.name, "input": [text or " " for text in texts], "encoding_format": "float"}
        try:
            response = await self._client.post(self._url, json=body, headers=self._headers, timeout=TIMEOUT)
        except httpx.TransportError as error:
            raise Busy(f"The embedding server at {self._url} does not answer ({type(error).__name__}).") from error
        require_success(response, "embedding server")
        return self._vectors(response.content, len(texts))

    def _vectors(self, content: bytes, n_texts: int) -> Matrix:
        try:
            rows = sorted(msgspec.json.decode(content, type=_Reply).data, key=lambda row: row.index)
        except msgspec.MsgspecError as error:
            raise Unavailable("The embedding server answered something that is not a list of embeddings.") from error
        if [row.index for row in rows] != list(range(n_texts)):
            raise Unavailable(f"The embedding server answered {len(rows)} embeddings for {n_texts} texts.")
        n_dimensions = {len(row.embedding) for row in rows}
        if n_dimensions != {self._model.n_dimensions}:
            raise Unavailable(
                f"The model {self._model.name} answers with {sorted(n_dimensions)} dimensions, "
                f"and the vault expects {self._model.n_dimensions}. Check EMBEDDING_MODEL."
            )
        vectors = np.array([row.embedding for row in rows], dtype=np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
