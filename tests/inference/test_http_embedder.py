import json

import httpx
import numpy as np
import pytest

from domain.embedding import EmbeddingModel
from domain.errors import Unavailable
from infra.inference.http_embedder import HttpEmbedder
from tests.inference.conftest import PlayedServer, says

MODEL = EmbeddingModel("tiny", "1", 2)


def embeddings(*rows: list[float]) -> str:
    return json.dumps({"data": [{"index": index, "embedding": row} for index, row in enumerate(rows)]})


@pytest.fixture
def asking(played: PlayedServer, client: httpx.AsyncClient) -> HttpEmbedder:
    return HttpEmbedder(client, played.base_url, "key", MODEL)


async def test_vectors_come_back_in_order_and_with_unit_norm(asking: HttpEmbedder, played: PlayedServer) -> None:
    rows = [{"index": 1, "embedding": [0, 5]}, {"index": 0, "embedding": [3, 4]}]
    played.replies = [says(json.dumps({"data": rows}))]
    np.testing.assert_allclose(await asking.embed(["one", "two"]), [[0.6, 0.8], [0, 1]], atol=1e-6)
    assert b"Bearer key" in played.requests[0]


async def test_many_texts_are_asked_for_in_parts_of_64(asking: HttpEmbedder, played: PlayedServer) -> None:
    played.replies = [says(embeddings(*[[1.0, 0.0]] * 64)), says(embeddings([0.0, 1.0]))]
    vectors = await asking.embed([f"text {number}" for number in range(65)])
    assert vectors.shape == (65, 2)
    assert vectors[64].tolist() == [0, 1]
    assert len(played.requests) == 2


async def test_no_text_asks_nothing(asking: HttpEmbedder, played: PlayedServer) -> None:
    assert (await asking.embed([])).shape == (0, 2)
    assert played.requests == []


async def test_a_busy_server_is_asked_again_when_it_said(asking: HttpEmbedder, played: PlayedServer) -> None:
    played.replies = [
        says("", "429 Too Many Requests", "Retry-After: 0\r\n"),
        says("", "503 Service Unavailable"),
        says(embeddings([1.0, 0.0])),
    ]
    assert (await asking.embed(["one"])).tolist() == [[1, 0]]
    assert len(played.requests) == 3


async def test_after_three_tries_it_says_that_the_server_is_away(asking: HttpEmbedder, played: PlayedServer) -> None:
    played.replies = [says("", "500 Internal Server Error")]
    with pytest.raises(Unavailable, match="Try again later"):
        await asking.embed(["one"])
    assert len(played.requests) == 3


async def test_nobody_waits_an_hour_because_a_server_says_so(asking: HttpEmbedder, played: PlayedServer) -> None:
    played.replies = [says("", "429 Too Many Requests", "Retry-After: 3600\r\n")]
    with pytest.raises(Unavailable):
        await asking.embed(["one"])
    assert len(played.requests) == 1


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (says("", "401 Unauthorized"), "Check the API key"),
        (says("", "404 Not Found"), "Check its address"),
        (says("<html>hello</html>"), "not a list of embeddings"),
        (says(embeddings()), "0 embeddings for 1 texts"),
        (says(embeddings([1.0, 0.0, 0.0])), "the vault expects 2"),
    ],
)
async def test_a_wrong_answer_is_reported_at_once(asking: HttpEmbedder, played: PlayedServer, reply, told: str) -> None:
    played.replies = [reply]
    with pytest.raises(Unavailable, match=told):
        await asking.embed(["one"])
    assert len(played.requests) == 1


async def test_a_server_that_is_not_there_is_reported(client: httpx.AsyncClient) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        await HttpEmbedder(client, "http://127.0.0.1:9", "", MODEL).embed(["one"])
