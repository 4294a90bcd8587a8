"""Counts by hand for small layers, and paces that can be."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_s3net.benchmark.speed.limit import LayerWork, Machine, layer_work, measure_machine, multiply_adds, work_of
from napari_s3net.network.deformable import DeformableConv3x3
from napari_s3net.network.depthwise import DepthwiseConv, Pointwise
from napari_s3net.settings import Settings
from napari_s3net.training.variants import make_trainer

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (nn.Conv2d(4, 8, 3, padding=1), 30 * 8 * 4 * 9),
        (DepthwiseConv(4, 7, 3), 30 * 4 * 49),
        (Pointwise(4, 8), 30 * 8 * 4),
        (DeformableConv3x3(4, 8), 30 * 9 * (4 * 4 + 4 * 8)),
        (nn.BatchNorm2d(4), 30 * 4),
    ],
    ids=lambda value: type(value).__name__,
)
def test_multiply_adds(layer, expected):
    x = torch.rand(1, 4, 5, 6)
    assert multiply_adds(layer, x, layer(x)) == expected


def test_bytes_are_read_and_written_once_in_each_pass():
    layer, x = Pointwise(4, 8), torch.rand(1, 4, 5, 6)
    assert layer_work(layer, x, layer(x), 3) == LayerWork(3 * 2 * 30 * 32, 3 * 4 * (30 * 4 + 30 * 8 + 4 * 8 + 8))
    assert layer_work(layer, x, layer(x), 1) == LayerWork(2 * 30 * 32, 4 * (30 * 4 + 30 * 8 + 4 * 8 + 8))


def test_the_longer_time_of_each_layer_is_its_limit():
    machine = Machine(100.0, 10.0, 5.0)
    assert machine.least_seconds([LayerWork(200.0, 10.0)]) == 2.0
    assert machine.least_seconds([LayerWork(200.0, 50.0)]) == 5.0
    assert machine.least_seconds([LayerWork(200.0, 10.0), LayerWork(0.0, 50.0)]) == 7.0


def test_wider_networks_need_more_and_no_hook_is_left():
    features = np.random.default_rng(0).random((40, 40, 3), np.float32)
    found = []
    for channels in (8, 16):
        trainer = make_trainer(features, Settings(channels=channels, clusters=4), CPU)
        found.append(work_of(trainer, 100))
        assert not any(module._forward_hooks for module in trainer.network.modules())
    (few, little), (many, much) = ((sum(w.operations for w in work), sum(w.bytes for w in work)) for work in found)
    assert 1.5 < many / few < 4
    assert much > little


def test_this_machine_can_do_something():
    machine = measure_machine(CPU, 2**16, repeats=2)
    assert machine.operations > 1e8
    assert min(machine.bytes, machine.bytes_large) > 1e7
    assert set(machine.to_dict()) == {"gflops", "copy_gb_per_s", "large_copy_gb_per_s"}
