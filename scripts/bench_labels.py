"""How long the tools on labels take on four million pixels, as ratios to one labelling of connected components there.

`python scripts/bench_labels.py` prints them and exits 1 where one is beyond its bound: every tool is used by a click,
so that each has to be over at once.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from scipy import ndimage

from napari_s3net import labels as tools
from napari_s3net.image import as_image
from napari_s3net.labels.measure import measure_clusters

#: Three times and more of what a quiet machine gives.
BOUND = 30.0
TURNS = 3


def tool_ratios() -> dict[str, float]:
    """Processor time of each tool over that of `scipy.ndimage.label` on 2000 × 2000 pixels: a disc and 4,000 specks."""
    shape = (2000, 2000)
    y, x = np.ogrid[: shape[0], : shape[1]]
    rng = np.random.default_rng(0)
    labels = np.full(shape, 2, np.int32)
    labels[:, 1000:] = 3
    labels[(y - 1000) ** 2 + (x - 1000) ** 2 <= 600**2] = 1
    labels[rng.random(shape) < 0.001] = 1
    photograph = as_image(rng.integers(0, 255, (*shape, 3), np.uint8))
    unit = _seconds(lambda: ndimage.label(labels == 1))
    works: dict[str, Callable[[], object]] = {
        "smooth": lambda: tools.smooth(labels, (1,), 2),
        "fill_holes": lambda: tools.fill_holes(labels, (1,)),
        "remove_small": lambda: tools.remove_small(labels, (1,), 50),
        "keep_largest": lambda: tools.keep_largest(labels, (1,)),
        "dilate": lambda: tools.dilate(labels, (1,), 3),
        "split_components": lambda: tools.split_components(labels, 1),
        "merge": lambda: tools.merge(labels, (1, 2)),
        "swap": lambda: tools.swap(labels, 1, 2),
        "measure_clusters": lambda: measure_clusters(labels, photograph),
    }
    return {name: _seconds(work) / unit for name, work in works.items()}


def _seconds(work: Callable[[], object]) -> float:
    """The best of some turns."""
    times = []
    for _ in range(TURNS):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def main() -> int:
    """Print a line for each tool; 1 where one is beyond the bound."""
    found = tool_ratios()
    for name, ratio in found.items():
        print(f"{name}: {ratio:.1f} labellings, at most {BOUND:.0f}")
    return int(max(found.values()) > BOUND)


if __name__ == "__main__":
    sys.exit(main())
