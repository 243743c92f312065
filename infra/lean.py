"""Keeps what nobody uses out of the memory of processes that run for long."""

import sys
from collections.abc import Sequence

LONG_RUNNING = ("serve", "work", "receive-mail")
UNUSED = ("pydantic", "pygments", "rich")
"""Litestar and httpx load these where they happen to be installed, 15 MB, and go on without them where they are not."""


def leave_out_unused(arguments: Sequence[str]) -> None:
    """Let imports of UNUSED fail in a web or worker process; call it before anything else is imported."""
    if len(arguments) > 1 and arguments[1] in LONG_RUNNING:
        for name in UNUSED:
            sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # how `import` is told: not here
