"""Time and memory of pieces of work, and of the parts of one run."""

from __future__ import annotations

import ctypes
import gc
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from statistics import median
from typing import Any
from unittest.mock import patch

import torch

from napari_s3net import segmentation as loop
from napari_s3net.benchmark.memory import peak_mib, reset_peak
from napari_s3net.image import Image, Segmentation
from napari_s3net.runtime.generators import drain
from napari_s3net.settings import Settings
from napari_s3net.training.variants import make_trainer


def wait(device: torch.device) -> None:
    """Let a graphics card finish what it was given, so that the clock sees it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(work: Callable[[], object], device: torch.device, repeats: int = 1) -> list[float]:
    """Wall time of each repeat."""
    times = []
    for _ in range(repeats):
        wait(device)
        started = time.perf_counter()
        work()
        wait(device)
        times.append(time.perf_counter() - started)
    return times


def typical(work: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Median wall time after one turn that warms up."""
    work()
    return median(seconds(work, device, repeats))


def peak_of(work: Callable[[], object], device: torch.device) -> float:
    """MiB that a piece of work takes at its peak beyond what was held before: of the card, or of this process."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work()
        return float(torch.cuda.max_memory_allocated(device) - before) / 2**20
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library than GNU's keeps what it keeps
            ctypes.CDLL("libc.so.6").malloc_trim(0)
    reset_peak()
    held = peak_mib()
    work()
    return peak_mib() - held


@dataclass
class Parts:
    """Seconds of each part of a run, one entry a call."""

    device: torch.device
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, with a clock."""

        def call(*arguments: Any, **named: Any) -> Any:
            wait(self.device)
            started = time.perf_counter()
            result = function(*arguments, **named)
            wait(self.device)
            self.times[name].append(time.perf_counter() - started)
            return result

        return call

    def trainer(self, *arguments: Any) -> Any:
        """A trainer whose steps are timed, and which never ends by itself."""
        made = self.timed("start", make_trainer)(*arguments)
        made.forward = self.timed("forward", made.forward)
        made.optimiser.step = self.timed("step", made.optimiser.step)
        made.is_done = lambda *_: False
        return made


def run_parts(image: Image, settings: Settings, device: torch.device) -> tuple[dict[str, list[float]], list[float]]:
    """Run the loop itself with a clock on all that it calls: seconds of each part, and when each iteration was over."""
    parts = Parts(device)
    ends: list[float] = []
    calls = {"prepare": "prepare", "propose": "propose", "postprocess": "postprocess"}
    started = time.perf_counter()
    with ExitStack() as clocks:
        for part, name in calls.items():
            clocks.enter_context(patch.object(loop, name, parts.timed(part, getattr(loop, name))))
        clocks.enter_context(patch.object(loop, "make_trainer", parts.trainer))
        backward = parts.timed("backward", torch.autograd.backward)
        clocks.enter_context(patch.object(torch.autograd, "backward", backward))
        steps = loop.iter_segment(image, settings, device=str(device))
        ends.extend(time.perf_counter() - started for _ in steps)
    parts.times["total"].append(time.perf_counter() - started)
    return dict(parts.times), ends


def segment_once(image: Image, settings: Settings, device: torch.device) -> Segmentation:
    """One run, to its end."""
    return drain(loop.iter_segment(image, settings, device=str(device)))
