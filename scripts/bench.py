"""Guards of speed: each fast path beside the plain one in the same run, as a ratio, never as a time.

    make bench

Prints the ratios and exits 1 where one is beyond its bound. On a quiet machine the bounds leave about a factor of two,
so that a doubling is found; what is compared is the best of some turns, taken in turns.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from torch import nn

from napari_s3net import labels as tools
from napari_s3net.network import deformable
from napari_s3net.network.deformable import DeformableConv3x3
from napari_s3net.network.deformable_cpu import deform_on_cpu
from napari_s3net.network.depthwise import DepthwiseConv
from napari_s3net.training.adam import Adam

TURNS = 7
Work = Callable[[], object]


def best(*works: Work) -> list[float]:
    """The shortest time in seconds of each piece of work."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(TURNS):
        for work, its in zip(works, times, strict=True):
            begun = time.perf_counter()
            work()
            its.append(time.perf_counter() - begun)
    return [min(its) for its in times]


def there_and_back(layer: nn.Module, x: torch.Tensor) -> Work:
    """The layer's forward and backward pass."""

    def work() -> None:
        layer.zero_grad()
        layer(x).square().mean().backward()

    return work


def compare_depthwise(kernel: int, dilation: int) -> float:
    """Our depthwise convolution beside torch's."""
    x = some_features()
    plain = nn.Conv2d(16, 16, kernel, padding=dilation * (kernel // 2), dilation=dilation, groups=16)
    ours, torchs = best(there_and_back(DepthwiseConv(16, kernel, dilation), x), there_and_back(plain, x))
    return ours / torchs


def compare_deformable() -> float:
    """Our deformable layer on the CPU beside the one by `grid_sample`."""
    x, layer = some_features(), DeformableConv3x3(16, 16)
    nn.init.normal_(layer.predict.weight, std=0.1)
    work = there_and_back(layer, x)

    def by_grid_sample() -> None:
        deformable.deform_on_cpu = deformable.deform_by_grid_sample
        try:
            work()
        finally:
            deformable.deform_on_cpu = deform_on_cpu

    ours, torchs = best(work, by_grid_sample)
    return ours / torchs


def compare_adam() -> float:
    """A step of our Adam beside torch's, over the parameters of a small network."""
    layers = [nn.Sequential(*(nn.Conv2d(16, 16, 3) for _ in range(10))) for _ in range(2)]
    for layer in layers:
        for parameter in layer.parameters():
            parameter.grad = torch.ones_like(parameter)
    ours, torchs = Adam(layers[0].parameters(), 0.01), torch.optim.Adam(layers[1].parameters(), 0.01)
    first, second = best(ours.step, torchs.step)
    return first / second


def compare_import() -> float:
    """Importing the package beside starting Python: nothing heavy may come with it."""
    import subprocess

    root = Path(__file__).resolve().parents[1]

    def run(code: str) -> Work:
        return lambda: subprocess.run([sys.executable, "-c", code], cwd=root, check=True)

    ours, bare = best(run("import napari_s3net"), run("pass"))
    return ours / bare


def compare_label_tools() -> float:
    """The slowest tool on labels beside one labelling of components, on four million pixels: a click shows at once."""
    y, x = np.ogrid[:2000, :2000]
    labels = np.where((y - 1000) ** 2 + (x - 1000) ** 2 <= 600**2, 1, 2 + (x >= 1000)).astype(np.int32)
    labels[np.random.default_rng(0).random(labels.shape) < 0.001] = 1
    works: list[Work] = [
        lambda: ndimage.label(labels == 1),
        lambda: tools.smooth(labels, (1,), 2),
        lambda: tools.fill_holes(labels, (1,)),
        lambda: tools.remove_small(labels, (1,), 50),
        lambda: tools.keep_largest(labels, (1,)),
        lambda: tools.dilate(labels, (1,), 3),
        lambda: tools.split_components(labels, 1),
    ]
    labelling, *times = best(*works)
    return max(times) / labelling


def some_features() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.rand(1, 16, 64, 64).contiguous(memory_format=torch.channels_last).requires_grad_()


#: What is compared, and the ratio that it must not exceed.
GUARDS: dict[str, tuple[Callable[[], float], float]] = {
    "depthwise 5, dilation 2 / torch's": (lambda: compare_depthwise(5, 2), 1.2),
    "depthwise 7, dilation 3 / torch's": (lambda: compare_depthwise(7, 3), 0.5),
    "deformable / by grid_sample": (compare_deformable, 1.2),
    "Adam / torch's": (compare_adam, 1.0),
    "slowest label tool / labelling": (compare_label_tools, 30.0),
    "import napari_s3net / bare Python": (compare_import, 2.0),
}


def main() -> int:
    beyond = 0
    for name, (compare, bound) in GUARDS.items():
        ratio = compare()
        beyond += ratio > bound
        print(f"{name}: {ratio:.2f} (at most {bound:g}){'  BEYOND' if ratio > bound else ''}")
    return int(beyond > 0)


if __name__ == "__main__":
    sys.exit(main())
