"""The attention block: shapes, gradients, and what each part does to the input."""

import pytest
import torch
from torch import nn

from napari_s3net.network.attention import BRANCHES, AttentionBlock, InceptionLargeKernelAttention


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("shape", [(1, 4, 20, 24), (2, 3, 5, 7)])
def test_shape(attention, shape):
    y = AttentionBlock(shape[1], attention=attention)(torch.randn(shape))
    assert y.shape == shape
    assert torch.isfinite(y).all()


def test_branches_are_those_of_the_paper():
    gate = InceptionLargeKernelAttention(4)
    assert [(b.kernel_size[0], b.dilation[0]) for b in gate.context] == list(BRANCHES) == [(3, 1), (5, 2), (7, 3)]
    assert all(b.groups == 4 for b in [gate.local, *gate.context])
    assert gate.mix.weight.shape == (4, 12)


def test_gate_equals_plain_convolutions():
    gate, x = InceptionLargeKernelAttention(3).double(), torch.randn(2, 3, 12, 14, dtype=torch.float64)

    def plain(layer, y):
        return nn.Conv2d.forward(layer, y)

    local = plain(gate.local, x)
    context = torch.cat([plain(branch, local) for branch in gate.context], dim=1)
    expected = x * torch.nn.functional.conv2d(context, gate.mix.weight[..., None, None], gate.mix.bias)
    assert torch.allclose(gate(x), expected, atol=1e-12)


def test_gate_is_multiplied_onto_the_input():
    x = torch.randn(1, 4, 10, 10)
    x[:, :, 3:6, 4:7] = 0
    assert (InceptionLargeKernelAttention(4)(x)[:, :, 3:6, 4:7] == 0).all()


def test_gate_sees_as_far_as_its_branches():
    gate, x = InceptionLargeKernelAttention(1), torch.zeros(1, 1, 41, 41)
    x[:, :, 20] = 1  # what is multiplied with the gate, along one row
    far = x.clone()
    far[0, 0, 9, 20] = 5  # 11 = 2 + 9 rows away: the rim of the 5×5 followed by 7×7 with dilation 3
    beyond = x.clone()
    beyond[0, 0, 8, 20] = 5
    assert not torch.allclose(gate(x)[0, 0, 20], gate(far)[0, 0, 20], atol=1e-7)
    assert torch.allclose(gate(x)[0, 0, 20], gate(beyond)[0, 0, 20], atol=1e-7)


def test_block_is_a_residual():
    block, x = AttentionBlock(4), torch.randn(1, 4, 9, 9)
    nn.init.zeros_(block.body[-1].weight)
    nn.init.zeros_(block.body[-1].bias)
    assert torch.equal(block(x), x)


def test_block_adds_its_body():
    block, x = AttentionBlock(4).double(), torch.randn(1, 4, 9, 9, dtype=torch.float64)
    assert torch.allclose(block(x) - x, block.body(x))


def test_without_attention_a_plain_convolution_takes_its_place():
    kinds = [type(layer) for layer in AttentionBlock(4, attention=False).body]
    assert any(issubclass(kind, nn.Conv2d) for kind in kinds)
    assert InceptionLargeKernelAttention not in kinds


def test_other_number_of_channels_raises():
    with pytest.raises(RuntimeError):
        AttentionBlock(4)(torch.randn(1, 3, 8, 8))


@pytest.mark.parametrize("attention", [True, False])
def test_gradcheck(attention):
    block = AttentionBlock(2, attention=attention).double()
    x = torch.randn(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *_: block(x), (x, *block.parameters()), fast_mode=True)


def test_gradient_is_not_zero():
    block, x = AttentionBlock(4), torch.randn(1, 4, 12, 12, requires_grad=True)
    block(x).square().mean().backward()
    assert x.grad.abs().max() > 0
    for name, p in block.named_parameters():
        assert p.grad.abs().max() > 0, name
