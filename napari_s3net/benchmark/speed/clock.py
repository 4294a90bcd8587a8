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
from napari_s3net.image import Image
from napari_s3net.result import Segmentation
from napari_s3net.runtime.generators import drain
from napari_s3net.settings import Settings
from napari_s3net.training.variants import make_trainer


def wait(device: torch.device) -> None:
    """Wait until a graphics card has done what it was given, so that its time is measured too.

    Parameters
    ----------
    device : torch.device
        Where the work goes on; for the CPU nothing is done.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(work: Callable[[], object], device: torch.device, repeats: int = 1) -> list[float]:
    """Measure the wall time of some work.

    Parameters
    ----------
    work : callable
        Takes nothing.
    device : torch.device
        Where it computes; a graphics card is waited for.
    repeats : int
        How often it is done.

    Returns
    -------
    list of float
        Seconds of each time.
    """
    times = []
    for _ in range(repeats):
        wait(device)
        started = time.perf_counter()
        work()
        wait(device)
        times.append(time.perf_counter() - started)
    return times


def typical(work: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Measure the median wall time of some work, after one turn that warms up.

    Parameters
    ----------
    work : callable
        Takes nothing.
    device : torch.device
        Where it computes.
    repeats : int
        How often it is timed, 1 or more.

    Returns
    -------
    float
        Seconds.
    """
    work()
    return median(seconds(work, device, repeats))


def peak_of(work: Callable[[], object], device: torch.device) -> float:
    """Measure the memory that some work takes at its peak, beyond what was held before.

    Parameters
    ----------
    work : callable
        Takes nothing.
    device : torch.device
        Memory of a graphics card where it computes there, else of this process.

    Returns
    -------
    float
        MiB; NaN where the system does not tell.
    """
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
        """Return a function with a clock.

        Parameters
        ----------
        name : str
            The part of the run whose `times` get the seconds of each call.
        function : callable
            Any function.

        Returns
        -------
        callable
            Takes and returns what `function` does.
        """

        def call(*arguments: Any, **named: Any) -> Any:
            wait(self.device)
            started = time.perf_counter()
            result = function(*arguments, **named)
            wait(self.device)
            self.times[name].append(time.perf_counter() - started)
            return result

        return call

    def trainer(self, *arguments: Any) -> Any:
        """Make a trainer whose steps are timed, and which never ends by itself.

        Returns
        -------
        Trainer
            As `make_trainer` makes it of the same arguments.
        """
        made = self.timed("start", make_trainer)(*arguments)
        made.forward = self.timed("forward", made.forward)
        made.look = self.timed("view", made.look)
        made.optimiser.step = self.timed("step", made.optimiser.step)
        made.is_done = lambda _, n_clusters, __: torch.zeros_like(n_clusters, dtype=torch.bool)
        return made


def run_parts(image: Image, settings: Settings, device: torch.device) -> tuple[dict[str, list[float]], list[float]]:
    """Segment an image with a clock on all that the loop calls.

    Parameters
    ----------
    image : Image
        One plane.
    settings : Settings
        All of its `max_iter` iterations are done.
    device : torch.device
        Where to compute.

    Returns
    -------
    times : dict of str to list of float
        Seconds of each call of "prepare", "start", "forward", "backward", "step", "view", "propose" and "postprocess";
        and of "total".
    ends : list of float
        Seconds from the start at which each iteration was over.
    """
    parts = Parts(device)
    ends: list[float] = []
    calls = {name: name for name in ("prepare", "propose", "postprocess")} | {"view": "squares_for"}
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
    """Segment an image, to the end.

    Parameters
    ----------
    image : Image
        One plane.
    settings : Settings
        Of the run.
    device : torch.device
        Where to compute.

    Returns
    -------
    Segmentation
        The result.
    """
    return drain(loop.iter_segment(image, settings, device=str(device)))
