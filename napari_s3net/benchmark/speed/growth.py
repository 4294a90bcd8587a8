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
from napari_s3net.training.image import TRAINING
from napari_s3net.volume.slices import iter_slices

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
    """Make a photograph; one of more than 768 pixels is painted small and enlarged, which takes less time.

    Parameters
    ----------
    rows, columns : int
        Its size in pixels.
    seed : int
        The same seed gives the same photograph.

    Returns
    -------
    Image
        (rows, columns, 3) uint8.
    """
    if max(rows, columns) <= 768:
        return phantom.dermoscopy(seed, (rows, columns)).image
    small = phantom.dermoscopy(seed, (rows * 512 // max(rows, columns), columns * 512 // max(rows, columns))).image
    return as_image(resize(small.array, (rows, columns), preserve_range=True).astype(np.uint8))


def iter_growth(device: torch.device, repeats: int) -> Iterator[tuple[str, list[Point]]]:
    """Measure time and memory of one series after another: growing images, clusters, channels, iterations and so on.

    Parameters
    ----------
    device : torch.device
        Where to compute.
    repeats : int
        How often each point is timed; the median counts.

    Yields
    ------
    name : str
        Of the series.
    points : list of dict
        `n`, `seconds`, `mib` and, where it is a single run, `estimate_mib`; "iterations" have no memory.
    """
    skin = preset_settings("skin").replace(max_iter=TRAINING.guided_iterations + FULL_ITERATIONS, min_labels=2)
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
    """Return whether a quantity was measured at every point, and is above 0.

    Parameters
    ----------
    points : list of dict
        Of one series.
    of : str
        "seconds" or "mib".

    Returns
    -------
    bool
        Whether a slope can be fitted to it.
    """
    return all(point.get(of, 0) > 0 for point in points)


def slope(points: list[Point], of: str) -> float:
    """Return how a quantity grows, as a power of n: the slope of a straight line through the logarithms.

    Parameters
    ----------
    points : list of dict
        Of one series, at least two.
    of : str
        "seconds" or "mib".

    Returns
    -------
    float
        1 is linear, 0 is no growth.
    """
    n, y = (np.log([max(1e-9, point[name]) for point in points]) for name in ("n", of))
    return float(np.polyfit(n, y, 1)[0])


def _point(n: int, work: Callable[[], Any], device: torch.device, repeats: int) -> Point:
    mib = peak_of(work, device)  # which also warms up
    return {"n": n, "seconds": median(seconds(work, device, repeats)), "mib": mib}


def _run(n: int, image: Image, settings: Settings, device: torch.device, repeats: int) -> Point:
    point = _point(n, lambda: segment_once(image, settings, device), device, repeats)
    return {**point, "estimate_mib": estimate_mib(image.shape, settings)}


def _iterations(image: Image, settings: Settings, device: torch.device) -> list[Point]:
    """From one run that does not end by itself: the seconds at which each number of iterations was over."""
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
