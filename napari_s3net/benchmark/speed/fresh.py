"""What can be measured in a fresh process only: peak memory, imports, and napari's cold start."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from subprocess import PIPE
from typing import IO, Any, cast

#: A cold start that takes longer than this has failed.
LONGEST = 300.0
#: Planes that each process of `measure_applied` segments.
TURNS = 20
#: Drives napari from outside; it is part of a checkout, not of an installed package.
COLD_START = Path(__file__).resolve().parents[3] / "scripts" / "cold_start.py"
_PEAK = """
import json, sys, time
started = time.perf_counter()
import napari_s3net.segmentation as loop
imports = time.perf_counter() - started
import torch
from napari_s3net.benchmark.memory import peak_mib, reset_peak
from napari_s3net.benchmark.speed.clock import peak_of, segment_once
from napari_s3net.benchmark.speed.growth import photograph
from napari_s3net.settings import preset_settings
device, settings = torch.device(sys.argv[1]), preset_settings("skin")
image = photograph(256, 256)
started = time.perf_counter()
over = peak_of(lambda: segment_once(image, settings, device), device)
first = time.perf_counter() - started
print(json.dumps({"imports": imports, "first_run": first, "peak_mib": peak_mib(), "peak_over_libraries_mib": over}))
"""
_WORKER = """
import sys, time, torch
torch.set_num_threads(1)
from napari_s3net.benchmark.speed.fresh import fitted_model_at_work
work = fitted_model_at_work()
work()
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[1])):
    work()
print("done", flush=True)
"""


def fitted_model_at_work() -> Callable[[], object]:
    """Fit a model of the folder mode, ready to be timed.

    Returns
    -------
    callable
        Takes nothing; segments one 512 × 512 plane with the model.
    """
    from napari_s3net.benchmark.speed.growth import photograph
    from napari_s3net.settings import preset_settings
    from napari_s3net.training.folder import FEWEST_IMAGES, fit_folder

    image = photograph(512, 512)
    model = fit_folder([image] * FEWEST_IMAGES, preset_settings("skin"))
    return lambda: model.segment(image)


def measure_applied(workers: int) -> float:
    """Measure how fast fitted models are with one process on each core, as a batch works.

    Parameters
    ----------
    workers : int
        Processes.

    Returns
    -------
    float
        Seconds a plane, of all processes together.

    Raises
    ------
    RuntimeError
        If a process ended before its work was done.
    """
    command = [sys.executable, "-W", "ignore", "-c", _WORKER, str(TURNS)]
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    start = partial(
        subprocess.Popen[str], command, env={**os.environ, **one_thread}, stdin=PIPE, stdout=PIPE, encoding="utf-8"
    )
    with ExitStack() as stack:
        running = [stack.enter_context(start()) for _ in range(workers)]
        said = [cast("IO[str]", worker.stdout).readline() for worker in running]  # all have fitted and warmed up
        started = time.perf_counter()
        for worker in running:
            cast("IO[str]", worker.stdin).close()
        said += [cast("IO[str]", worker.stdout).readline() for worker in running]
        taken = time.perf_counter() - started
    if not all(said):
        raise RuntimeError("A worker ended before its work was done.")
    return taken / (workers * TURNS)


def measure_fresh(device: str) -> dict[str, Any]:
    """Measure import time, the first run, and its peak memory, in a process that has done nothing else.

    Parameters
    ----------
    device : str
        As torch takes it.

    Returns
    -------
    dict
        `imports` and `first_run` in seconds; `peak_mib` with libraries and `peak_over_libraries_mib` without, in MiB.
    """
    command = [sys.executable, "-W", "ignore", "-c", _PEAK, device]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=LONGEST)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure_cold_start() -> dict[str, Any]:
    """Measure how long a first run in napari takes from the start of Python on.

    Returns
    -------
    dict
        `stages`, the seconds at which each stage was reached; or `skipped`, the reason why that was not measured.
    """
    if importlib.util.find_spec("napari") is None:
        return {"skipped": "napari is not installed"}
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return {"skipped": "there is no display"}
    if not COLD_START.is_file():
        return {"skipped": f"{COLD_START.name} is in the scripts of a checkout, and this is an installed package"}
    command = [sys.executable, "-W", "ignore", str(COLD_START), str(time.time())]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=LONGEST)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        return {"skipped": f"napari did not get there: {type(error).__name__}"}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
