"""Confidence: how sure it is that the evidence answers, and from where down the vault says that it does not know.

Two signs, added up: how near the nearest passage is to the question, by meaning and by its words, and how near the
nearest quote. They were chosen among some fifty for holding up on sets they were not fitted to (docs/decisions/0030):
more signs gain on one set and lose on another.

`python -m bench.answer_sets FOLDER` asks the product's own search, with its own analyzer and all-MiniLM-L6-v2, for
eight passages each; `python -m bench.calibration FOLDER` fits and measures. The weights are round numbers from the
middle of a flat optimum, so there is nothing to overfit. Last measured (area under the ROC curve, fitted without the
sets of the same source; answerable questions answered, others refused):

    set            answerable + not   AUC   answered  refused
    conversations       285 + 97      .878     .85       .73
    demo                 47 + 16      .902     .94       .62
    one_passage         147 + 147     .950     .85       .95   (294 of 882; the last six at a middle of 0.9)
    manual_apart         98 + 100     .913     .95       .52
    manual               98 + 100     .810     .95       .15
    spans_apart         139 + 160     .775     .90       .39   (299 of 897)
    claims              179 + 98      .715     .90       .43   (277 of 1,381)
    spans               139 + 160     .671     .90       .24   (299 of 897)

`manual`, `spans` and `claims` are hard on purpose: the unanswerable questions are the same ones with the passages that
answer taken away (in `claims`, sentences that neither support nor refute). What is left is about the same thing, and
often says it after all. Meaning and words alone cannot tell these well, and many are answered with what comes nearest.
The threshold was chosen for conversations and the demo, where most unanswerable questions are about something else.
Another analyzer, embedding model or search needs another look.
"""

import math

from domain.evidence import Signs

ABSTAIN_BELOW = 0.5

QUOTE_WEIGHT = 0.4
MIDDLE = 0.87
"""Where half a chance lies."""
SLOPE = 7.0


def confidence(signs: Signs) -> float:
    """Return how sure it is, between 0 and 1, that passages with these signs hold the answer."""
    return 1 / (1 + math.exp(-SLOPE * (signs.passage_nearness + QUOTE_WEIGHT * signs.quote_nearness - MIDDLE)))
