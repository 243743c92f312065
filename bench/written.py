"""How well written sentences are told from foreign ones: `python -m bench.written FOLDER`, of `bench.answer_sets`.

A manual's questions come with answers that people wrote in words of their own. Each of their sentences is checked
against the passages found for its question, as a language model's would be, and so is a sentence of the answer to
another question. Printed is what is let through; the first share should be high, the second low.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import domain.support
from bench.answer_sets import SHARED
from domain.evidence import weigh
from domain.support import SUPPORTED_FROM, supported
from infra.analysis import WordAnalyzer
from infra.answer_evaluation import AnswerLine, passages_of, read_lines
from infra.inference.export import DEFAULT_MODEL, ensure_exported
from infra.inference.openvino_embedder import OpenVinoEmbedder

THRESHOLDS = (0.45, 0.5, 0.55, 0.6, 0.65, 0.7)


def written(analyzer: WordAnalyzer) -> dict[str, list[str]]:
    """Return the sentences of each question's answer."""
    lines = (SHARED / "retrieval" / "product_docs" / "queries.jsonl").read_text().splitlines()
    return {
        each["text"]: [each["answer"][start:end] for start, end in analyzer.sentences(each["answer"])]
        for each in map(json.loads, lines)
    }


async def supports(
    line: AnswerLine, sentences: Sequence[str], embedder: OpenVinoEmbedder, analyzer: WordAnalyzer
) -> list[float]:
    """Return for each sentence the support of the passage that carries it best; 0 where none does."""
    evidence = await weigh(line.question, passages_of(line), embedder, analyzer)
    found = []
    for sentence in sentences:
        best = 0.0
        for number in range(1, len(line.passages) + 1):
            shown = await supported(f"{sentence} [{number}]", evidence, embedder, analyzer)
            best = max(best, shown.support if shown else 0.0)
        found.append(best)
    return found


async def main(folder: Path) -> None:
    """Print what each threshold lets through."""
    domain.support.SUPPORTED_FROM = 0.0  # everything that passes the other checks is wanted here, with its number
    analyzer = WordAnalyzer()
    answers = written(analyzer)
    lines = [line for line in read_lines(folder / "manual.jsonl") if line.answerable]
    own: list[float] = []
    foreign: list[float] = []
    async with OpenVinoEmbedder(ensure_exported(DEFAULT_MODEL, Path(".vault/models"))) as embedder:
        for line, other in zip(lines, [*lines[1:], lines[0]], strict=True):
            own += await supports(line, answers[line.question], embedder, analyzer)
            foreign += await supports(line, answers[other.question], embedder, analyzer)
    print(f"| threshold (shipped {SUPPORTED_FROM}) | own sentences kept of {len(own)} | foreign of {len(foreign)} |")
    print("|---|---|---|")
    for threshold in THRESHOLDS:
        kept, let_through = (float(np.mean(np.array(each) >= threshold)) for each in (own, foreign))
        print(f"| {threshold} | {kept:.2f} | {let_through:.2f} |")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
