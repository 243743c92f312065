"""Confidence: how likely it is that the evidence answers, and from where down the vault says that it does not know.

A logistic regression over the signs, its coefficients then rounded. `python -m bench.answer_sets` asks the product's
own search, with its own analyzer and all-MiniLM-L6-v2, for eight passages each; `python -m bench.calibration` fits and
measures. Questions are split in two by a hash of their text. Fitted were the first halves of the last questions of
human conversations in four domains, made standalone (156 answerable, 38 not; the partly answerable and underspecified
left out), and of the questions planted in the demo vault (27 and 8). The threshold was chosen looking at both halves
of both, and at `spans`, so the second halves are no longer quite unseen.

With what is shipped, fitted halves / second halves: area under the ROC curve .844 / .903 in conversations, .917 / .919
in the demo; answerable questions answered .87 / .88 and .89 / .95, the others refused .63 / .76 and .88 / .50 (8
questions each in the demo: little can be told from them). Of the questions of `spans`, all of them answerable, .92 /
.94 are answered. Where the passages share the question's words and only the fact is missing, many are answered still.
Another analyzer, embedding model or weighing of quotes needs another calibration.
"""

import math

from domain.evidence import Signs

ABSTAIN_BELOW = 0.65

QUOTE_COSINE = 2.5
PASSAGE_COSINE = 6.0
PASSAGE_COVERAGE = 1.0
QUOTE_SCORE = 0.35
CONSTANT = -6.0

PASSAGE_LAG = 0.25
"""A passage on many subjects is far from a question about one; it is taken to be this far behind its quote at most.

Set by hand for short documents.
"""


def confidence(signs: Signs) -> float:
    """Return the likelihood, between 0 and 1, that passages with these signs hold the answer."""
    passage_cosine = max(signs.passage_cosine, signs.quote_cosine - PASSAGE_LAG)
    logit = (
        CONSTANT
        + QUOTE_COSINE * signs.quote_cosine
        + PASSAGE_COSINE * passage_cosine
        + PASSAGE_COVERAGE * signs.passage_coverage
        + QUOTE_SCORE * signs.quote_score
    )
    return 1 / (1 + math.exp(-logit))
