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

QUESTIONS = (
    "running",
    "memory",
    "embedding",
    "syncing",
    "searching",
    "answering",
    "pages",
    "graph",
    "detectors",
    "streams",
    "consents",
    "scaling",
    "sharing",
    "loading",
    "faults",
)
RESULTS = Path(__file__).parent / "RESULTS.md"
HEAD = """# What was measured

Each section is what one command printed, with the day and the machine. `make bench` measures everything anew;
`python -m bench NAME` one section. Figures of different days and machines are not to be compared, ratios are.
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
    process = subprocess.Popen([sys.executable, "-m", f"bench.{name}"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="", flush=True)
        said.append(line)
    return "".join(said).strip("\n") if process.wait() == 0 else None


def main() -> None:
    """Measure what was asked for, or everything; the exit status is 1 when a measurement broke."""
    kept = sections(RESULTS.read_text()) if RESULTS.exists() else {}
    broken = []
    for name in sys.argv[1:] or QUESTIONS:
        said = measure(name)
        if said is None:
            broken.append(name)
            continue
        kept[name] = f"`python -m bench.{name}` · {machine()}\n\n```\n{said}\n```"
        ordered = [f"## {each}\n\n{kept[each]}\n" for each in QUESTIONS if each in kept]
        RESULTS.write_text("\n".join([HEAD, *ordered]))
    if broken:
        sys.exit(f"could not be measured: {', '.join(broken)}")


if __name__ == "__main__":
    main()
