"""Where addresses that people enter may lead."""

import httpx
import pytest

from domain.errors import Invalid, Unavailable
from infra.connectors.addresses import AddressGuard, is_public, open_outside


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.8",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:db8::1",
    ],
)
def test_addresses_of_this_machine_and_its_neighbours_are_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_of_public_servers_are_not(address: str) -> None:
    assert is_public(address)


async def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["93.184.216.34", "10.0.0.1"]

    with pytest.raises(Invalid, match="private network"):
        await AddressGuard(resolve=resolve).address_of("both.test", 443)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "localhost", "LOCALHOST.", "[::1]", "0"])
async def test_other_ways_to_write_this_machine_are_seen_through(host: str) -> None:
    with pytest.raises((Invalid, Unavailable)):
        await AddressGuard().address_of(host, 80)


async def test_the_operator_may_allow_a_host_by_name_and_no_other() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["10.0.0.7"]

    guard = AddressGuard(["Wiki.Internal"], resolve)
    assert await guard.address_of("wiki.internal", 443) == "10.0.0.7"
    with pytest.raises(Invalid):
        await guard.address_of("other.internal", 443)


async def test_a_name_that_nobody_knows_is_said() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise OSError("unknown")

    with pytest.raises(Unavailable, match="No server is known"):
        await AddressGuard(resolve=resolve).address_of("nowhere.test", 443)


async def test_a_name_that_changes_its_answer_is_asked_once_for_a_connection() -> None:
    """A rebinding name: public when it is judged, this machine a moment later."""
    answers = [["192.0.2.1"], ["127.0.0.1"]]
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    async with open_outside(["turning.test"], resolve) as outside:
        with pytest.raises((httpx.ConnectError, httpx.ConnectTimeout)):
            await outside.client.get("http://turning.test:9/", timeout=0.3)  # 192.0.2.1 leads nowhere (RFC 5737)
    assert asked == ["turning.test"]


async def test_the_way_out_keeps_no_cookies_and_passes_no_proxy() -> None:
    async with open_outside() as outside:
        answer = httpx.Response(200, headers={"Set-Cookie": "who=me"}, request=httpx.Request("GET", "http://a.test"))
        outside.client.cookies.extract_cookies(answer)
        assert len(outside.client.cookies.jar) == 0
        assert not outside.client.trust_env
