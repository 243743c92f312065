"""Evaluate whether the last questions of conversations are answered where they can be, and refused elsewhere."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from domain.followups import searched, standalone
from domain.retrieval import find_passages
from domain.search import SearchFilter
from domain.vault import Tools, Vault
from infra.answer_evaluation import AnswerLine, Measures, evaluate_answers, line_of
from infra.evaluation import Turn

N_PASSAGES = 8


class Conversation(msgspec.Struct, frozen=True):
    """A line of `queries.jsonl`; who made the set says there whether the corpus answers."""

    text: str
    history: tuple[Turn, ...] = ()
    answerability: str = ""

    @property
    def earlier(self) -> list[str]:
        """The person's questions before this one, in order."""
        return [turn.text for turn in self.history if turn.speaker == "user"]


def read_conversations(folder: Path) -> list[Conversation]:
    """Return the questions that are answerable or not; the partly answerable and underspecified are left out."""
    lines = [line for line in (folder / "queries.jsonl").read_bytes().splitlines() if line.strip()]
    found = [msgspec.json.decode(line, type=Conversation) for line in lines]
    return [each for each in found if each.answerability in ("ANSWERABLE", "UNANSWERABLE")]


async def evaluate_conversations(vault: Vault, tools: Tools, conversations: Sequence[Conversation]) -> Measures:
    """Ask each last question as the product does, of a vault that holds the corpus. Raises: Unavailable."""
    return await evaluate_answers([await _line(vault, tools, each) for each in conversations], tools)


async def _line(vault: Vault, tools: Tools, asked: Conversation) -> AnswerLine:
    search = searched(asked.text, asked.earlier)
    found = await find_passages(vault, tools, search, SearchFilter(), N_PASSAGES)
    return line_of(standalone(asked.text, asked.earlier), found, answerable=asked.answerability == "ANSWERABLE")
