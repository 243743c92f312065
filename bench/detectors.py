"""How fast triggers are found, beside one `re.search` per pattern and sentence, and that both find the same.

Processor time of one process is counted, so that what else runs on the machine does not."""

import re
import sys
import time

from bench import corpus
from infra.analysis import WordAnalyzer
from infra.triggers import TableMatcher, expression, read_triggers

N_DOCUMENTS = 400
EVERY = 10
"""The plain search is so slow that it gets every tenth document, spread over the same time."""
ROUNDS = 3


def main() -> None:
    """Print the table; the exit status is 1 when a match differs."""
    triggers, analyzer = read_triggers(), WordAnalyzer()
    matcher = TableMatcher(triggers)
    texts = list(corpus.documents(N_DOCUMENTS).values())
    documents = [[text[start:end] for start, end in analyzer.sentences(text)] for text in texts]
    patterns = [(trigger.name, expression(trigger).pattern) for trigger in triggers]
    n_sentences = sum(map(len, documents))
    plain, ours = [], []
    for _ in range(ROUNDS):
        sample = documents[::EVERY]
        started = time.process_time()
        expected = [[_plain(patterns, sentence) for sentence in document] for document in sample]
        plain.append(sum(map(len, sample)) / (time.process_time() - started))
        started = time.process_time()
        found = [matcher.match(document) for document in documents]
        ours.append(n_sentences / (time.process_time() - started))
    seen = [[[(m.trigger.name, m.start, m.end) for m in each] for each in document] for document in found[::EVERY]]
    is_same = seen == expected
    slow, fast = sorted(plain)[ROUNDS // 2], sorted(ours)[ROUNDS // 2]
    print(f"\n{len(triggers)} triggers over {n_sentences} sentences              sentences/s")
    print(f"  one re.search per pattern and sentence   {slow:12,.0f}")
    print(f"  one pass                                 {fast:12,.0f}")
    print(f"  ratio                                    {fast / slow:12.1f}")
    print(f"  same matches                             {'yes' if is_same else 'no':>12}")
    if not is_same:
        sys.exit("the pass and the plain search differ")


def _plain(patterns: list[tuple[str, str]], sentence: str) -> list[tuple[str, int, int]]:
    seen = ((name, re.search(pattern, sentence, re.IGNORECASE)) for name, pattern in patterns)
    return [(name, found.start(), found.end()) for name, found in seen if found]


if __name__ == "__main__":
    main()
