"""How many processors this process may use: what a container allows, not what the machine has."""

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def allowed_processors(cgroup: Path = CGROUP) -> int:
    """Return the number of processors to compute on, at least one: CPU affinity, bounded by the container's quota."""
    try:
        n_processors = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows do not know affinity
        n_processors = os.cpu_count() or 1
    quota = _quota(cgroup)
    return n_processors if quota is None else max(1, min(n_processors, math.ceil(quota)))


def _quota(cgroup: Path) -> float | None:
    """Return the quota in processors, by cgroup version 2 or else 1; None when there is none."""
    try:
        limit, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            limit = (cgroup / "cpu" / "cpu.cfs_quota_us").read_text().strip()
            period = (cgroup / "cpu" / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    if not limit.isdigit() or not period.isdigit() or not int(period):
        return None
    return int(limit) / int(period)
