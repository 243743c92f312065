"""Releases: a migration only adds, so that the version before it goes on while instances are replaced one by one."""

import ast
import re
from pathlib import Path

import pytest

VERSIONS = sorted((Path(__file__).parent.parent / "alembic" / "versions").glob("*.py"))
TAKES_AWAY = re.compile(
    r"\b(drop\s+(table|column|not\s+null)|rename|alter\s+column\s+\w+\s+(set\s+not\s+null|type))\b",
    re.IGNORECASE,
)


def statements(path: Path) -> str:
    """Everything a revision says outside of its way back."""
    module = ast.parse(path.read_text())
    kept = [node for node in module.body if getattr(node, "name", "") != "downgrade"]
    return "\n".join(ast.unparse(node) for node in kept)


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_a_migration_takes_nothing_away_that_the_version_before_it_uses(path: Path) -> None:
    assert not TAKES_AWAY.search(statements(path)), "take it away one release later, when nobody uses it"


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_a_new_column_does_not_ask_the_version_before_it_for_a_value(path: Path) -> None:
    for added in re.findall(r"add\s+column\s+[^,;]*", statements(path), re.IGNORECASE):
        needs_value = "not null" in added.lower() and "default" not in added.lower()
        assert not needs_value or "generated" in added.lower(), added


def test_revisions_form_one_line() -> None:
    revisions = {}
    for path in VERSIONS:
        found = dict(re.findall(r'^(revision|down_revision) = (".*"|None)$', path.read_text(), re.MULTILINE))
        revisions[found["revision"]] = found["down_revision"]
    followers = [before for before in revisions.values() if before != "None"]
    assert len(set(followers)) == len(followers), "two revisions follow the same one"
    assert set(followers) <= set(revisions)
