"""The depthwise convolution with its own backward pass: the same numbers as PyTorch's."""

import pytest
import torch
from torch import nn

from napari_s3net.network.depthwise import DepthwiseConv, Pointwise, depthwise_by_matrices


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def values_and_gradients(forward, layer, x, seen_from_above):
    x = x.detach().clone().requires_grad_()
    y = forward(x)
    gradients = torch.autograd.grad(y, (x, *layer.parameters()), seen_from_above)
    return [y.detach(), *gradients]


@pytest.mark.parametrize(("kernel", "dilation"), [(3, 1), (5, 1), (5, 2), (7, 3)])
@pytest.mark.parametrize("shape", [(1, 4, 23, 30), (2, 3, 16, 17), (1, 2, 4, 5)])
@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_equals_torch_in_values_and_gradients(kernel, dilation, shape, memory):
    layer = DepthwiseConv(shape[1], kernel, dilation)
    x, above = torch.randn(shape).contiguous(memory_format=memory), torch.randn(shape)
    ours = values_and_gradients(layer, layer, x, above)
    theirs = values_and_gradients(lambda y: nn.Conv2d.forward(layer, y), layer, x, above)
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape
        assert torch.allclose(a, b, rtol=1e-5, atol=1e-5 * max(1.0, float(b.abs().max())))


@pytest.mark.parametrize(("kernel", "dilation"), [(3, 1), (5, 1), (5, 2), (7, 3)])
@pytest.mark.parametrize("shape", [(2, 3, 16, 17), (1, 2, 4, 5)])
@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_matrix_products_equal_torch_in_values_and_gradients(kernel, dilation, shape, memory):
    layer = DepthwiseConv(shape[1], kernel, dilation).to(memory_format=torch.channels_last)
    x, above = torch.randn(shape).contiguous(memory_format=memory), torch.randn(shape)
    ours = values_and_gradients(lambda y: depthwise_by_matrices(y, layer.weight, layer.bias, dilation), layer, x, above)
    theirs = values_and_gradients(lambda y: nn.Conv2d.forward(layer, y), layer, x, above)
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape
        assert torch.allclose(a, b, rtol=1e-5, atol=1e-5 * max(1.0, float(b.abs().max())))


def test_centre_weight_one_is_the_identity():
    layer, x = DepthwiseConv(3, 7, 3), torch.randn(2, 3, 9, 8)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    layer.weight.data[:, :, 3, 3] = 1
    assert torch.equal(layer(x), x)


def test_channels_do_not_mix():
    layer, x = DepthwiseConv(3, 5, 2), torch.randn(1, 3, 9, 8)
    other = x.clone()
    other[:, 1] += 1
    changed = (layer(x) != layer(other)).flatten(2).any(dim=2)[0]
    assert changed.tolist() == [False, True, False]


def test_other_number_of_channels_raises():
    with pytest.raises(RuntimeError):
        DepthwiseConv(4, 3)(torch.randn(1, 3, 8, 8))


def test_second_derivative_raises():
    layer, x = DepthwiseConv(1, 5), torch.randn(1, 1, 4, 4, requires_grad=True)
    (first,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


@pytest.mark.parametrize(("kernel", "dilation"), [(3, 1), (5, 2), (7, 3)])
def test_gradcheck(kernel, dilation):
    layer = DepthwiseConv(2, kernel, dilation).double()
    x = torch.randn(2, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *_: layer(x), (x, *layer.parameters()))


def test_gradient_is_not_zero():
    layer, x = DepthwiseConv(4, 7, 3), torch.randn(1, 4, 24, 24, requires_grad=True)
    layer(x).square().mean().backward()
    assert all(t.grad.flatten(1).abs().amax(dim=1).min() > 0 for t in (x, layer.weight))
    assert (layer.bias.grad != 0).all()


def test_pointwise_equals_a_convolution():
    layer, x = Pointwise(3, 5), torch.randn(2, 3, 6, 7)
    expected = nn.functional.conv2d(x, layer.weight[..., None, None], layer.bias)
    assert torch.allclose(layer(x), expected, atol=1e-6)
    with pytest.raises(RuntimeError):
        layer(torch.randn(2, 4, 6, 7))


def test_pointwise_gradient_is_not_zero():
    layer = Pointwise(3, 2).double()
    x = torch.randn(1, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *_: layer(x), (x, *layer.parameters()))
    layer(x).square().mean().backward()
    assert all(t.grad.abs().max() > 0 for t in (x, *layer.parameters()))
