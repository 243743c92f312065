"""Reading servers whose addresses people entered: they limit, stumble, lie about sizes, and lead astray."""

import gzip
from collections.abc import Callable, Iterator

import httpx
import pytest
import stamina

from domain.errors import Forbidden, Invalid, NotFound, Unavailable
from infra.connectors.addresses import AddressGuard
from infra.connectors.site import Site, require_encryption

Answers = Callable[[httpx.Request], httpx.Response]
URL = "http://wiki.test/page"


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    """Retries as often as in earnest, without waiting."""
    with stamina.set_testing(True, attempts=6):
        yield


def in_turn(*answers: httpx.Response | Exception) -> tuple[Site, list[httpx.Request]]:
    """A server that gives these answers one after the other, the last again and again; and what it was asked."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        given = answers[min(len(seen), len(answers)) - 1]
        if isinstance(given, Exception):
            raise given
        return given

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return Site(client, "The wiki", "Enter the password again.", httpx.BasicAuth("ana", "pass")), seen


@pytest.mark.parametrize(
    "stumble",
    [
        httpx.Response(429, headers={"Retry-After": "3"}),
        httpx.Response(429, headers={"Retry-After": "Wed, 25 Nov 2020 08:00:00 GMT"}),
        httpx.Response(503, headers={"Retry-After": "soon"}),
        httpx.Response(500),
        httpx.ReadError("cut"),
        httpx.RemoteProtocolError("half an answer"),
    ],
)
async def test_a_limit_a_stumble_and_a_cut_connection_are_waited_out(stumble: httpx.Response | Exception) -> None:
    site, seen = in_turn(stumble, stumble, httpx.Response(200, text="here"))
    assert (await site.ask("GET", URL)).content == b"here"
    assert len(seen) == 3


async def test_a_server_that_stays_away_is_unavailable_after_six_tries() -> None:
    site, seen = in_turn(httpx.Response(502))
    with pytest.raises(Unavailable, match="goes on from here"):
        await site.ask("GET", URL)
    assert len(seen) == 6


async def test_a_limit_of_an_hour_is_not_waited_for() -> None:
    site, seen = in_turn(httpx.Response(429, headers={"Retry-After": "3600"}))
    with pytest.raises(Unavailable, match="slow down"):
        await site.ask("GET", URL)
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, Forbidden, "password again"),
        (404, NotFound, "no longer"),
        (410, NotFound, "no longer"),
        (403, Invalid, "403"),
    ],
)
async def test_a_refusal_is_said_in_our_words(status: int, error: type[Exception], words: str) -> None:
    site, _ = in_turn(httpx.Response(status))
    with pytest.raises(error, match=words):
        await site.ask("GET", URL)


async def test_what_is_announced_as_too_large_is_not_read() -> None:
    async def never() -> object:
        raise AssertionError("it was read")
        yield b""

    site, _ = in_turn(httpx.Response(200, headers={"Content-Length": str(2 << 30)}, content=never()))
    with pytest.raises(Invalid, match="2,048 MB"):
        await site.ask("GET", URL)


async def test_what_unpacks_to_too_much_is_cut_off() -> None:
    bomb = gzip.compress(bytes(8 << 20))
    site, _ = in_turn(httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=bomb))
    with pytest.raises(Invalid, match="files over 1 MB"):
        await site.ask("GET", URL, max_bytes=1 << 20)


async def test_redirects_are_followed_within_the_server_and_no_further() -> None:
    site, seen = in_turn(httpx.Response(302, headers={"Location": "/other"}), httpx.Response(200, text="here"))
    answer = await site.ask("GET", URL)
    assert (answer.url, answer.content) == ("http://wiki.test/other", b"here")
    assert all("authorization" in each.headers for each in seen)  # the same server, so the same password
    site, seen = in_turn(httpx.Response(302, headers={"Location": "http://elsewhere.test/"}))
    with pytest.raises(Invalid, match=r"elsewhere\.test, where we do not follow"):
        await site.ask("GET", URL)
    assert len(seen) == 1


@pytest.mark.parametrize("target", ["ftp://wiki.test/x", "file:///etc/passwd", "http://wiki.test:8080/x"])
async def test_redirects_to_other_schemes_and_ports_are_not_followed(target: str) -> None:
    site, _ = in_turn(httpx.Response(302, headers={"Location": target}))
    with pytest.raises(Invalid, match="do not follow"):
        await site.ask("GET", URL)


async def test_redirects_in_a_circle_are_stopped() -> None:
    site, seen = in_turn(httpx.Response(302, headers={"Location": URL}))
    with pytest.raises(Invalid, match="without end"):
        await site.ask("GET", URL)
    assert len(seen) == 5


def test_passwords_travel_encrypted_or_to_servers_the_operator_trusts() -> None:
    require_encryption(AddressGuard(), "https://wiki.test")
    require_encryption(AddressGuard(["wiki.test"]), "http://wiki.test/x")
    with pytest.raises(Invalid, match="could be read on its way"):
        require_encryption(AddressGuard(), "http://wiki.test")
