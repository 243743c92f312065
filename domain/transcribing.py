"""Speech to text: the port through which a recording becomes words that its speaker then mends."""

from typing import Protocol

MAX_RECORDING_BYTES = 25 * 1024 * 1024
"""What OpenAI-compatible servers take at once: half an hour of speech as browsers record it."""


class Transcriber(Protocol):
    """Writes down what is said."""

    async def transcribe(self, name: str, media_type: str, recording: bytes) -> str:
        """Return what is said in a recording, "" where nothing is. Raises: Unavailable."""
