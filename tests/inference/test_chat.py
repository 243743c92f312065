import json

import httpx
import pytest

from domain.errors import Unavailable
from domain.language import Turn
from infra.inference.chat import ChatModel
from tests.inference.conftest import PlayedServer, Reply, says, streams

TURNS = [Turn("system", "Be brief."), Turn("user", "When is the fair?")]


def piece(text: str, finish: str | None = None) -> str:
    return f"data: {json.dumps({'choices': [{'delta': {'content': text}, 'finish_reason': finish}]})}\n\n"


@pytest.fixture
def chat(played: PlayedServer, client: httpx.AsyncClient) -> ChatModel:
    return ChatModel(client, played.base_url, "key", "tiny", piece_timeout_s=0.3)


async def written(chat: ChatModel) -> list[str]:
    return [piece async for piece in chat.write(TURNS, max_tokens=50)]


async def test_a_reply_arrives_piece_by_piece(chat: ChatModel, played: PlayedServer) -> None:
    played.replies = [streams(": ping\n\n", piece("In "), piece("June") + piece(" — søon."), "data: [DONE]\n\n")]
    assert await written(chat) == ["In ", "June", " — søon."]
    head, body = played.requests[0].split(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/chat/completions")
    assert b"Bearer key" in head
    asked = json.loads(body)
    assert asked["stream"] is True
    assert asked["messages"][1] == {"role": "user", "content": "When is the fair?"}


async def test_a_stream_may_end_with_its_reason_instead_of_done(chat: ChatModel, played: PlayedServer) -> None:
    played.replies = [streams(piece("June."), piece("", finish="stop"))]
    assert await written(chat) == ["June."]


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (streams(piece("In Ju"), is_cut=True), "cannot be reached|in the middle"),
        (streams(piece("In Ju")), "in the middle"),
        (streams(piece("In Ju"), is_stuck=True), "too long"),
        (streams(is_stuck=True), "too long"),
        (streams("data: {not json\n\n"), "cannot be read"),
        (streams('data: {"choices": 7}\n\n'), "cannot be read"),
        (streams('data: {"error": {"message": "out of memory"}}\n\n'), "reported an error"),
        (says("<html>hello</html>"), "in the middle"),
        (says("", "401 Unauthorized"), "Check the API key"),
        (says("", "400 Bad Request"), "refused the request"),
    ],
)
async def test_a_reply_that_cannot_be_trusted_ends_in_unavailable(
    chat: ChatModel, played: PlayedServer, reply: Reply, told: str
) -> None:
    played.replies = [reply]
    with pytest.raises(Unavailable, match=told):
        await written(chat)
    assert len(played.requests) == 1


async def test_a_model_that_trickles_on_for_ever_is_broken_off(client: httpx.AsyncClient, played: PlayedServer) -> None:
    played.replies = [streams(piece("In "), piece("June"), piece(" or so."), "data: [DONE]\n\n")]
    impatient = ChatModel(client, played.base_url, "key", "tiny", whole_timeout_s=0)
    with pytest.raises(Unavailable, match="too long"):
        await written(impatient)


async def test_a_busy_server_is_asked_again_before_the_first_piece(chat: ChatModel, played: PlayedServer) -> None:
    busy = says("", "429 Too Many Requests", "Retry-After: 0\r\n")
    played.replies = [busy, busy, streams(piece("June."), "data: [DONE]\n\n")]
    assert await written(chat) == ["June."]
    assert len(played.requests) == 3


async def test_a_server_that_stays_busy_is_given_up_after_three_tries(chat: ChatModel, played: PlayedServer) -> None:
    played.replies = [says("", "503 Service Unavailable", "Retry-After: 0\r\n")]
    with pytest.raises(Unavailable, match="503"):
        await written(chat)
    assert len(played.requests) == 3


async def test_a_reader_may_leave_in_the_middle(chat: ChatModel, played: PlayedServer) -> None:
    played.replies = [streams(piece("In "), piece("June"), is_stuck=True)]
    reading = chat.write(TURNS, max_tokens=50)
    assert await anext(reading) == "In "
    await reading.aclose()
