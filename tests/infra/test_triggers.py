"""The table of triggers: its own examples are its tests, and one pass finds what each pattern finds alone."""

import pytest

from domain.triggers import Trigger
from infra.seeds import FOLDER
from infra.triggers import TableMatcher, expression, make_matcher, read_triggers

TRIGGERS = read_triggers()
MATCHER = make_matcher()


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: trigger.name)
def test_a_trigger_matches_its_examples_and_none_of_its_counterexamples(trigger: Trigger) -> None:
    assert trigger.matching
    assert trigger.other
    for sentence in trigger.matching:
        assert trigger in [match.trigger for match in MATCHER.match([sentence])[0]], sentence
    for sentence in trigger.other:
        assert expression(trigger).search(sentence) is None, sentence


def test_one_pass_finds_exactly_what_each_pattern_finds_alone() -> None:
    lines = [line for path in sorted(FOLDER.rglob("*.md"))[:12] for line in path.read_text().splitlines() if line]
    lines += [line.upper() for line in lines[:60]] + ["“Maybe we’ll deçide”", "İt wıll be decıded\x01 by ſomeone", ""]
    alone = [
        [(trigger.name, found.span()) for trigger in TRIGGERS if (found := expression(trigger).search(line))]
        for line in lines
    ]
    together = [[(each.trigger.name, (each.start, each.end)) for each in found] for found in MATCHER.match(lines)]
    assert together == alone


def test_a_changed_table_is_a_new_version() -> None:
    assert TableMatcher(TRIGGERS).version == MATCHER.version
    assert TableMatcher(TRIGGERS[1:]).version != MATCHER.version
