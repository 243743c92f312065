"""A corpus of any size, the same for a seed: sentences of the demo documents in a new order."""

import random
import re
from collections.abc import Sequence

from infra.seeds import FOLDER

SECTIONS = 2
WORDS_PER_SECTION = 140


def sentences() -> list[str]:
    """Return the demo's sentences of ordinary length."""
    text = "\n".join(path.read_text() for path in sorted(FOLDER.rglob("*.md")))
    plain = re.sub(r"[#*`|>\[\]]", "", text)
    return [each.strip() for each in re.split(r"(?<=[.!?])\s+", plain) if 5 <= len(each.split()) <= 40]


def documents(count: int, seed: int = 1) -> dict[str, str]:
    """Return `count` Markdown documents by name, each of two sections of about 200 tokens."""
    chance, pool = random.Random(seed), sentences()
    return {f"note-{number:06}.md": _document(chance, pool, number) for number in range(count)}


def _document(chance: random.Random, pool: Sequence[str], number: int) -> str:
    parts = [f"# Note {number}"]
    for section in range(SECTIONS):
        body: list[str] = []
        while sum(len(each.split()) for each in body) < WORDS_PER_SECTION:
            body.append(chance.choice(pool))
        parts.append(f"## Part {section + 1}\n\n" + " ".join(body))
    return "\n\n".join(parts)


def questions(count: int, seed: int = 2) -> list[str]:
    """Return questions of five to eight words that occur in the corpus."""
    chance, pool = random.Random(seed), sentences()
    return [" ".join(chance.choice(pool).split()[: chance.randint(5, 8)]) for _ in range(count)]
