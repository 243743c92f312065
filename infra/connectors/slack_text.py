"""Slack's message markup as plain text."""

import html
import re
from collections.abc import Callable, Mapping

REFERENCE = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


def readable(text: str, names: Mapping[str, str]) -> str:
    """Return a message with names for user ids, and with the text of links in place of their markup."""
    return html.unescape(REFERENCE.sub(_replacement(names), text)).strip()


def _replacement(names: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    def replace(match: re.Match[str]) -> str:
        sigil, target, label = match.groups()
        if sigil == "@":
            return f"@{names.get(target, label or target)}"
        if sigil == "#":
            return f"#{label or target}"
        if sigil == "!":
            return label or f"@{target.partition('^')[0]}"
        return label or target.removeprefix("mailto:")

    return replace
