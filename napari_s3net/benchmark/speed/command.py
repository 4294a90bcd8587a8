"""All measurements of speed and memory in one command, on generated images: no data folder is needed."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import torch

from napari_s3net import __version__, phantom
from napari_s3net.benchmark.methods import RELEASED_ITERATIONS
from napari_s3net.benchmark.speed import fresh
from napari_s3net.benchmark.speed.clock import run_parts, seconds, segment_once, typical
from napari_s3net.benchmark.speed.growth import Point, is_known, iter_growth, photograph, slope
from napari_s3net.benchmark.speed.layers import time_layers
from napari_s3net.benchmark.speed.limit import PASSES, measure_machine, work_of
from napari_s3net.benchmark.speed.page import profile, speed_page
from napari_s3net.benchmark.speed.plain import plain_layers
from napari_s3net.benchmark.speed.plots import growth_plot, profile_plot
from napari_s3net.benchmark.summary import update_summary
from napari_s3net.image import Image
from napari_s3net.preprocessing.prepare import to_features
from napari_s3net.runtime.device import resolve_device
from napari_s3net.runtime.machine import cores
from napari_s3net.runtime.threads import torch_threads
from napari_s3net.settings import Settings, preset_settings
from napari_s3net.training.image import TRAINING
from napari_s3net.training.variants import make_trainer

#: Turns of what is quick, and of what takes seconds.
REPEATS, FEW = 7, 3
#: Iterations of the published variant that are timed.
RELEASED_TIMED = 2
#: Parts of an iteration; the last one has only the first.
LEARNING = ("forward", "backward", "step")
Figures = dict[str, Any]


def run_speed(output: Path, device: str) -> dict[str, Any]:
    """Measure everything, and write summary, plots and page.

    Parameters
    ----------
    output : Path
        Folder for `summary.json`, `growth.svg`, `profile.svg` and `speed.md`.
    device : str
        As in `segment`.

    Returns
    -------
    dict
        What `summary.json` holds; the figures are in `speed`.
    """
    where = resolve_device(device)
    speed: Figures = {"machine": _machine(where)}
    for words, figures in _measured(where):
        speed |= figures
        update_summary(output, {"speed": speed})  # what was measured stays, however this ends
        sys.stdout.write(f"{words}\n")
        sys.stdout.flush()
    speed["machine"]["load_after"] = _load()
    summary = update_summary(output, {"speed": speed})
    _write(output / "speed.md", summary, "")
    return summary


def write_speed_page(output: Path, summary: dict[str, Any]) -> None:
    """Write the page of a summary, and its plots beside it.

    Parameters
    ----------
    output : Path
        The Markdown file; plots are called like it, with `_growth.svg` and `_profile.svg`.
    summary : dict
        As `run_speed` returned it.
    """
    _write(output, summary, f"{output.stem}_")


def _write(output: Path, summary: dict[str, Any], prefix: str) -> None:
    """The page and its plots, whose names begin so."""
    speed = summary["speed"]
    pictures = {"growth": growth_plot(speed["growth"]), "profile": profile_plot(profile(speed))}
    names = {name: f"{prefix}{name}.svg" for name in pictures}
    output.write_text(speed_page(summary, **names), encoding="utf-8")
    for name, picture in pictures.items():
        output.with_name(names[name]).write_text(picture, encoding="utf-8")


def _measured(where: torch.device) -> Iterator[tuple[str, Figures]]:
    """One measurement after another: what to say, and figures."""
    image, skin = photograph(256, 256), preset_settings("skin")
    once = typical(lambda: segment_once(image, skin, where), where, REPEATS)
    yield f"256 × 256 photograph: {once:.3f} s", {"seconds_256": once}
    with plain_layers():
        published = _released(image, where)
    fast = _released(image, where)
    times = {"ratio_to_released": published["seconds"] / once, "ratio_to_released_fast": fast["seconds"] / once}
    slow, quick = times.values()
    yield (
        f"variant released: {slow:.0f} times as long on torch's own layers, {quick:.0f} times on our faster ones",
        {"released": {"published": published, "fast": fast, "iterations": RELEASED_ITERATIONS}, **times},
    )
    limits = _limits(image, skin, where)
    yield f"{limits['ratio_to_limit']:.1f} times the machine's limit", limits
    large = photograph(2000, 2000)
    large_once = typical(lambda: segment_once(large, skin, where), where, FEW)
    yield f"2,000 × 2,000 photograph: {large_once:.3f} s", {"seconds_2000": large_once}
    applied = _apply(where)
    yield f"fitted model on 512 × 512: {applied:.3f} s", {"apply_512": applied}
    shared = fresh.measure_applied(cores())
    yield f"with a worker on each core: {shared:.3f} s a plane", {"apply_512_all_cores": shared}
    yield "one core alone", {"one_core": _one_core(where)}
    found = fresh.measure_fresh(str(where))
    yield (
        f"peak memory of a fresh process: {found['peak_mib']:.0f} MiB",
        {"peak_mib": found["peak_mib"], "fresh": found},
    )
    cold = fresh.measure_cold_start()
    yield f"cold start of napari: {cold}", {"cold_start": cold}
    growth: dict[str, list[Point]] = {}
    for name, points in iter_growth(where, FEW):
        growth[name] = points
        yield f"growth with {name}: power {slope(points, 'seconds'):.2f} in time", {"growth": dict(growth)}
    yield "done", {"slopes": {name: _slopes(points) for name, points in growth.items()}}


def _slopes(points: list[Point]) -> dict[str, float | None]:
    """Powers of n; none of memory where it was not measured."""
    return {of: slope(points, of) if is_known(points, of) else None for of in ("seconds", "mib")}


def _released(image: Image, where: torch.device) -> Figures:
    """The published mathematics at its own settings: a few iterations, scaled to the fewest that it takes."""
    settings = preset_settings("skin").replace(variant="released", max_iter=RELEASED_TIMED)
    parts, ends = run_parts(image, settings, where)
    each = (ends[-1] - ends[0]) / (len(ends) - 1)
    rest = parts["total"][0] - (ends[-1] - ends[0])  # the first look, and all that comes before and after
    return {"seconds_an_iteration": each, "seconds": rest + (RELEASED_ITERATIONS - 1) * each}


def _limits(image: Image, settings: Settings, where: torch.device) -> Figures:
    """Where the time goes, and the ratio of the measured iterations to the least that their layers take."""
    runs = [run_parts(image, settings, where)[0] for _ in range(REPEATS)]
    counts = {name: len(times) for name, times in runs[0].items()}
    parts = {name: [median(run[name][i] for run in runs) for i in range(n)] for name, n in counts.items()}
    whole = sorted(runs, key=lambda run: run["total"])[len(runs) // 2]  # one run, so that its parts make up the whole
    rows, columns = settings.working_shape(image.shape)
    machine = measure_machine(where, rows * columns * settings.channels)
    trainer = make_trainer(to_features(image, settings), settings, where)
    iterations = []
    kinds: dict[str, list[Figures]] = {}
    for index in range(counts["forward"]):
        learns = index < counts["backward"]  # the last iteration looks, and does not learn
        layers = work_of(trainer, index + 1, PASSES if learns else 1)
        iterations.append(
            {
                "seconds": sum(parts[name][index] for name in LEARNING[: None if learns else 1]),
                "least_seconds": machine.least_seconds(layers),
                "gflop": sum(each.operations for each in layers) / 1e9,
                "mb": sum(each.bytes for each in layers) / 1e6,
            }
        )
        kinds.setdefault(_kind(index + 1, learns), []).append(iterations[-1])
    ratio = sum(one["seconds"] for one in iterations) / sum(one["least_seconds"] for one in iterations)
    by_kind = {name: asdict(kind) for name, kind in time_layers(trainer, 1, machine, where, REPEATS).items()}
    return {
        "ratio_to_limit": ratio,
        "limit": {
            "machine": machine.to_dict(),
            "kinds": {name: _mean(some) for name, some in kinds.items()},
            "layers": by_kind,
        },
        "parts": {name: sum(times) for name, times in whole.items()}
        | {f"{name} an iteration": sum(whole[name]) / counts[name] for name in LEARNING},
    }


def _kind(iteration: int, learns: bool) -> str:
    """What tells iterations of different work apart."""
    size = "half the size" if iteration <= TRAINING.guided_iterations else "full size"
    return size if learns else f"{size}, the last: a look without learning"


def _mean(some: list[Figures]) -> Figures:
    mean = {name: sum(one[name] for one in some) / len(some) for name in some[0]}
    return {**mean, "iterations": len(some), "ratio": mean["seconds"] / mean["least_seconds"]}


def _apply(where: torch.device) -> float:
    """A model of the folder mode on one plane."""
    return typical(fresh.fitted_model_at_work(), where, REPEATS)


def _one_core(where: torch.device) -> Figures:
    """What a worker of a batch takes for one image or slice: on the CPU each has one core."""
    image, plane = photograph(256, 256), phantom.chest_ct().image
    lung = preset_settings("ct-lung")
    with torch_threads(1):
        return {
            "photograph": typical(lambda: segment_once(image, preset_settings("skin"), where), where, FEW),
            "ct_slice": median(seconds(lambda: segment_once(plane, lung, where), where, FEW)),
            "applied": _apply(where),
        }


def _machine(where: torch.device) -> Figures:
    """What was measured on; a busy machine shows in its load."""
    return {
        "device": torch.cuda.get_device_name(where) if where.type == "cuda" else str(where),
        "processor": _processor(),
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "version": __version__,
        "load_before": _load(),
    }


def _processor() -> str:
    """The processor's name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def _load() -> float | None:
    """Processes that wanted a core in the last minute."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
