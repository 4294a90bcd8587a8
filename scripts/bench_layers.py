"""How much faster the network's own layers are on the CPU than torch's: ratios of times, each with its bound.

`python scripts/bench_layers.py` prints them and exits 1 where one is beyond its bound. On a quiet machine the bounds
leave about a factor of two, so that a doubling is found and a busy machine forgiven. The two ways of each pair are
timed in turns, and the best turn of each counts.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from unittest.mock import patch

import torch
from torch import Tensor, nn

from napari_s3net.network import deformable
from napari_s3net.network.deformable import DeformableConv3x3
from napari_s3net.network.depthwise import DepthwiseConv

TURNS = 5


def layer_ratios() -> dict[str, tuple[float, float]]:
    """Time of a forward and backward pass over that of torch's own layer, and the largest ratio that is allowed.

    Returns
    -------
    dict of str to tuple of float
        Ratio and bound of each layer, for 16 channels of 64 × 64.
    """
    torch.manual_seed(0)
    x = torch.rand(1, 16, 64, 64).contiguous(memory_format=torch.channels_last).requires_grad_()
    return {
        "depthwise 5 × 5, dilation 2": (_depthwise(x, 5, 2), 1.2),
        "depthwise 7 × 7, dilation 3": (_depthwise(x, 7, 3), 0.6),
        "deformable 3 × 3": (_deformable(x), 1.2),
    }


def _depthwise(x: Tensor, kernel: int, dilation: int) -> float:
    ours = DepthwiseConv(16, kernel, dilation)
    torchs = nn.Conv2d(16, 16, kernel, padding=dilation * (kernel // 2), dilation=dilation, groups=16)
    return _ratio(_pass(ours, x), _pass(torchs, x))


def _deformable(x: Tensor) -> float:
    layer = DeformableConv3x3(16, 16)
    nn.init.normal_(layer.predict.weight, std=0.1)
    ours = _pass(layer, x)

    def by_grid_sample() -> None:
        with patch.object(deformable, "deform_on_cpu", deformable.deform_by_grid_sample):
            ours()

    return _ratio(ours, by_grid_sample)


def _pass(layer: nn.Module, x: Tensor) -> Callable[[], None]:
    """One forward and backward pass, to be timed."""

    def work() -> None:
        layer.zero_grad()
        torch.autograd.backward(layer(x).square().mean())

    return work


def _ratio(ours: Callable[[], None], torchs: Callable[[], None]) -> float:
    """The best time of one over the best time of the other."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(TURNS):
        for work, its in zip((ours, torchs), times, strict=True):
            started = time.perf_counter()
            work()
            its.append(time.perf_counter() - started)
    return min(times[0]) / min(times[1])


def main() -> int:
    """Print a line for each layer; 1 where a ratio is beyond its bound."""
    found = layer_ratios()
    for name, (ratio, bound) in found.items():
        print(f"{name}: {ratio:.2f} of torch's time, at most {bound}")
    return int(any(ratio > bound for ratio, bound in found.values()))


if __name__ == "__main__":
    sys.exit(main())
