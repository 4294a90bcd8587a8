"""How long work takes on a device, what it takes of its memory, and whether there is time left for more."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

Figures = dict[str, Any]


class Deadline:
    """When the whole check has to be over, by `time.monotonic`."""

    end = float("inf")

    def set(self, minutes: float) -> None:
        """Have it end after so many minutes from now."""
        self.end = time.monotonic() + 60 * minutes

    def is_over(self, spare: float = 0.0) -> bool:
        """Whether less than so many seconds are left."""
        return time.monotonic() > self.end - spare


#: One check, one end.
DEADLINE = Deadline()


def timed(work: Callable[[], Any], device: torch.device) -> float:
    """Seconds of one piece of work, the card's share included."""
    wait_for(device)
    begun = time.perf_counter()
    work()
    wait_for(device)
    return time.perf_counter() - begun


def best_seconds(work: Callable[[], Any], device: torch.device, turns: int = 5) -> float:
    """The least of some turns after a first one that warms up."""
    work()
    return min(timed(work, device) for _ in range(turns))


def wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def allocated(device: torch.device) -> int:
    return torch.cuda.memory_allocated(device) if device.type == "cuda" else 0


def free_caches(device: torch.device) -> None:
    from napari_s3net.runtime.device import empty_caches

    empty_caches()
    wait_for(device)
