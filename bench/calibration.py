"""Fit what the answers' confidence rests on: `python -m bench.calibration FOLDER`, of `bench.answer_sets`.

The sets of one source in turn are left out, the two signs are fitted to the others, and those left out are measured:
what holds up there may hold up elsewhere. What is shipped are round numbers near all these fits (`domain.confidence`).
"""

import asyncio
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # it has none

from domain.confidence import ABSTAIN_BELOW, confidence
from domain.evidence import Evidence, weigh
from domain.measures import area_under_curve
from infra.analysis import WordAnalyzer
from infra.answer_evaluation import AnswerLine, passages_of, read_lines
from infra.inference.export import DEFAULT_MODEL, ensure_exported
from infra.inference.openvino_embedder import OpenVinoEmbedder

SOURCES = {
    "conversations": ("conversations",),
    "demo": ("demo",),
    "manual": ("manual", "manual_apart"),
    "claims": ("claims",),
    "spans": ("spans", "spans_apart", "one_passage"),
}
"""Sets by where their questions come from."""
MAX_LINES = 400
"""Of a larger set every third, fifth, … line is taken: an odd step takes as many of each kind."""
Weighed = tuple[AnswerLine, Evidence]
Table = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]


async def weighed(folder: Path, name: str) -> list[Weighed]:
    """Weigh a set's questions with the product's own analyzer and model."""
    analyzer = WordAnalyzer()
    async with OpenVinoEmbedder(ensure_exported(DEFAULT_MODEL, Path(".vault/models"))) as embedder:
        return [
            (line, await weigh(line.question, passages_of(line), embedder, analyzer))
            for line in sampled(read_lines(folder / f"{name}.jsonl"))
        ]


def sampled(lines: list[AnswerLine]) -> list[AnswerLine]:
    """Return MAX_LINES at most, from all over the set."""
    n_over = -(-len(lines) // MAX_LINES)
    return lines[:: n_over + (n_over + 1) % 2]


def rows(pairs: Sequence[Weighed]) -> tuple[Table, Truths, Table]:
    """Return the signs, whether each question is answerable, and weights that make both kinds and all sets count."""
    signs = np.array([msgspec.structs.astuple(evidence.signs) for _, evidence in pairs])
    truths = np.array([line.answerable for line, _ in pairs])
    share = truths.mean()
    return signs, truths, np.where(truths, 0.5 / share, 0.5 / (1 - share)) / len(truths) * 100


def fit_confidence(sets: Mapping[str, Sequence[Weighed]]) -> None:
    """Print, for each set left out, what the others fit to and how well that tells its questions apart."""
    for left_out, own in SOURCES.items():
        parts = [rows(others) for name, others in sets.items() if name not in own]
        signs, truths, weights = (np.concatenate(each) for each in zip(*parts, strict=True))
        model = LogisticRegression(C=10, max_iter=1000).fit(signs, truths, weights)
        by_quote, by_passage = model.coef_[0]
        middle = -float(model.intercept_[0]) / by_passage
        print(
            f"  without {left_out:<14} slope {by_passage:.1f}  quote weight {by_quote / by_passage:.2f}"
            f"  middle {middle:.2f}"
        )
        for name in own:
            scores = [float(score) for score in model.decision_function(rows(sets[name])[0])]
            area = area_under_curve(*split(sets[name], scores)) or 0
            print(f"    AUC on {name:<16} {area:.3f}")


def split(pairs: Sequence[Weighed], scores: Sequence[float]) -> tuple[list[float], list[float]]:
    """Part the scores of answerable questions from those of the others."""
    parted: tuple[list[float], list[float]] = ([], [])
    for (line, _), score in zip(pairs, scores, strict=True):
        parted[0 if line.answerable else 1].append(score)
    return parted


def measure(name: str, pairs: Sequence[Weighed]) -> None:
    """Print how well the shipped confidence tells answerable questions from others."""
    positive, negative = split(pairs, [confidence(evidence.signs) for _, evidence in pairs])
    answered = np.mean([score >= ABSTAIN_BELOW for score in positive])
    refused = np.mean([score < ABSTAIN_BELOW for score in negative])
    area = area_under_curve(positive, negative) or 0
    print(f"  {name:<16} {len(positive):>4} + {len(negative):<4} AUC {area:.3f}  {answered:.2f}  {refused:.2f}")


async def main(folder: Path) -> None:
    """Fit, then measure what is shipped."""
    warnings.simplefilter("ignore")
    sets = {name: await weighed(folder, name) for own in SOURCES.values() for name in own}
    print("Confidence, each source left out in turn:")
    fit_confidence(sets)
    print("Confidence as shipped (answerable + not, AUC, answered, refused):")
    for name, pairs in sets.items():
        measure(name, pairs)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
