"""Guards that refuse what somebody does too often: 429, with when to try again."""

import ipaddress
from collections.abc import Awaitable, Callable

from litestar.handlers import BaseRouteHandler

from domain.errors import VaultError
from domain.limits import Limit, Limiter
from domain.lobby import Lobby
from domain.people import Membership, User
from domain.vault import Passwords
from web.doors import Doors
from web.sessions import BEARER, token_hash
from web.visits import Connection, visit_of

SignIn = Callable[[Lobby, Passwords, str, str], Awaitable[tuple[User, list[Membership]]]]


async def limit_sign_ups(connection: Connection, handler: BaseRouteHandler) -> None:  # noqa: ARG001 (Litestar passes it)
    """Let an address make a few vaults. Raises: Throttled."""
    doors: Doors = connection.app.state.doors
    if address := client_address(connection):
        await doors.limiter.take(doors.limits.sign_ups_of_address, address)


async def limit_questions(connection: Connection, handler: BaseRouteHandler) -> None:  # noqa: ARG001 (Litestar passes it)
    """Let a person ask so many questions a minute. Raises: Throttled."""
    doors: Doors = connection.app.state.doors
    await _take_for_viewer(connection, doors.limits.questions)


async def limit_uploads(connection: Connection, handler: BaseRouteHandler) -> None:  # noqa: ARG001 (Litestar passes it)
    """Let a person send so many uploads a minute. Raises: Throttled."""
    doors: Doors = connection.app.state.doors
    await _take_for_viewer(connection, doors.limits.uploads)


async def limit_api(connection: Connection, handler: BaseRouteHandler) -> None:  # noqa: ARG001 (Litestar passes it)
    """Let a token make so many requests a minute, and a session as many. Raises: Throttled."""
    doors: Doors = connection.app.state.doors
    if not visit_of(connection).is_bearer:
        await _take_for_viewer(connection, doors.limits.api_requests)
        return
    token = connection.headers.get("Authorization", "").removeprefix(BEARER).strip()
    await doors.limiter.take(doors.limits.api_requests, f"token:{token_hash(token).hex()}")


async def sign_in_slowly(
    connection: Connection, sign_in: SignIn, lobby: Lobby, passwords: Passwords, email: str, password: str
) -> tuple[User, list[Membership]]:
    """Sign in, and count it unless it succeeds: before the password is looked at, so that guesses sent at once count.

    Raises: Throttled, and what `sign_in` raises.
    """
    doors: Doors = connection.app.state.doors
    counted: list[tuple[Limit, str]] = [(doors.limits.sign_ins_of_account, email.strip().lower())]
    if address := client_address(connection):
        counted.append((doors.limits.sign_ins_of_address, address))
    await _take_all(doors.limiter, counted)
    entered = await sign_in(lobby, passwords, email, password)
    for limit, who in counted:
        await doors.limiter.give_back(limit, who)
    return entered


async def _take_all(limiter: Limiter, counted: list[tuple[Limit, str]]) -> None:
    for number, (limit, who) in enumerate(counted):
        try:
            await limiter.take(limit, who)
        except VaultError:
            for taken, whose in counted[:number]:
                await limiter.give_back(taken, whose)
            raise


async def _take_for_viewer(connection: Connection, limit: Limit) -> None:
    doors: Doors = connection.app.state.doors
    if viewer := visit_of(connection).viewer:
        await doors.limiter.take(limit, f"user:{viewer.user_id}")


def client_address(connection: Connection) -> str:
    """Return who is at the other end, a network of IPv6 as one; "" for this machine: behind its proxy are many.

    In production uvicorn has put the address here that the platform's router states in X-Forwarded-For.
    """
    try:
        address = ipaddress.ip_address(connection.client.host if connection.client else "")
    except ValueError:
        return ""
    if address.is_loopback:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
