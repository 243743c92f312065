"""The port of a language model that writes text."""

from collections.abc import AsyncGenerator, Sequence
from typing import Literal, Protocol

import msgspec


class Turn(msgspec.Struct, frozen=True):
    """One turn of the exchange with the model."""

    role: Literal["system", "user", "assistant"]
    content: str


class LanguageModel(Protocol):
    """Writes text after a prompt."""

    @property
    def name(self) -> str:
        """The model's name, for people."""

    def write(self, turns: Sequence[Turn], max_tokens: int) -> AsyncGenerator[str]:
        """Yield the reply piece by piece; closing it early lets the model stop.

        Raises: Unavailable when the model is away, slow beyond its time-out, refuses, or cuts the stream.
        """
