"""Modulated deformable 3×3 convolution in plain torch, which runs on CPU, CUDA and MPS alike.

Zhu et al., "Deformable ConvNets v2", CVPR 2019, equation 1: y(p) = Σₖ wₖ · x(p + pₖ + Δpₖ) · Δmₖ over the nine taps pₖ
of the kernel, with offsets Δp and modulation Δm. x is interpolated bilinearly between pixels, and 0 outside the image.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_s3net.network.deformable_cpu import TAPS, deform_on_cpu
from napari_s3net.network.depthwise import Pointwise
from napari_s3net.network.precision import full_precision


def deform_conv3x3(x: Tensor, offsets: Tensor, modulation: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolve x, each tap of the kernel moved by an offset and multiplied by its modulation.

    Parameters
    ----------
    x : torch.Tensor
        (N, C, H, W).
    offsets : torch.Tensor
        (N, 18, H, W): the offset (y, x) of each of the nine taps, in pixels; taps are counted row by row.
    modulation : torch.Tensor
        (N, 9, H, W): the factor of each tap.
    weight : torch.Tensor
        (D, C, 3, 3), or (N, D, C, 3, 3) with weights of its own for each image.
    bias : torch.Tensor
        (D,) or (N, D).

    Returns
    -------
    torch.Tensor
        (N, D, H, W).

    Raises
    ------
    RuntimeError
        If the sizes do not go together.
    """
    H, W = x.shape[2:]
    tap = torch.arange(TAPS, device=x.device)
    rows = torch.arange(H, device=x.device).view(H, 1, 1) + (tap // 3 - 1)
    columns = torch.arange(W, device=x.device).view(1, W, 1) + (tap % 3 - 1)
    shift = offsets.permute(0, 2, 3, 1)  # y and x of each tap in turn
    convolve = deform_on_cpu if x.device.type == "cpu" else deform_by_grid_sample
    return convolve(
        x, shift[..., 0::2] + rows, shift[..., 1::2] + columns, modulation.permute(0, 2, 3, 1), weight, bias
    )


def deform_by_grid_sample(
    x: Tensor, rows: Tensor, columns: Tensor, modulation: Tensor, weight: Tensor, bias: Tensor
) -> Tensor:
    """Compute the deformable convolution by torch's `grid_sample`: for devices other than the CPU.

    Parameters
    ----------
    x : torch.Tensor
        (N, C, H, W).
    rows, columns : torch.Tensor
        (N, H, W, 9): where each tap reads x, in pixels from 0; between pixels x is interpolated, outside it is 0.
    modulation : torch.Tensor
        (N, H, W, 9), the factor of each tap.
    weight, bias : torch.Tensor
        (D, C, 3, 3) and (D,), or the same with a first axis N.

    Returns
    -------
    torch.Tensor
        (N, D, H, W).
    """
    N, C, H, W = x.shape
    # grid_sample wants (x, y) in [-1, 1] over the pixels' outer edges.
    grid = torch.stack(((2 * columns + 1) / W - 1, (2 * rows + 1) / H - 1), dim=-1).view(N, H, W * TAPS, 2)
    samples = F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    samples = samples.view(N, C, H, W, TAPS) * modulation.unsqueeze(1)
    if weight.ndim == 5:
        columns = samples.permute(0, 1, 4, 2, 3).reshape(N, C * TAPS, H * W)
        return torch.baddbmm(bias[..., None], weight.flatten(2), columns).view(N, -1, H, W)
    return torch.einsum("nchwk,dck->ndhw", samples, weight.flatten(2)) + bias.view(-1, 1, 1)


class DeformableConv3x3(nn.Module):
    """A deformable convolution that predicts offsets and modulation from its input by a pointwise convolution.

    It starts as a plain convolution: offsets zero, modulation one (twice the sigmoid of zero). Shapes: (N, C, H, W) to
    (N, D, H, W).

    Parameters
    ----------
    in_channels, out_channels : int
        C and D.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        plain = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.weight, self.bias = plain.weight, nn.Parameter(torch.zeros(out_channels))
        self.predict = Pointwise(in_channels, 3 * TAPS)
        nn.init.zeros_(self.predict.weight)
        nn.init.zeros_(self.predict.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Predict offsets and modulation from x, then convolve.

        Parameters
        ----------
        x : torch.Tensor
            (N, C, H, W).

        Returns
        -------
        torch.Tensor
            (N, D, H, W) for x (N, C, H, W).
        """
        with full_precision(x.device):  # places between pixels need more than eight bits
            x = x if x.dtype == torch.float64 else x.float()
            predicted = self.predict(x)
            offsets, modulation = predicted[:, : 2 * TAPS], 2 * predicted[:, 2 * TAPS :].sigmoid()
            return deform_conv3x3(x, offsets, modulation, self.weight, self.bias)


class FreeOffsetConv3x3(nn.Module):
    """The deformable layer of the published program, for comparison: offsets and modulation are parameters.

    There is one for each tap and pixel, drawn uniformly from 0 to 1. So they do not depend on the image, and the layer
    takes images of one size only; others raise `RuntimeError`. Shapes: (N, C, H, W) to (N, D, H, W).

    Parameters
    ----------
    in_channels, out_channels : int
        C and D.
    size : tuple of int
        H and W.
    """

    def __init__(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        plain = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.weight, self.bias = plain.weight, nn.Parameter(torch.zeros(out_channels))
        self.offsets = nn.Parameter(torch.rand(1, 2 * TAPS, *size))
        self.modulation = nn.Parameter(torch.rand(1, TAPS, *size))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve with the learned offsets, which are the same for every image.

        Parameters
        ----------
        x : torch.Tensor
            (N, C, H, W).

        Returns
        -------
        torch.Tensor
            (N, D, H, W) for x (N, C, H, W).
        """
        sizes = (len(x), -1, -1, -1)
        offsets = self.offsets.flatten(0, -4).expand(sizes)  # stacked, each image has its own
        modulation = self.modulation.flatten(0, -4).expand(sizes)
        return deform_conv3x3(x, offsets, modulation, self.weight, self.bias)
