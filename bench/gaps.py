"""How right detection is: decisions, contradictions, the demo vault's planted gaps, and findings labelled by hand.

Sets under `../shared/data` are measured where they are there; the demo vault always is.
"""

import asyncio
import csv
import json
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.answer_sets import SHARED
from domain.claims import Claim, claims
from domain.contradictions import compare, weigh_words
from domain.detection import detect
from domain.embedding import Matrix
from domain.gap_ranking import SAME_GAP, Twins, are_one, quote_of
from domain.parsing import BlockKind, ParseSettings
from domain.statements import Statement
from domain.surroundings import Source, Surroundings
from infra.analysis import WordAnalyzer
from infra.detection import ReadDocument, detect_all, find_conflicts
from infra.inference.export import DEFAULT_MODEL, ensure_exported
from infra.inference.openvino_embedder import OpenVinoEmbedder
from infra.parsers.process import parser_process
from infra.triggers import make_matcher

DEMO = Path(__file__).parent.parent / "infra" / "seeds" / "demo"
LABELS = Path(__file__).parent / "gap_labels.jsonl"
LISTS = ("planted.json", "access.json", "users.json", "channels.json")
N_SHOWN = 50
MIN_WORDS = 4


class Label(msgspec.Struct, frozen=True):
    """One finding, judged by a reader."""

    document: str
    kind: str
    start: int
    end: int
    is_right: bool


def main() -> None:
    """Print one line a measure."""
    planted = json.loads((DEMO / "planted.json").read_text())
    demo = asyncio.run(_demo())
    _print_planted(planted, demo)
    _print_conflicts(planted, demo)
    if (SHARED / "contradictions").is_dir():
        _print_evidence()
    if (SHARED / "decisions").is_dir():
        _print_decisions()
    if (SHARED / "minutes").is_dir():
        _print_labelled()


def _print_planted(planted: dict, demo: Sequence[ReadDocument]) -> None:
    detected = dict(zip((each.id for each in demo), detect_all(demo, make_matcher(), WordAnalyzer()), strict=True))
    texts = {each.id: each.source.text for each in demo}
    n_found = n_kind = 0
    for gap in planted["gaps"]:
        place = gap["document"]
        met = [each for each in detected[place].gaps if _meet(gap["quote"], texts[place][each.start : each.end])]
        n_found += bool(met)
        n_kind += any(each.kind == gap["kind"] for each in met)
    n, n_all = len(planted["gaps"]), sum(len(each.gaps) for each in detected.values())
    print(
        f"planted gaps       recall {n_found / n:.3f} (of the planted kind {n_kind / n:.3f}), {n}; found in all {n_all}"
    )


def _print_conflicts(planted: dict, demo: Sequence[ReadDocument]) -> None:
    found = find_conflicts(demo, WordAnalyzer())
    pairs = [((c.a.document, c.a.claim.text), (c.b.document, c.b.claim.text)) for c in found]
    rarity = weigh_words([claim for each in found for claim in (each.a.claim, each.b.claim)])
    for name, title in (("contradictions", "true conflicts"), ("lookalikes", "look-alikes")):
        listed = planted[name]
        n_vault = sum(any(_is_pair(each, pair) for pair in pairs) for each in listed)
        n_alone = sum(_clash(each["a"]["quote"], each["b"]["quote"], rarity) for each in listed)
        n = len(listed)
        print(f"{title:<18} flagged {n_alone / n:.3f} as sentences, {n_vault / n:.3f} in their documents, {n}")
    n_planted = sum(any(_is_pair(each, pair) for each in planted["contradictions"]) for pair in pairs)
    print(
        f"demo vault         conflicts reported {len(pairs)}, {n_planted} of them planted (precision at least"
        f" {n_planted / len(pairs):.3f})"
    )


def _print_evidence() -> None:
    """Claims about the climate with sentences that refute or support them: mostly by argument, seldom by a value."""
    lines = (SHARED / "contradictions" / "climate-fever.jsonl").read_text().splitlines()
    pairs = [
        (each["claim"], said["evidence"], said["evidence_label"] == "REFUTES")
        for each in map(json.loads, lines)
        for said in each["evidences"]
        if said["evidence_label"] in ("REFUTES", "SUPPORTS")
    ]
    stated = {text: _claims(text) for one, other, _ in pairs for text in (one, other)}
    rarity = weigh_words([claim for held in stated.values() for claim in held])
    flagged = [
        refutes
        for one, other, refutes in pairs
        if any(compare(a, b, rarity) is not None for a in stated[one] for b in stated[other])
    ]
    n_refuting = sum(refutes for *_, refutes in pairs)
    print(
        f"refuting evidence  precision {sum(flagged) / max(1, len(flagged)):.3f}"
        f" recall {sum(flagged) / n_refuting:.3f}, {len(flagged)} flagged"
        f" of {n_refuting} refuting and {len(pairs) - n_refuting} supporting sentences"
    )


def _print_decisions() -> None:
    """The first sentence of each record's decision, against all sentences of the contexts."""
    with (SHARED / "decisions" / "0_shot.csv").open() as file:
        records = list(csv.DictReader(file))
    matcher, analyzer = make_matcher(), WordAnalyzer()

    def decides(sentence: str) -> bool:
        detected = detect(Source(sentence), Surroundings(), matcher, analyzer)
        return any(frame.type == "decision" for frame in detected.frames)

    decided = [found[0] for each in records if (found := _sentences(each["decision"]))]
    others = [sentence for each in records for sentence in _sentences(each["context"])]
    n_hit, n_false = sum(map(decides, decided)), sum(map(decides, others))
    n_missed, n_right = len(decided) - n_hit, len(others) - n_false
    f1 = 2 * n_hit / (2 * n_hit + n_false + n_missed)
    other_f1 = 2 * n_right / (2 * n_right + n_false + n_missed)
    print(f"decisions          precision {n_hit / (n_hit + n_false):.3f} recall {n_hit / len(decided):.3f}"
          f" macro-F1 {(f1 + other_f1) / 2:.3f}, {len(decided)} and {len(others)}")  # fmt: skip


def _print_labelled() -> None:
    labels = [msgspec.json.decode(line, type=Label) for line in LABELS.read_bytes().splitlines()[1:]]
    judged = {(each.document, each.kind, each.start): each.is_right for each in labels}
    paths = sorted(path for name in ("corpora/handbook_18f", "minutes") for path in (SHARED / name).rglob("*.md"))
    documents = [_read(path, str(path.relative_to(SHARED))) for path in paths]
    detected = list(zip(documents, detect_all(documents, make_matcher(), WordAnalyzer()), strict=True))
    found = [(gap.score, each.id, gap.kind.value, gap.start) for each, read in detected for gap in read.gaps]
    found.sort(key=lambda one: (-one[0], str(one[1]), one[3]))
    top = [judged[key] for one in found[:N_SHOWN] if (key := (str(one[1]), *one[2:])) in judged]
    held = [judged[key] for one in found if (key := (str(one[1]), *one[2:])) in judged]
    n_right = sum(each.is_right for each in labels)
    print(f"labelled findings  precision {sum(top) / len(top):.3f} of the top {N_SHOWN} by rank ({len(top)} labelled),"
          f" {sum(held) / len(held):.3f} of all {len(held)} labelled that are still found;"
          f" recall of the {n_right} right ones {sum(held) / n_right:.3f}")  # fmt: skip
    _print_twins([(gap.kind.value, gap.question) for _, read in detected for gap in read.gaps])


def _print_twins(questions: Sequence[tuple[str, str]]) -> None:
    """Of findings with their kinds, in order: how many are asked as one with an earlier one that is near in meaning."""
    vectors = asyncio.run(_embedded([quote_of(asked) for _, asked in questions]))
    cosines = vectors @ vectors.T
    n_joined = 0
    for place, (kind, asked) in enumerate(questions):
        earlier = [other for other in range(place) if questions[other] != (kind, asked) and questions[other][0] == kind]
        near = max(earlier, key=lambda other: cosines[place, other], default=None)
        if near is not None:
            n_joined += are_one(Twins(place, near, asked, questions[near][1], float(cosines[place, near])))
    print(f"near duplicates    {n_joined} of {len(questions)} findings asked as one with another, from {SAME_GAP} on")


async def _embedded(texts: list[str]) -> Matrix:
    async with OpenVinoEmbedder(ensure_exported(DEFAULT_MODEL, Path(".vault/models"))) as embedder:
        return await embedder.embed(texts)


async def _demo() -> list[ReadDocument]:
    """The demo company's files, parsed as in a sync; of chat, the texts."""
    found = []
    async with parser_process(ParseSettings()) as parser:
        for path in sorted(each for each in DEMO.rglob("*") if each.is_file() and each.name not in LISTS):
            name = str(path.relative_to(DEMO))
            if name.startswith("chat/"):
                text = "\n\n".join(each.get("text", "") for each in json.loads(path.read_text()))
                found.append(ReadDocument(name, Source(text, name, path=name)))
                continue
            parsed = await parser.parse(path.name, "", path.read_bytes())
            source = Source(parsed.text, parsed.title, parsed.author, parsed.modified_at, name)
            found.append(ReadDocument(name, source, parsed.blocks))
    return found


def _read(path: Path, name: str) -> ReadDocument:
    return ReadDocument(name, Source(path.read_text(), path.name, path=name))


def _sentences(text: str) -> list[str]:
    spans = WordAnalyzer().sentences(text)
    return [each for start, end in spans if len((each := " ".join(text[start:end].split())).split()) >= MIN_WORDS]


def _clash(one: str, other: str, rarity: dict[str, float]) -> bool:
    left, right = _claims(one), _claims(other)
    return any(compare(a, b, rarity) is not None for a in left for b in right)


def _claims(quote: str) -> list[Claim]:
    return claims(Statement(0, len(quote), quote, BlockKind.PARAGRAPH, "", 0), WordAnalyzer())


def _is_pair(listed: dict, pair: tuple) -> bool:
    def is_at(side: str, place: tuple) -> bool:
        return listed[side]["document"] == place[0] and _meet(listed[side]["quote"], place[1])

    one, other = pair
    return (is_at("a", one) and is_at("b", other)) or (is_at("a", other) and is_at("b", one))


def _meet(quote: str, text: str) -> bool:
    """Whether one holds the other, white space and the final stop aside; of a row, all cells that are quoted."""
    bare, said = (" ".join(each.split()).rstrip(". ") for each in (quote, text))
    return bool(said) and (said in bare or all(cell in said for cell in bare.split(",")))


if __name__ == "__main__":
    main()
