"""Modulated deformable 3×3 convolution in plain torch, so that it runs on CPU, CUDA and MPS alike.

Zhu et al., "Deformable ConvNets v2", CVPR 2019, equation 1:
y(p) = Σ_k w_k · x(p + p_k + Δp_k) · Δm_k, with offsets Δp and modulation Δm.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_s3net.network.deformable_cpu import TAPS, deform_on_cpu
from napari_s3net.network.depthwise import Pointwise


def deform_conv3x3(x: Tensor, offsets: Tensor, modulation: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolve x at shifted places.

    Parameters
    ----------
    x : torch.Tensor
        (N, C, H, W).
    offsets : torch.Tensor
        (N, 18, H, W): for each of the nine taps, row by row, its shift (y, x) in pixels.
    modulation : torch.Tensor
        (N, 9, H, W): the factor of each tap.
    weight : torch.Tensor
        (D, C, 3, 3).
    bias : torch.Tensor
        (D,).

    Returns
    -------
    torch.Tensor
        (N, D, H, W). Outside the image x is zero, as in a padded convolution.
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
    """Convolve x (N, C, H, W) at (rows, columns), both (N, H, W, 9) in pixels, as is modulation."""
    N, C, H, W = x.shape
    # grid_sample wants (x, y) in [-1, 1] over the pixels' outer edges.
    grid = torch.stack(((2 * columns + 1) / W - 1, (2 * rows + 1) / H - 1), dim=-1).view(N, H, W * TAPS, 2)
    samples = F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    samples = samples.view(N, C, H, W, TAPS) * modulation.unsqueeze(1)
    return torch.einsum("nchwk,dck->ndhw", samples, weight.flatten(2)) + bias.view(-1, 1, 1)


class DeformableConv3x3(nn.Module):
    """A deformable convolution whose offsets and modulation are predicted from the features.

    It starts as a plain convolution: zero offsets, modulation one (twice the sigmoid of zero).
    Shapes: (N, C, H, W) to (N, D, H, W).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        plain = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.weight, self.bias = plain.weight, nn.Parameter(torch.zeros(out_channels))
        self.predict = Pointwise(in_channels, 3 * TAPS)
        nn.init.zeros_(self.predict.weight)
        nn.init.zeros_(self.predict.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Predict where to look, then convolve there."""
        predicted = self.predict(x)
        offsets, modulation = predicted[:, : 2 * TAPS], 2 * predicted[:, 2 * TAPS :].sigmoid()
        return deform_conv3x3(x, offsets, modulation, self.weight, self.bias)


class FreeOffsetConv3x3(nn.Module):
    """The published code's layer: offsets are free parameters of the image's size, drawn from U[0, 1).

    They are not conditioned on the image, and fix the layer to one size (H, W). Kept for `variant="released"` and
    for the ablation.
    """

    def __init__(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        plain = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.weight, self.bias = plain.weight, nn.Parameter(torch.zeros(out_channels))
        self.offsets = nn.Parameter(torch.rand(1, 2 * TAPS, *size))
        self.modulation = nn.Parameter(torch.rand(1, TAPS, *size))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve at the learned places, the same ones for every image."""
        N = x.shape[0]
        offsets, modulation = self.offsets.expand(N, -1, -1, -1), self.modulation.expand(N, -1, -1, -1)
        return deform_conv3x3(x, offsets, modulation, self.weight, self.bias)
