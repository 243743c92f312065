"""Passwords are kept so that nobody can read them, and checked without telling who exists."""

import asyncio
import time

import pytest

from infra.passwords import Argon2Passwords


@pytest.fixture(scope="module")
def passwords() -> Argon2Passwords:
    return Argon2Passwords()


@pytest.mark.parametrize("password", ["correct horse", "", "пароль 🐎", "\0nul", "\ud800", "long " * 200])
async def test_the_right_password_opens_and_another_does_not(passwords: Argon2Passwords, password: str) -> None:
    password_hash = await passwords.hash(password)
    assert await passwords.verify(password_hash, password)
    assert not await passwords.verify(password_hash, password + "!")


async def test_equal_passwords_have_different_hashes_of_the_rfc_9106_profile(passwords: Argon2Passwords) -> None:
    first, second = await passwords.hash("correct horse"), await passwords.hash("correct horse")
    assert first != second
    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.parametrize("password", ["", "correct horse"])
async def test_an_account_that_does_not_exist_is_never_opened(passwords: Argon2Passwords, password: str) -> None:
    assert not await passwords.verify("", password)


async def test_an_account_that_does_not_exist_takes_as_long_to_refuse(passwords: Argon2Passwords) -> None:
    password_hash = await passwords.hash("correct horse")
    existing = min([await seconds(passwords, password_hash) for _ in range(3)])
    missing = min([await seconds(passwords, "") for _ in range(3)])
    assert existing / 5 < missing < existing * 5


async def test_a_damaged_hash_is_a_wrong_password(passwords: Argon2Passwords) -> None:
    assert not await passwords.verify("$argon2id$v=19$garbage", "correct horse")


async def test_the_event_loop_goes_on_while_passwords_are_hashed(passwords: Argon2Passwords) -> None:
    hashing = asyncio.gather(*(passwords.hash("correct horse") for _ in range(4)))
    await asyncio.to_thread(int)
    assert not hashing.done()
    await hashing


async def seconds(passwords: Argon2Passwords, password_hash: str) -> float:
    start = time.perf_counter()
    await passwords.verify(password_hash, "wrong horse")
    return time.perf_counter() - start
