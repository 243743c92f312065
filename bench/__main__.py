"""Run every measurement, one process each, so that none warms another up. Figures are medians; read them as ratios."""

import subprocess
import sys

QUESTIONS = ("running", "embedding", "syncing", "searching", "streams", "detectors")


def main() -> None:
    """Print one table a question; the exit status is 1 when a measurement broke."""
    broken = [name for name in QUESTIONS if subprocess.call([sys.executable, "-m", f"bench.{name}"]) != 0]
    if broken:
        sys.exit(f"could not be measured: {', '.join(broken)}")


if __name__ == "__main__":
    main()
