"""How well names and people are told apart, beside the floors: edit distance and rapidfuzz. Reads the public sets."""

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from bench.forms import forms
from domain.identities import Record
from domain.names import match_names
from domain.resolving import resolve
from infra.romanising import romanise

DATA = Path(__file__).parent.parent.parent / "shared" / "data"
Judge = Callable[[str, str], bool]
Figures = tuple[float, float, float]


def figures(n_right: int, n_said: int, n_true: int) -> Figures:
    """Return precision, recall and F1."""
    precision, recall = n_right / max(n_said, 1), n_right / max(n_true, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def pairs_figures(rows: Sequence[dict[str, str]], judge: Judge) -> Figures:
    """Judge every labelled pair."""
    said = [judge(row["name1"], row["name2"]) for row in rows]
    true = [row["is_match"] == "true" for row in rows]
    return figures(sum(a and b for a, b in zip(said, true, strict=True)), sum(said), sum(true))


def best_threshold(rows: Sequence[dict[str, str]], ratio: Callable[[str, str], float]) -> Judge:
    """Give a floor its best threshold on the very pairs it is judged by: it may only look better than it is."""
    scores = sorted({round(ratio(row["name1"].lower(), row["name2"].lower()), 2) for row in rows})
    best = max(scores, key=lambda at: pairs_figures(rows, lambda a, b: ratio(a.lower(), b.lower()) >= at)[2])
    return lambda a, b: ratio(a.lower(), b.lower()) >= best


def cluster_figures(said: Sequence[str], true: Sequence[str]) -> Figures:
    """Judge a clustering by its pairs."""
    n_said, n_true, n_right = (
        sum(n * (n - 1) // 2 for n in Counter(labels).values()) for labels in (said, true, zip(said, true, strict=True))
    )
    return figures(n_right, n_said, n_true)


def show(name: str, measured: Figures) -> None:
    print(f"  {name:<48} precision {measured[0]:.3f}  recall {measured[1]:.3f}  F1 {measured[2]:.3f}")


def main() -> None:
    """Print both tables."""
    with (DATA / "names" / "cases.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    print(f"\n{len(rows)} labelled pairs of names")
    show("KnowledgeVault", pairs_figures(rows, lambda a, b: match_names(a, b, romanise).is_same))
    show(
        "Levenshtein, its best threshold", pairs_figures(rows, best_threshold(rows, Levenshtein.normalized_similarity))
    )
    show("rapidfuzz WRatio, its best", pairs_figures(rows, best_threshold(rows, fuzz.WRatio)))
    show("rapidfuzz token sort, its best", pairs_figures(rows, best_threshold(rows, fuzz.token_sort_ratio)))
    print("\nPeople with many names and addresses, by pairs of records")
    for path in sorted((DATA / "people").glob("*.mailmap")):
        for form, records, true in forms(path):
            said = [cluster for _, cluster in resolve(records, romanise)]
            show(f"{path.stem}, {form}, {len(records)}", cluster_figures(said, true))
            show("  the same e-mail", cluster_figures([record.email.lower() for record in records], true))
            if form == "each pair once":
                show("  rapidfuzz token sort >= 90", cluster_figures(by_ratio(records), true))


def by_ratio(records: Sequence[Record]) -> list[str]:
    """Join records whose names look alike to rapidfuzz."""
    home = list(range(len(records)))

    def root(place: int) -> int:
        while home[place] != place:
            place = home[place]
        return place

    for a, b in combinations(range(len(records)), 2):
        if fuzz.token_sort_ratio(records[a].name.lower(), records[b].name.lower()) >= 90:
            home[root(b)] = root(a)
    return [str(root(place)) for place in range(len(records))]


if __name__ == "__main__":
    main()
