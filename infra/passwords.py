"""Passwords, hashed with Argon2id."""

import asyncio

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

N_AT_ONCE = 2
"""Each takes 64 MiB and all of a core's attention; more at once would let a burst of sign-ins take the machine."""


class Argon2Passwords:
    """Hashes and checks passwords in threads, two at once; with the low-memory profile of RFC 9106 unless told else."""

    def __init__(self, parameters: Parameters = RFC_9106_LOW_MEMORY) -> None:
        self._hasher = PasswordHasher.from_parameters(parameters)
        self._decoy = self._hasher.hash("")
        self._turns = asyncio.Semaphore(N_AT_ONCE)

    async def hash(self, password: str) -> str:
        """Return a salted hash."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, _bytes(password))

    async def verify(self, password_hash: str, password: str) -> bool:
        """Return whether the password is right; an empty hash takes as long and is never right."""
        async with self._turns:
            is_right = await asyncio.to_thread(self._is_right, password_hash or self._decoy, _bytes(password))
        return is_right and bool(password_hash)

    def _is_right(self, password_hash: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def _bytes(password: str) -> bytes:
    """A lone surrogate cannot be written as UTF-8; it must not break a sign-in."""
    return password.encode("utf-8", "surrogatepass")
