"""Depthwise convolution with a backward pass that is as fast on the CPU as the forward pass.

torch's own backward pass for large or dilated depthwise kernels is general code on the CPU: for 7 × 7 with dilation 3
it takes some two hundred times as long as the forward pass. Both gradients are convolutions themselves; computed as
such they run in the same fast kernels:

* of the input: the gradient convolved with the kernel turned by 180°;
* of the kernel: the input convolved with the gradient, a kernel of the image's size, in strides of the dilation.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


class _Depthwise(torch.autograd.Function):
    """Same-size depthwise convolution; x (N, C, H, W), weight (C, 1, k, k), bias (C,), dilation d."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, dilation: int) -> Tensor:
        ctx.dilation = dilation
        padded = _padded(x, weight, dilation)
        ctx.save_for_backward(padded, weight)
        return F.conv2d(padded, weight, bias, groups=len(weight), dilation=dilation)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        padded, weight = ctx.saved_tensors
        d, C = ctx.dilation, len(weight)
        grad = grad.contiguous(memory_format=torch.channels_last)
        grad_x = F.conv2d(_padded(grad, weight, d), weight.flip(2, 3), groups=C, dilation=d)
        grad_weight = [
            F.conv2d(padded[n : n + 1], grad[n : n + 1].transpose(0, 1), groups=C, stride=d) for n in range(len(grad))
        ]
        return grad_x, torch.stack(grad_weight).sum(dim=0).view_as(weight), grad.sum(dim=(0, 2, 3)), None


def _padded(x: Tensor, weight: Tensor, dilation: int) -> Tensor:
    """Zeros around x, so that the output keeps its size; the convolution's own `padding` is on the slow path."""
    margin = dilation * (weight.shape[-1] // 2)
    return F.pad(x, (margin, margin, margin, margin))


def depthwise_by_matrices(x: Tensor, weight: Tensor, bias: Tensor, dilation: int) -> Tensor:
    """Compute a same-size depthwise convolution as one matrix product for each channel.

    Along a row, convolving is multiplying by a banded (W, W) matrix. Those of the kernel's k rows, one below the other,
    make one (k·W, W) matrix a channel. That is W / k times the arithmetic that is needed, but of the kind that a
    graphics card does in passing, in half precision and with any dilation; forth and back.

    Parameters
    ----------
    x : torch.Tensor
        (N, C, H, W).
    weight, bias : torch.Tensor
        (C, 1, k, k) with k odd, and (C,).
    dilation : int
        Distance between the kernel's taps, in pixels.

    Returns
    -------
    torch.Tensor
        (N, C, H, W).
    """
    N, C, H, W = x.shape
    k = weight.shape[-1]
    matrix = (weight.reshape(C * k, k) @ _band(k, W, dilation, x.device)).view(C, k * W, W)
    margin = dilation * (k // 2)
    padded = F.pad(x.transpose(0, 1), (0, 0, margin, margin))
    rows = torch.cat([padded[:, :, dilation * i : dilation * i + H] for i in range(k)], dim=3)
    convolved = rows.reshape(C, N * H, k * W) @ matrix.to(x.dtype)
    return (convolved.view(C, N, H, W) + bias.to(convolved.dtype).view(C, 1, 1, 1)).transpose(0, 1)


@lru_cache(maxsize=64)
def _band(k: int, W: int, dilation: int, device: torch.device) -> Tensor:
    """Which column each tap of a row reads for which: (k, W · W) of zeros and ones, nothing beyond the image."""
    tap, column = torch.arange(k).view(k, 1, 1), torch.arange(W)
    band = column.view(W, 1) == column + dilation * (tap - k // 2)
    return band.float().view(k, W * W).to(device)


class DepthwiseConv(nn.Conv2d):
    """A depthwise convolution that keeps the image's size; the values are those of `nn.Conv2d` with `groups=channels`.

    Shapes: (N, C, H, W) in and out. On the CPU it can be differentiated once.

    Parameters
    ----------
    channels : int
        C.
    kernel : int
        Rows and columns of the kernel; odd.
    dilation : int
        Distance between the kernel's taps, in pixels.

    Attributes
    ----------
    by_matrices : bool
        Compute by `depthwise_by_matrices` on a graphics card; False.
    """

    by_matrices = False

    def __init__(self, channels: int, kernel: int, dilation: int = 1) -> None:
        super().__init__(
            channels, channels, kernel, padding=dilation * (kernel // 2), dilation=dilation, groups=channels
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve each channel with its own kernel, in the way that is fastest on the device of x.

        Parameters
        ----------
        x : torch.Tensor
            (N, C, H, W).

        Returns
        -------
        torch.Tensor
            (N, C, H, W), as x.
        """
        weight, bias, d = self.weight, cast("Tensor", self.bias), self.dilation[0]
        if weight.ndim == 5:  # stacked: channel c of image n is a channel of its own
            apart = x.reshape(1, -1, *x.shape[2:])
            return self._convolve(apart, weight.flatten(0, 1), bias.flatten(), d).view(x.shape)
        return self._convolve(x, weight, bias, d)

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor, dilation: int) -> Tensor:
        if self.by_matrices and x.device.type != "cpu":
            return depthwise_by_matrices(x, weight, bias, dilation)
        small = self.kernel_size == (3, 3) and dilation == 1
        if x.device.type != "cpu" or small or torch.is_autocast_enabled("cpu"):
            # torch's own is faster there, or the only one in half precision
            return F.conv2d(x, weight, bias, 1, self.padding, self.dilation, len(weight))
        y: Tensor = _Depthwise.apply(x, weight, bias, dilation)  # type: ignore[no-untyped-call]
        return y


class Pointwise(nn.Linear):
    """A 1×1 convolution, computed as one matrix product over all pixels, for channels-last memory.

    Shapes: (N, C, H, W) to (N, D, H, W); C is `in_features`, D is `out_features`.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Mix the channels of each pixel.

        Parameters
        ----------
        x : torch.Tensor
            (N, C, H, W).

        Returns
        -------
        torch.Tensor
            (N, D, H, W) for x (N, C, H, W).
        """
        if self.weight.ndim == 3:  # stacked: a matrix for each image
            return torch.baddbmm(self.bias[..., None], self.weight, x.flatten(2)).view(len(x), -1, *x.shape[2:])
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
