"""Fit what the answers' confidence and support rest on: `python -m bench.calibration FOLDER`, of `bench.answer_sets`.

Half of the questions, by a hash of their text, are fitted to; the other half only measures. What is printed was
rounded by hand into `domain.confidence` and `domain.evidence`, so that nothing hangs on the third digit.
"""

import asyncio
import hashlib
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # it has none

from domain.confidence import ABSTAIN_BELOW, confidence
from domain.evidence import Evidence, Signs, weigh
from domain.measures import area_under_curve
from infra.analysis import WordAnalyzer
from infra.answer_evaluation import AnswerLine, are_selected, passages_of, read_lines
from infra.inference.export import DEFAULT_MODEL, ensure_exported
from infra.inference.openvino_embedder import OpenVinoEmbedder

SETS = ("conversations", "demo", "spans")
Weighed = tuple[AnswerLine, Evidence]


async def weighed(folder: Path, name: str) -> list[Weighed]:
    """Weigh a set's questions with the product's own analyzer and model."""
    analyzer = WordAnalyzer()
    async with OpenVinoEmbedder(ensure_exported(DEFAULT_MODEL, Path(".vault/models"))) as embedder:
        return [
            (line, await weigh(line.question, passages_of(line), embedder, analyzer))
            for line in read_lines(folder / f"{name}.jsonl")
        ]


def is_for_fitting(question: str) -> bool:
    """Return which half a question belongs to."""
    return hashlib.sha256(question.encode()).digest()[0] % 2 == 0


def halves(pairs: Sequence[Weighed]) -> tuple[list[Weighed], list[Weighed]]:
    """Return the half to fit to, and the other."""
    fitted = [pair for pair in pairs if is_for_fitting(pair[0].question)]
    return fitted, [pair for pair in pairs if not is_for_fitting(pair[0].question)]


def fit_confidence(pairs: Sequence[Weighed]) -> None:
    """Print the coefficients over the signs."""
    rows = np.array([msgspec.structs.astuple(evidence.signs) for _, evidence in pairs])
    model = LogisticRegression(C=10, max_iter=1000).fit(rows, [line.answerable for line, _ in pairs])
    for name, coefficient in zip(Signs.__struct_fields__, model.coef_[0], strict=True):
        print(f"  {name:<20} {coefficient:6.2f}")
    print(f"  {'constant':<20} {model.intercept_[0]:6.2f}")


def fit_support(pairs: Sequence[Weighed]) -> None:
    """Print slope and middle of the likelihood that a quote answers, by its score."""
    scores: list[list[float]] = []
    answers: list[bool] = []
    for line, evidence in pairs:
        if line.selected_sentences:
            scores.extend([one.score] for one in evidence.scored)
            answers.extend(are_selected([one.quote.citation for one in evidence.scored], line))
    model = LogisticRegression(C=100).fit(scores, answers)
    slope = float(model.coef_[0][0])
    print(f"  slope {slope:.2f}  middle {-float(model.intercept_[0]) / slope:.2f}")


def measure(name: str, pairs: Sequence[Weighed]) -> None:
    """Print how well the shipped confidence tells answerable questions from others."""
    sure = [(line.answerable, confidence(evidence.signs)) for line, evidence in pairs]
    positive, negative = [s for is_one, s in sure if is_one], [s for is_one, s in sure if not is_one]
    answered = np.mean([s >= ABSTAIN_BELOW for s in positive])
    if not negative:
        print(f"  {name:<28} answered {answered:.3f}")
        return
    refused = np.mean([s < ABSTAIN_BELOW for s in negative])
    auc = area_under_curve(positive, negative)
    balanced = (answered + refused) / 2
    print(f"  {name:<28} answered {answered:.3f}  refused {refused:.3f}  balanced {balanced:.3f}  AUC {auc or 0:.3f}")


async def main(folder: Path) -> None:
    """Fit, then measure what is shipped."""
    warnings.simplefilter("ignore")
    sets = {name: halves(await weighed(folder, name)) for name in SETS}
    print("Confidence, fitted to the first half of conversations and demo:")
    fit_confidence([*sets["conversations"][0], *sets["demo"][0]])
    print("Support, fitted to the first half of spans and demo:")
    fit_support([*sets["spans"][0], *sets["demo"][0]])
    print("Confidence as shipped:")
    for name, (first, second) in sets.items():
        measure(f"{name}, fitted half", first)
        measure(f"{name}, other half", second)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
