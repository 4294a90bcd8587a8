"""Peak memory of this process, for one image after another."""

from __future__ import annotations

import sys
from pathlib import Path

_CLEAR = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")


def reset_peak() -> None:
    """Forget the peak so far. Only Linux can; elsewhere the peak stays that of the whole run."""
    try:
        _CLEAR.write_text("5", encoding="utf-8")
    except OSError:
        return


def peak_mib() -> float:
    """Return the most memory that this process held at once since `reset_peak`.

    Returns
    -------
    float
        In MiB, libraries included; NaN where the system does not tell.
    """
    try:
        line = next(line for line in _STATUS.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)
