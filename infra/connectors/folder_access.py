"""Who may read the files of a folder: everyone, or what its `access.json` says by the beginning of a path."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from domain.errors import Invalid
from domain.people import EVERYONE

ACCESS_FILE = "access.json"
ADMIN = "user:admin"
"""Stands in the file for the person the integration's settings name."""


class Rule(msgspec.Struct, frozen=True):
    """Files whose path begins with `prefix` are for `principals` only."""

    prefix: str
    principals: tuple[str, ...]


class AccessRules(msgspec.Struct, frozen=True):
    """The content of an `access.json`; the first rule that fits counts."""

    default: tuple[str, ...] = (EVERYONE,)
    rules: tuple[Rule, ...] = ()


def folder_access(root: Path, admin: str) -> Callable[[str], tuple[str, ...]]:
    """Return who may read a file, by its path under `root`. Raises: Invalid when `access.json` cannot be understood."""
    rules = _read_rules(root / ACCESS_FILE)

    def principals(path: str) -> tuple[str, ...]:
        named = next((rule.principals for rule in rules.rules if path.startswith(rule.prefix)), rules.default)
        return tuple(admin if name == ADMIN else name for name in named if admin or name != ADMIN)

    return principals


def _read_rules(path: Path) -> AccessRules:
    if not path.is_file():
        return AccessRules()
    try:
        return msgspec.json.decode(path.read_bytes(), type=AccessRules)
    except msgspec.MsgspecError as error:
        raise Invalid(
            f"{ACCESS_FILE} of this folder cannot be understood ({error}). Mend it, then sync again."
        ) from error
