"""Conversations: questions, and answers whose every sentence carries its proof."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

MAX_NAME_CHARACTERS = 80


class MessageState(StrEnum):
    """Where an answer stands; a question is always complete."""

    PENDING = "pending"
    COMPLETE = "complete"
    FAILED = "failed"


class MessageRole(StrEnum):
    """Who speaks."""

    QUESTION = "question"
    ANSWER = "answer"


class Citation(msgspec.Struct, frozen=True):
    """A proof: `version.text[start:end] == quote`, in one version of one document."""

    document_id: int
    version_id: int
    start: int
    end: int
    quote: str
    title: str


class Sentence(msgspec.Struct, frozen=True):
    """One sentence of an answer; `support` is between 0 and 1."""

    text: str
    citations: tuple[Citation, ...]
    support: float = 1.0


class Side(msgspec.Struct, frozen=True):
    """What one document says where another says something else; the date is the document's own."""

    citation: Citation
    author: str
    modified_at: datetime | None


class Disagreement(msgspec.Struct, frozen=True):
    """Two documents that say different things of one subject, the one that speaks better to the question first."""

    sides: tuple[Side, Side]


class Answer(msgspec.Struct, frozen=True):
    """A whole answer. When the vault does not say, `is_abstained` is true and `sentences` is empty."""

    sentences: tuple[Sentence, ...]
    is_abstained: bool
    confidence: float
    note: str = ""
    """Something the person should know, such as that the language model did not answer."""
    disagreements: tuple[Disagreement, ...] = ()

    @property
    def text(self) -> str:
        """The sentences as one text."""
        return " ".join(sentence.text for sentence in self.sentences)


class Message(msgspec.Struct, frozen=True):
    """A question or an answer; `answer` is set on complete answers."""

    id: int
    conversation_id: int
    role: MessageRole
    state: MessageState
    text: str
    answer: Answer | None
    created_at: datetime
    as_of: datetime | None = None
    """Set where the question is about the vault as it stood at that moment."""


class Conversation(msgspec.Struct, frozen=True):
    """A thread of questions and answers; it belongs to the person who asked."""

    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    n_questions: int = 0


class Conversations(Protocol):
    """The viewer's own conversations; nobody else's."""

    async def page(self, before: str, size: int) -> tuple[list[Conversation], str]:
        """Return conversations, last used first, and the key of the next page ("" on the last)."""

    async def add(self, name: str) -> Conversation:
        """Begin one."""

    async def get(self, conversation_id: int) -> Conversation:
        """Return one. Raises: NotFound."""

    async def rename(self, conversation_id: int, name: str) -> None:
        """Give it another name. Raises: NotFound."""

    async def remove(self, conversation_id: int) -> None:
        """Delete it with its messages. Raises: NotFound."""

    async def messages(self, conversation_id: int) -> list[Message]:
        """Return its messages in order. Raises: NotFound."""

    async def message(self, message_id: int) -> Message:
        """Return one message. Raises: NotFound."""

    async def ask(self, conversation_id: int, question: str, as_of: datetime | None = None) -> tuple[Message, Message]:
        """Append a question and its pending answer; return both. Raises: NotFound."""

    async def complete(self, message_id: int, answer: Answer) -> Message:
        """Write a pending answer once; a complete one is left as it is. Return the message as it now is."""


def name_for(question: str) -> str:
    """Return a conversation's first name: the question on one line, cut at a word."""
    line = " ".join(question.split())
    if len(line) <= MAX_NAME_CHARACTERS:
        return line
    whole_words, _, _ = line[:MAX_NAME_CHARACTERS].rpartition(" ")
    return f"{whole_words or line[: MAX_NAME_CHARACTERS - 1]}…"
