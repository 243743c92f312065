"""Keeps what nobody uses out of the memory of processes that run for long."""

import ctypes
import gc
import sys
from collections.abc import Sequence
from types import ModuleType

LONG_RUNNING = ("serve", "work", "receive-mail")
UNUSED = ("pydantic", "pygments", "rich")
"""Litestar and httpx load these where they happen to be installed, 15 MB, and go on without them where they are not."""
NAMED_ONLY = (
    "sqlalchemy.ext.asyncio.scoping",  # sessions of the object mapper, 6 MB; we speak SQL over connections
    "sqlalchemy.ext.asyncio.session",
    "uvicorn.main",  # its command line, 2 MB; ours starts the server itself
    "redis.asyncio.cluster",  # clients of clusters, 1 MB
    "redis.cluster",
    "yaml",  # a second form of the API's description, 1 MB, that we do not offer
)
"""What libraries load to offer what we never use; their own imports of it have to pass."""
COLLECT_AFTER = (50_000, 20, 50)
"""Allocations, and collections of younger objects, before the young, the middle-aged and the old are looked at."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""As glibc's malloc.h numbers them."""
KEPT_BYTES = 2**17
"""Blocks as large as this, and free memory beyond it, go back to the system."""


class Absent(ModuleType):
    """A module that has every name asked of it, and nothing behind them."""

    def __getattr__(self, name: str) -> None:
        """Let `from … import …` pass. Raises: AttributeError for names of Python's own."""
        if name.startswith("__"):
            raise AttributeError(name)


def leave_out_unused(arguments: Sequence[str]) -> None:
    """Let imports of UNUSED fail in a web or worker process, and those of NAMED_ONLY be empty.

    Call it before anything else is imported.
    """
    if len(arguments) > 1 and arguments[1] in LONG_RUNNING:
        for name in UNUSED:
            sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # how `import` is told: not here
        for name in NAMED_ONLY:
            sys.modules.setdefault(name, Absent(name))


def give_back_freed() -> None:
    """Return to the system what starting needed and freed again, 3 MB; elsewhere than on glibc nothing happens."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def keep_little_free() -> None:
    """Let glibc hand large blocks back as they are freed, 1 MB of a web process; it would learn to keep them.

    For processes that compute with large arrays this costs more than it brings.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is not None:
        set_option(M_MMAP_THRESHOLD, KEPT_BYTES)
        set_option(M_TRIM_THRESHOLD, KEPT_BYTES)


def collect_seldom() -> None:
    """Keep the garbage collector from going through all that ten thousand open streams hold, again and again.

    What is loaded stays for good, and is not looked at any more; the rest is looked at after many more allocations.
    Only what refers to itself waits for it; all else is freed at once in any case.
    """
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
