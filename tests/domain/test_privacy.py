"""Work or personal: rules first, then likeness to what was decided, and unsure wherever neither is certain."""

from dataclasses import replace

import numpy as np
import pytest

from domain.embedding import Matrix
from domain.integrations import Item
from domain.parsing import ParsedDocument
from domain.privacy import (
    Circle,
    DecidedBy,
    Examples,
    Judge,
    Label,
    by_examples,
    by_rule,
    classify,
    mean_vector,
    signals_of,
)
from tests.domain.fakes import WordEmbedder

CIRCLE = Circle("ada@tidewater.example", frozenset({"ben@tidewater.example", "contractor@gmail.com"}))
NOTHING = Examples((), np.zeros((0, 0), np.float32))


def parsed(text: str, **metadata: str) -> ParsedDocument:
    named = {name.replace("_", "-"): value for name, value in metadata.items()}
    return ParsedDocument(
        title=text.partition(".")[0], media_type="message/rfc822", text=text, blocks=(), metadata=named
    )


def label(text: str, labels: tuple[str, ...] = (), circle: Circle = CIRCLE, **metadata: str) -> Label | None:
    item = Item("1", "mail.eml", "", labels=labels)
    verdict = by_rule(signals_of(item, parsed(text, **metadata)), circle)
    return verdict.label if verdict else None


@pytest.mark.parametrize(
    ("text", "metadata", "expected"),
    [
        ("The pump is late.", {"from": "Ben <BEN@tidewater.example>", "to": "ada@tidewater.example"}, Label.WORK),
        ("The pump is late.", {"from": "new.colleague@tidewater.example"}, Label.WORK),
        ("Draft attached.", {"from": "contractor@gmail.com"}, Label.WORK),
        ("The pump is late.", {"from": "sales@supplier.example", "to": "ada@tidewater.example"}, None),
        ("Note to myself.", {"from": "ada@tidewater.example", "to": "ada@tidewater.example"}, None),
        ("Mum, the wedding is in May.", {"from": "eve@gmail.com"}, Label.PERSONAL),
        ("Der Zahnarzt hat das Rezept.", {"from": "eve@gmx.de"}, Label.PERSONAL),
        ("One birthday only.", {"from": "eve@gmail.com"}, None),
        ("The doctor wrote a prescription.", {"from": "ben@tidewater.example"}, Label.UNSURE),
        ("Deals for your wedding and honeymoon.", {"from": "news@shop.example", "list_id": "<x>"}, None),
    ],
)
def test_rules_decide_only_what_they_can_tell(text: str, metadata: dict[str, str], expected: Label | None) -> None:
    assert label(text, **metadata) is expected


def test_a_label_at_the_source_outweighs_everything_else() -> None:
    assert label("The pump is late.", ("Family",), **{"from": "ben@tidewater.example"}) is Label.PERSONAL
    assert label("The pump is late.", **{"from": "ben@tidewater.example", "folder": "Inbox/Private"}) is Label.PERSONAL


def test_sharing_a_public_mail_provider_makes_nobody_a_colleague() -> None:
    circle = Circle("ada@gmail.com", frozenset({"ben@gmail.com"}))
    assert label("Hello.", circle=circle, **{"from": "stranger@gmail.com"}) is None
    assert label("Hello.", circle=circle, **{"from": "ben@gmail.com"}) is Label.WORK


async def vectors(*texts: str) -> Matrix:
    return await WordEmbedder(384).embed(texts)


WORK = ("budget forecast quarter board", "budget forecast invoice supplier", "quarter invoice board forecast")
PERSONAL = ("guitar lesson concert tickets", "concert tickets friday guitar", "lesson guitar band friday")


async def test_examples_decide_by_a_clear_margin_and_the_owners_own_decisions_only() -> None:
    labels = (*[Label.WORK] * 3, *[Label.PERSONAL] * 3)
    examples = Examples(labels, await vectors(*WORK, *PERSONAL))
    found = await vectors("forecast budget board", "guitar concert", "zeppelin moon", "invoice friday")
    verdicts = [by_examples(vector, examples) for vector in found]
    assert [verdict.label for verdict in verdicts] == [Label.WORK, Label.PERSONAL, Label.UNSURE, Label.UNSURE]
    assert {verdict.decided_by for verdict in verdicts} == {DecidedBy.EXAMPLES}


async def test_without_examples_of_both_kinds_nothing_is_certain() -> None:
    [vector] = await vectors("forecast budget board")
    one_sided = Examples((Label.WORK,) * 3, await vectors(*WORK))
    lonely = Examples((Label.WORK, Label.WORK, Label.PERSONAL), await vectors(*WORK[:2], PERSONAL[0]))
    for examples in (NOTHING, one_sided, lonely):
        assert by_examples(vector, examples).label is Label.UNSURE
    assert by_examples(None, replace(one_sided)).label is Label.UNSURE


async def test_rules_come_before_examples() -> None:
    judge = Judge(
        1, CIRCLE, Examples((*[Label.PERSONAL] * 2, *[Label.WORK] * 2), await vectors(*PERSONAL[:2], *WORK[:2]))
    )
    signals = signals_of(Item("1", "a", ""), parsed("guitar concert", **{"from": "ben@tidewater.example"}))
    assert classify(signals, (await vectors("guitar concert"))[0], judge).label is Label.WORK


def test_a_document_has_the_mean_direction_of_its_chunks() -> None:
    mean = mean_vector(np.array([[1, 0], [0, 1]], np.float32))
    assert mean is not None
    assert mean == pytest.approx([2**-0.5, 2**-0.5])
    assert mean_vector(np.zeros((0, 0), np.float32)) is None
