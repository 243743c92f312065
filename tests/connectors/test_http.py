"""Reading an API that limits, stumbles, lies about its pages, or leads astray."""

from collections.abc import Callable, Iterator

import httpx
import pytest
import stamina

from domain.errors import Forbidden, Invalid, NotFound, Unavailable
from infra.connectors.http import MAX_WAIT_S, Source

Answers = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    """Retries as often as in earnest, without waiting."""
    with stamina.set_testing(True, attempts=6):
        yield


def source(client: httpx.AsyncClient, tokens: list[str] | None = None) -> Source:
    left = list(tokens or ["token"])

    async def token(refused: str) -> str:
        if refused:
            left.remove(refused)
        if not left:
            raise Forbidden("GitHub no longer accepts our access.")
        return left[0]

    return Source(client, "GitHub", "http://gh.test/api", token)


def client(answer: Answers) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(answer))


def in_turn(*answers: httpx.Response) -> tuple[Answers, list[httpx.Request]]:
    """Give these answers one after the other, the last again and again; and note what was asked."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answers[min(len(seen), len(answers)) - 1]

    return answer, seen


@pytest.mark.parametrize(
    "limited",
    [
        httpx.Response(429, headers={"Retry-After": "3"}),
        httpx.Response(403, headers={"Retry-After": "3"}),
        httpx.Response(403, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0"}),
        httpx.Response(502),
        httpx.Response(429, headers={"Retry-After": "soon"}),
    ],
)
async def test_a_limit_or_a_stumble_is_waited_out(limited: httpx.Response) -> None:
    answer, seen = in_turn(limited, limited, httpx.Response(200, json=[]))
    async with client(answer) as http:
        assert (await source(http).get("/x")).status_code == 200
    assert len(seen) == 3


@pytest.mark.parametrize(("status", "words"), [(429, "slow down"), (503, "status 503")])
async def test_a_limit_of_an_hour_is_not_waited_for(status: int, words: str) -> None:
    answer, seen = in_turn(httpx.Response(status, headers={"Retry-After": str(MAX_WAIT_S + 3600)}))
    async with client(answer) as http:
        with pytest.raises(Unavailable, match=words):
            await source(http).get("/x")
    assert len(seen) == 1


async def test_a_source_that_stays_away_is_unavailable_after_six_tries() -> None:
    answer, seen = in_turn(httpx.Response(503))
    async with client(answer) as http:
        with pytest.raises(Unavailable, match="goes on from here"):
            await source(http).get("/x")
    assert len(seen) == 6


async def test_a_cut_connection_is_tried_again() -> None:
    n_asked = 0

    def answer(_: httpx.Request) -> httpx.Response:
        nonlocal n_asked
        n_asked += 1
        if n_asked < 3:
            raise httpx.ReadError("cut")
        return httpx.Response(200)

    async with client(answer) as http:
        assert (await source(http).get("/x")).is_success


async def test_a_refused_token_is_renewed_once_and_then_a_person_is_needed() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200 if request.headers["Authorization"] == "Bearer new" else 401)

    async with client(answer) as http:
        assert (await source(http, ["old", "new"]).get("/x")).is_success
        with pytest.raises(Forbidden, match="no longer accepts"):
            await source(http, ["old"]).get("/x")


@pytest.mark.parametrize(("status", "error"), [(404, NotFound), (410, NotFound), (403, Invalid), (451, Invalid)])
async def test_what_is_refused_for_itself_has_its_own_word(status: int, error: type[Exception]) -> None:
    answer, seen = in_turn(httpx.Response(status, json={"message": "Blocked by law."}))
    async with client(answer) as http:
        with pytest.raises(error):
            await source(http).get("/x")
    assert len(seen) == 1


async def test_pages_that_go_in_a_circle_end() -> None:
    answer, seen = in_turn(httpx.Response(200, headers={"Link": '<http://gh.test/api/x?page=2>; rel="next"'}))
    async with client(answer) as http:
        with pytest.raises(Unavailable, match="again and again"):
            async for _ in source(http).pages("/x", {}):
                pass
    assert len(seen) == 2


@pytest.mark.parametrize("elsewhere", ["http://169.254.169.254/x", "https://gh.test/x", "http://gh.test:81/x"])
async def test_our_token_goes_to_no_other_server(elsewhere: str) -> None:
    for lure in (
        httpx.Response(302, headers={"Location": elsewhere}),
        httpx.Response(200, headers={"Link": f'<{elsewhere}>; rel="next"'}),
    ):
        answer, seen = in_turn(lure)
        async with client(answer) as http:
            with pytest.raises(Unavailable, match="another server"):
                async for _ in source(http).pages("/x", {}):
                    pass
        assert {request.url.host for request in seen} == {"gh.test"}
        assert len(seen) == 1


async def test_a_renamed_repository_is_followed_on_the_same_server() -> None:
    answer, _ = in_turn(httpx.Response(301, headers={"Location": "/api/y"}), httpx.Response(200, json={}))
    async with client(answer) as http:
        assert (await source(http).get("/x")).is_success
