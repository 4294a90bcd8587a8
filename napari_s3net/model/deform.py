"""Modulated deformable 3×3 convolution in plain torch, so that it runs on CPU, CUDA and MPS alike.

Zhu et al., "Deformable ConvNets v2", CVPR 2019, equation 1:
y(p) = Σ_k w_k · x(p + p_k + Δp_k) · Δm_k, with offsets Δp and modulation Δm.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TAPS = 9


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
    N, C, H, W = x.shape
    rows = torch.arange(H, device=x.device, dtype=x.dtype).view(1, 1, H, 1)
    columns = torch.arange(W, device=x.device, dtype=x.dtype).view(1, 1, 1, W)
    tap = torch.arange(TAPS, device=x.device)
    shift = offsets.view(N, TAPS, 2, H, W)
    y = rows + (tap // 3 - 1).to(x.dtype).view(1, TAPS, 1, 1) + shift[:, :, 0]
    z = columns + (tap % 3 - 1).to(x.dtype).view(1, TAPS, 1, 1) + shift[:, :, 1]
    # grid_sample wants (x, y) in [-1, 1] over the pixels' outer edges; the taps are stacked along the rows so that
    # one call does all nine.
    grid = torch.stack(((2 * z + 1) / W - 1, (2 * y + 1) / H - 1), dim=-1).view(N, TAPS * H, W, 2)
    samples = F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    samples = samples.view(N, C, TAPS, H, W) * modulation.unsqueeze(1)
    return F.conv2d(samples.reshape(N, C * TAPS, H, W), weight.reshape(weight.shape[0], C * TAPS, 1, 1), bias)


class DeformableConv3x3(nn.Module):
    """A deformable convolution whose offsets and modulation are predicted from the features.

    It starts as a plain convolution: zero offsets, modulation one (twice the sigmoid of zero).
    Shapes: (N, C, H, W) to (N, D, H, W).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        plain = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.weight, self.bias = plain.weight, nn.Parameter(torch.zeros(out_channels))
        self.predict = nn.Conv2d(in_channels, 3 * TAPS, 3, padding=1)
        nn.init.zeros_(self.predict.weight)
        nn.init.zeros_(self.predict.bias)  # type: ignore[arg-type]

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
