"""What can be measured in a fresh process only: peak memory, imports, and napari's cold start."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from typing import Any

#: A cold start that takes longer than this has failed.
LONGEST = 300.0
_PEAK = """
import json, sys, time
started = time.perf_counter()
import napari_s3net.segmentation as loop
imports = time.perf_counter() - started
import torch
from napari_s3net.benchmark.memory import peak_mib, reset_peak
from napari_s3net.benchmark.speed.clock import peak_of, segment_once
from napari_s3net.benchmark.speed.growth import photograph
from napari_s3net.settings import preset
device, settings = torch.device(sys.argv[1]), preset("skin")
image = photograph(256, 256)
started = time.perf_counter()
over = peak_of(lambda: segment_once(image, settings, device), device)
first = time.perf_counter() - started
print(json.dumps({"imports": imports, "first_run": first, "peak_mib": peak_mib(), "peak_over_libraries_mib": over}))
"""


def measure_fresh(device: str) -> dict[str, Any]:
    """Import time, the first run, and its peak memory, in a process that has done nothing else."""
    command = [sys.executable, "-W", "ignore", "-c", _PEAK, device]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LONGEST)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure_cold_start() -> dict[str, Any]:
    """Seconds from starting Python until each stage of a first run in napari; or the reason why it was not measured."""
    if importlib.util.find_spec("napari") is None:
        return {"skipped": "napari is not installed"}
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return {"skipped": "there is no display"}
    command = [sys.executable, "-W", "ignore", "-m", "napari_s3net.plugin.cold_start", str(time.time())]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LONGEST)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        return {"skipped": f"napari did not get there: {type(error).__name__}"}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
