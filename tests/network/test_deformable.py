"""The deformable convolution: against a plain convolution, shifts, and `grid_sample`."""

import pytest
import torch
import torch.nn.functional as F

from napari_s3net.network.deformable import DeformableConv3x3, FreeOffsetConv3x3, deform_conv3x3

NAMES = ("x", "offsets", "modulation", "weight", "bias")


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def arguments(N=1, C=3, D=4, H=8, W=9, reach=0.0, dtype=torch.float64):
    """x, offsets within ± reach, modulation, weight, bias."""
    return (
        torch.randn(N, C, H, W, dtype=dtype),
        reach * (2 * torch.rand(N, 18, H, W, dtype=dtype) - 1),
        torch.rand(N, 9, H, W, dtype=dtype) + 0.5,
        torch.randn(D, C, 3, 3, dtype=dtype),
        torch.randn(D, dtype=dtype),
    )


def plain(x, offsets, modulation, weight, bias):
    """The equation as it stands, one tap after another, by `grid_sample`."""
    H, W = x.shape[2:]
    rows, columns = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    y = bias.view(1, -1, 1, 1).expand(len(x), -1, H, W)
    for k in range(9):
        row = rows + k // 3 - 1 + offsets[:, 2 * k]
        column = columns + k % 3 - 1 + offsets[:, 2 * k + 1]
        grid = torch.stack((2 * column / (W - 1) - 1, 2 * row / (H - 1) - 1), dim=-1)
        sample = F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=True)
        y = y + F.conv2d(sample * modulation[:, k : k + 1], weight[:, :, k // 3, k % 3, None, None])
    return y


def gradients(function, inputs, above):
    leaves = [t.detach().clone().requires_grad_() for t in inputs]
    y = function(*leaves)
    return y.detach(), torch.autograd.grad(y, leaves, above)


def test_zero_offset_is_a_plain_convolution():
    x, offsets, modulation, weight, bias = arguments(N=2)
    y = deform_conv3x3(x, offsets, torch.ones_like(modulation), weight, bias)
    assert y.shape == (2, 4, 8, 9)
    assert torch.allclose(y, F.conv2d(x, weight, bias, padding=1), atol=1e-12)


def test_modulation_scales_each_tap():
    x, offsets, modulation, weight, bias = arguments()
    modulation[:] = torch.arange(9.0).view(1, 9, 1, 1)
    y = deform_conv3x3(x, offsets, modulation, weight, bias)
    scaled = weight * torch.arange(9.0).view(3, 3)
    assert torch.allclose(y, F.conv2d(x, scaled, bias, padding=1), atol=1e-12)


@pytest.mark.parametrize(("down", "right"), [(1, 0), (0, -2), (-3, 2), (100, 0), (0, -100)])
def test_whole_offsets_are_shifts(down, right):
    x, offsets, modulation, weight, bias = arguments(H=10, W=11)
    offsets[:, 0::2], offsets[:, 1::2] = down, right
    y = deform_conv3x3(x, offsets, torch.ones_like(modulation), weight, bias)
    moved = F.conv2d(F.pad(x, (101, 101, 101, 101)), weight, bias)  # its pixel (0, 0) is the image's (-100, -100)
    top, left = 100 + down, 100 + right
    assert torch.allclose(y, moved[:, :, top : top + 10, left : left + 11], atol=1e-12)


def test_path_of_other_devices_equals_grid_sample(monkeypatch):
    from napari_s3net.network import deformable as deform

    inputs = arguments(N=2, reach=2.0)
    monkeypatch.setattr(deform, "deform_on_cpu", deform.deform_by_grid_sample)
    assert torch.allclose(deform_conv3x3(*inputs), plain(*inputs), atol=1e-10)


def test_single_precision():
    inputs = arguments(reach=2.0, dtype=torch.float32)
    y = deform_conv3x3(*inputs)
    assert y.dtype == torch.float32
    assert torch.allclose(y, plain(*inputs), atol=1e-4)


def test_gradcheck():
    x, offsets, modulation, weight, bias = arguments(C=2, D=1, H=2, W=3)
    # Bilinear sampling has corners at whole pixels; stay between them.
    offsets = offsets + torch.rand_like(offsets) * 0.8 + 0.1
    leaves = [t.requires_grad_() for t in (x, offsets, modulation, weight, bias)]
    assert torch.autograd.gradcheck(deform_conv3x3, leaves)


def test_gradient_is_not_zero():
    leaves = [t.requires_grad_() for t in arguments(reach=1.0)]
    deform_conv3x3(*leaves).square().mean().backward()
    for name, leaf in zip(NAMES, leaves, strict=True):
        assert leaf.grad.abs().max() > 0, name


@pytest.mark.parametrize("size", [(5, 5), (9, 8)])
def test_offsets_of_another_size_raise(size):
    x, _, modulation, weight, bias = arguments(H=8, W=9)
    with pytest.raises(RuntimeError):
        deform_conv3x3(x, torch.zeros(1, 18, *size, dtype=x.dtype), modulation, weight, bias)


def test_predicted_offsets_start_as_a_plain_convolution():
    layer, x = DeformableConv3x3(3, 5), torch.randn(2, 3, 7, 8)
    y = layer(x)
    assert y.shape == (2, 5, 7, 8)
    assert torch.allclose(y, F.conv2d(x, layer.weight, layer.bias, padding=1), atol=1e-5)


def test_predicted_offsets_learn_from_the_first_step():
    layer, x = DeformableConv3x3(3, 5), torch.randn(1, 3, 12, 12, requires_grad=True)
    layer(x).square().mean().backward()
    assert x.grad.abs().max() > 0
    for name, p in layer.named_parameters():
        assert p.grad.abs().max() > 0, name
    assert layer.predict.weight.grad[:18].abs().max() > 0  # the offsets, not only the modulation


def test_predicted_offsets_follow_the_image():
    layer, x = DeformableConv3x3(3, 2), torch.randn(1, 3, 12, 12)
    torch.nn.init.normal_(layer.predict.weight)
    turned = torch.rot90(x, 2, dims=(2, 3))
    assert not torch.allclose(layer.predict(x), layer.predict(turned))
    assert torch.allclose(layer.predict(torch.rot90(turned, 2, dims=(2, 3))), layer.predict(x))


def test_free_offsets_are_of_the_images_size_and_lie_in_the_unit_interval():
    layer = FreeOffsetConv3x3(3, 5, (6, 7))
    assert layer.offsets.shape == (1, 18, 6, 7)
    assert layer.modulation.shape == (1, 9, 6, 7)
    assert 0 <= layer.offsets.min() < layer.offsets.max() < 1
    assert layer(torch.randn(2, 3, 6, 7)).shape == (2, 5, 6, 7)


def test_free_offsets_raise_at_another_size():
    with pytest.raises(RuntimeError):
        FreeOffsetConv3x3(3, 5, (6, 7))(torch.randn(1, 3, 8, 7))


def test_free_offsets_gradient_is_not_zero():
    layer = FreeOffsetConv3x3(3, 5, (6, 7))
    layer(torch.randn(1, 3, 6, 7)).square().mean().backward()
    for name, p in layer.named_parameters():
        assert p.grad.abs().max() > 0, name
