"""The fast paths stay fast: each against the plain one in the same run, as a ratio, never as a time.

On a quiet machine the bounds leave about a factor of two, so that a doubling is found and a busy machine forgiven: what
is compared is the best of some turns, taken in turns.
"""

import time

import pytest
import torch
from torch import nn

from napari_s3net.network import deformable as deform
from napari_s3net.network.deformable import DeformableConv3x3, deform_on_cpu
from napari_s3net.network.depthwise import DepthwiseConv

TURNS = 5


def best(*works):
    """The shortest time of each piece of work."""
    times = [[] for _ in works]
    for _ in range(TURNS):
        for work, its in zip(works, times, strict=True):
            started = time.perf_counter()
            work()
            its.append(time.perf_counter() - started)
    return [min(its) for its in times]


def there_and_back(layer, x):
    def work():
        layer.zero_grad()
        layer(x).square().mean().backward()

    return work


@pytest.fixture
def x():
    torch.manual_seed(0)
    return torch.rand(1, 16, 64, 64).contiguous(memory_format=torch.channels_last).requires_grad_()


@pytest.mark.parametrize(("kernel", "dilation", "bound"), [(5, 2, 1.2), (7, 3, 0.3)])
def test_depthwise(x, kernel, dilation, bound):
    fast = DepthwiseConv(16, kernel, dilation)
    plain = nn.Conv2d(16, 16, kernel, padding=dilation * (kernel // 2), dilation=dilation, groups=16)
    ours, torchs = best(there_and_back(fast, x), there_and_back(plain, x))
    assert ours < bound * torchs


def test_deformable(x, monkeypatch):
    layer = DeformableConv3x3(16, 16)
    nn.init.normal_(layer.predict.weight, std=0.1)
    work = there_and_back(layer, x)

    def plainly():
        monkeypatch.setattr(deform, "deform_on_cpu", deform.deform_by_grid_sample)
        work()
        monkeypatch.setattr(deform, "deform_on_cpu", deform_on_cpu)

    ours, torchs = best(work, plainly)
    assert ours < 1.2 * torchs
