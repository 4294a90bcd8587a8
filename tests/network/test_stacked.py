"""Stacked networks give what each of them gives alone, and so do their gradients."""

import pytest
import torch

from napari_s3net.network.deformable import DeformableConv3x3, FreeOffsetConv3x3, deform_by_grid_sample, deform_on_cpu
from napari_s3net.network.depthwise import DepthwiseConv, Pointwise
from napari_s3net.network.s3net import S3Net
from napari_s3net.network.stacked import BatchNorm, Conv3x3, stack_network

LAYERS = {
    "conv": lambda: Conv3x3(4, 6),
    "norm": lambda: BatchNorm(4),
    "pointwise": lambda: Pointwise(4, 6),
    "depthwise": lambda: DepthwiseConv(4, 5, 2),
    "depthwise undilated": lambda: DepthwiseConv(4, 3),
    "deformable": lambda: DeformableConv3x3(4, 6),
    "free offsets": lambda: FreeOffsetConv3x3(4, 6, (9, 8)),
    "network": lambda: S3Net(4, 8, 5),
    "ablated network": lambda: S3Net(4, 8, 5, attention=False, deformable=Conv3x3),
}


def first(answer):
    return answer[0] if isinstance(answer, tuple) else answer


@pytest.mark.parametrize("name", LAYERS)
def test_each_image_meets_its_own_weights(name):
    torch.manual_seed(0)
    stacked = LAYERS[name]()
    stack_network(stacked, 3)
    for parameter in stacked.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    x = torch.randn(3, 4, 9, 8)
    together = first(stacked(x))
    together.square().sum().backward()
    for n in range(3):
        alone = LAYERS[name]()
        alone.load_state_dict({key: value[n] for key, value in stacked.state_dict().items()})
        answer = first(alone(x[n : n + 1]))
        torch.testing.assert_close(together[n : n + 1], answer, rtol=1e-4, atol=1e-5)
        answer.square().sum().backward()
        for theirs, own in zip(stacked.parameters(), alone.parameters(), strict=True):
            if own.grad is not None:
                torch.testing.assert_close(theirs.grad[n], own.grad, rtol=2e-3, atol=2e-3)


def test_both_ways_of_the_deformable_convolution_know_stacked_weights():
    torch.manual_seed(0)
    x, places = torch.randn(2, 3, 6, 5), torch.rand(2, 2, 6, 5, 9) * 5
    given = (x, places[:, 0], places[:, 1], torch.rand(2, 6, 5, 9), torch.randn(2, 4, 3, 3, 3), torch.randn(2, 4))
    torch.testing.assert_close(deform_by_grid_sample(*given), deform_on_cpu(*given), rtol=1e-4, atol=1e-5)


def test_an_image_is_normalised_by_its_own_statistics_and_none_are_kept():
    norm = BatchNorm(2)
    stack_network(norm, 2)
    x = torch.stack([torch.rand(2, 3, 3), 100 + torch.rand(2, 3, 3)])
    torch.testing.assert_close(norm(x).mean(dim=(2, 3)), torch.zeros(2, 2), atol=1e-4, rtol=0)
    assert list(norm.state_dict()) == ["weight", "bias"]
