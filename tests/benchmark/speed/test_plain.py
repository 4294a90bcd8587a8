"""The published network on torch's own layers: the same numbers as on ours, and nothing stays swapped."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_s3net.benchmark.speed.plain import plain_layers
from napari_s3net.network import deformable as deform
from napari_s3net.network.deformable_cpu import deform_on_cpu
from napari_s3net.network.depthwise import DepthwiseConv
from napari_s3net.training.released import ReleasedTrainer

FEATURES = np.random.default_rng(0).random((24, 24, 3)).astype(np.float32)


def loss_and_gradient():
    torch.manual_seed(0)
    trainer = ReleasedTrainer(FEATURES, torch.device("cpu"), size=(24, 24))
    total = torch.stack(list(trainer.forward(1)[1].values())).sum()
    total.backward()
    return float(total.detach()), next(trainer.network.parameters()).grad


def test_the_numbers_are_the_same():
    ours, of_ours = loss_and_gradient()
    with plain_layers():
        assert DepthwiseConv.forward is nn.Conv2d.forward
        assert deform.deform_on_cpu is deform.deform_by_grid_sample
        torchs, of_torchs = loss_and_gradient()
    assert ours == pytest.approx(torchs, rel=1e-5)
    torch.testing.assert_close(of_ours, of_torchs, rtol=1e-3, atol=1e-6)


def test_nothing_stays_swapped():
    with pytest.raises(ValueError, match="on the way"), plain_layers():
        raise ValueError("on the way")
    assert DepthwiseConv.forward is not nn.Conv2d.forward
    assert deform.deform_on_cpu is deform_on_cpu
