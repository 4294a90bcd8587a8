"""How time and memory grow with the size of what is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import numpy as np
import torch
from skimage.transform import resize

from napari_s3net import phantom
from napari_s3net.benchmark.speed.clock import peak_of, run_parts, seconds, segment_once
from napari_s3net.image import Image, as_image
from napari_s3net.runtime.generators import drain
from napari_s3net.runtime.memory import estimate_mib
from napari_s3net.settings import Settings, preset_settings
from napari_s3net.training.image import GUIDED_ITERATIONS
from napari_s3net.volume import iter_slices

#: Longer sides of the image at one working size; working sizes; clusters; channels; images; slices.
SIDES = (256, 512, 1024, 2048)
WORKING = (64, 128, 256)
CLUSTERS = (4, 8, 16, 32)
CHANNELS = (8, 16, 32)
COUNTS = (1, 2, 4)
#: Iterations in which a series looks at the full working size.
FULL_ITERATIONS = 2
ITERATIONS = (8, 16, 32)

Point = dict[str, float]


def photograph(rows: int, columns: int, seed: int = 0) -> Image:
    """A generated photograph; a large one is enlarged, which takes less time than painting it."""
    if max(rows, columns) <= 768:
        return phantom.dermoscopy(seed, (rows, columns)).image
    small = phantom.dermoscopy(seed, (rows * 512 // max(rows, columns), columns * 512 // max(rows, columns))).image
    return as_image(resize(small.array, (rows, columns), preserve_range=True).astype(np.uint8))


def iter_growth(device: torch.device, repeats: int) -> Iterator[tuple[str, list[Point]]]:
    """One series after another: its name, and points of n, seconds, MiB and, where it is a single run, the estimate."""
    skin = preset_settings("skin").replace(max_iter=GUIDED_ITERATIONS + FULL_ITERATIONS, min_labels=2)
    yield "pixels", [_run(side**2, photograph(side, side), skin, device, repeats) for side in SIDES]
    square = photograph(256, 256)
    yield (
        "working pixels",
        [_run(size**2, square, skin.replace(working_size=size), device, repeats) for size in WORKING],
    )
    yield "clusters", [_run(n, square, skin.replace(clusters=n), device, repeats) for n in CLUSTERS]
    yield "channels", [_run(n, square, skin.replace(channels=n), device, repeats) for n in CHANNELS]
    yield "iterations", _iterations(square, skin, device)
    yield "images", [_images(n, skin, device, repeats) for n in COUNTS]
    yield "slices", [_slices(n, device, repeats) for n in COUNTS]


def is_known(points: list[Point], of: str) -> bool:
    """Whether it was measured at every point."""
    return all(point.get(of, 0) > 0 for point in points)


def slope(points: list[Point], of: str) -> float:
    """Growth as a power of n: the slope of a straight line through the logarithms."""
    n, y = (np.log([max(1e-9, point[name]) for point in points]) for name in ("n", of))
    return float(np.polyfit(n, y, 1)[0])


def _point(n: int, work: Callable[[], Any], device: torch.device, repeats: int) -> Point:
    mib = peak_of(work, device)  # which also warms up
    return {"n": n, "seconds": median(seconds(work, device, repeats)), "mib": mib}


def _run(n: int, image: Image, settings: Settings, device: torch.device, repeats: int) -> Point:
    point = _point(n, lambda: segment_once(image, settings, device), device, repeats)
    return {**point, "estimate_mib": estimate_mib(image.shape, settings)}


def _iterations(image: Image, settings: Settings, device: torch.device) -> list[Point]:
    """From one run that does not end by itself: when so many iterations were over."""
    _, ends = run_parts(image, settings.replace(max_iter=max(ITERATIONS)), device)
    return [{"n": n, "seconds": ends[n - 1]} for n in ITERATIONS]


def _images(n: int, settings: Settings, device: torch.device, repeats: int) -> Point:
    images = [photograph(256, 256, seed) for seed in range(n)]
    return _point(n, lambda: [segment_once(image, settings, device) for image in images], device, repeats)


def _slices(n: int, device: torch.device, repeats: int) -> Point:
    """A stack of chest CT slices, as the dock and the command line go through one."""
    plane = phantom.chest_ct().image
    stack = as_image(np.stack([plane.array] * n), kind=plane.kind)
    settings = preset_settings("ct-lung")
    return _point(n, lambda: drain(iter_slices(stack, settings, device=str(device))), device, repeats)
