"""Run every measurement, one process each, so that none warms another up, and keep what they say in RESULTS.md.

    python -m bench [question ...]

Figures are medians, and machines differ: read them as ratios to the floor beside them.
"""

import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

QUESTIONS = {
    "running": "running",
    "memory": "memory",
    "worker_memory": "syncing memory",
    "embedding": "embedding",
    "syncing": "syncing",
    "formats": "formats",
    "caching": "caching",
    "writing": "writing",
    "search_10k": "searching 10000 10000",
    "search_100k": "searching 100000 100000",
    "search_1m": "searching 1000000 100000",
    "words": "words",
    "vectors": "vectors",
    "answering": "answering",
    "pages": "pages",
    "graph": "graph",
    "detectors": "detectors",
    "streams": "streams",
    "consents": "consents",
    "scaling": "scaling",
    "sharing": "sharing",
    "loading": "loading",
    "faults": "faults",
}
"""Each section of RESULTS.md, in its order, and the command behind `python -m bench.` that fills it."""
RESULTS = Path(__file__).parent / "RESULTS.md"
HEAD = """# What was measured

Each section is what one command printed, with the day and the machine. `make bench` measures everything anew;
`python -m bench NAME` one section. Figures of different days and machines are not to be compared, ratios are.
What profiles showed, and what was mended, is in [profiles.md](profiles.md).
"""
SECTION = re.compile(r"^## (\w+)$", re.MULTILINE)


def sections(text: str) -> dict[str, str]:
    """Return the sections of RESULTS.md as they stand, by name."""
    parts = SECTION.split(text)
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def machine() -> str:
    """Return a line about the machine and the day."""
    models = re.findall(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text()) if sys.platform == "linux" else []
    model = models[0] if models else platform.processor()
    return f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({model}), Python {platform.python_version()}"


def measure(name: str) -> str | None:
    """Run one measurement, showing what it says; return that, or None when it broke."""
    said = []
    module, *arguments = QUESTIONS[name].split()
    command = [sys.executable, "-m", f"bench.{module}", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="", flush=True)
        said.append(line)
    return "".join(said).strip("\n") if process.wait() == 0 else None


def main() -> None:
    """Measure what was asked for, or everything; the exit status is 1 when a measurement broke."""
    kept = sections(RESULTS.read_text()) if RESULTS.exists() else {}
    asked, broken = sys.argv[1:] or list(QUESTIONS), []
    if unknown := [name for name in asked if name not in QUESTIONS]:
        sys.exit(f"There is no measurement named {', '.join(unknown)}. There are: {', '.join(QUESTIONS)}.")
    for name in asked:
        said = measure(name)
        if said is None:
            broken.append(name)
            continue
        kept[name] = f"`python -m bench.{QUESTIONS[name]}` · {machine()}\n\n```\n{said}\n```"
        ordered = [f"## {each}\n\n{kept[each]}\n" for each in QUESTIONS if each in kept]
        RESULTS.write_text("\n".join([HEAD, *ordered]))
    if broken:
        sys.exit(f"could not be measured: {', '.join(broken)}")


if __name__ == "__main__":
    main()
