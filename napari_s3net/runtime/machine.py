"""What this computer has, and how much of it this process may use: processor cores and memory."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

#: Where Linux keeps the limits of control groups, a container's among them, and which groups this process is in.
GROUP_ROOT, GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def cores() -> int:
    """Return how many processor cores this process may use.

    Returns
    -------
    int
        1 or more. A container's quota of time is not counted, only the cores that the process is bound to.
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def may_have_card() -> bool:
    """Say whether this machine may have a graphics card to compute on, without loading the network library.

    Returns
    -------
    bool
        True with a driver of NVIDIA's and a torch that is no build for the CPU alone, and on Apple's own processors.
        Only the network library knows for certain.
    """
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    try:
        is_for_cpu = metadata.version("torch").endswith("+cpu")
    except metadata.PackageNotFoundError:
        return False
    return not is_for_cpu and shutil.which("nvidia-smi") is not None


@cache
def physical_memory() -> int:
    """Return the memory of this machine; the system is asked once.

    Returns
    -------
    int
        In bytes, used or not; a container's limit is not counted.
    """
    import psutil  # not needed to compute, so that the check of a card does without

    return int(psutil.virtual_memory().total)


def free_memory() -> int:
    """Return the memory that this process may still take.

    Returns
    -------
    int
        In bytes: what other programs leave, and at most what its control groups, such as a container, still allow.
    """
    import psutil

    return min([int(psutil.virtual_memory().available), *_left_in_groups()])


def _left_in_groups() -> Iterator[int]:
    """Yield the bytes that each control group of this process still allows; a container's limit is one of them."""
    try:
        lines = [line.split(":", 2) for line in GROUPS.read_text(encoding="utf-8").splitlines()]
    except OSError:  # not Linux
        return
    for _, controllers, path in lines:
        if controllers == "":
            yield from _left(GROUP_ROOT, path, "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _left(GROUP_ROOT / "memory", path, *names)


def _left(root: Path, path: str, limit: str, used: str, cache: str) -> Iterator[int]:
    """Bytes left in a group and in those above it; a container may see its own as the root. Cached files can go."""
    group = root / path.strip("/")
    for folder in (group, *group.parents):
        if not folder.is_relative_to(root):
            return
        try:
            most = int((folder / limit).read_text(encoding="ascii"))
            taken = int((folder / used).read_text(encoding="ascii"))
            kept = dict(line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
        except (OSError, ValueError):  # no such group here, or "max"
            continue
        yield max(0, most - taken + int(kept.get(cache, 0)))
