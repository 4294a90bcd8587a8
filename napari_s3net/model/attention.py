"""Inception Large Kernel Attention (I-LKA), the encoder block of S³-Net.

Karimijafarbigloo et al., "Self-supervised Semantic Segmentation: Consistency over Transformation",
ICCV Workshops 2023, section on the encoder.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Kernel and dilation of the three parallel branches: far context in three sizes.
BRANCHES = ((3, 1), (5, 2), (7, 3))


class DilatedDepthwiseConv(nn.Conv2d):
    """A depthwise convolution with dilation d that keeps the image's size, done as d² plain ones.

    Every d-th row and column form an image of their own, on which the dilated kernel is a dense one. The values are
    those of `nn.Conv2d`; its own dilated depthwise backward pass on the CPU is some thirty times slower.
    Shapes: (N, C, H, W) in and out.
    """

    def __init__(self, channels: int, kernel: int, dilation: int) -> None:
        super().__init__(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.phases = dilation

    def forward(self, x: Tensor) -> Tensor:
        """Split into phases, convolve, put together again."""
        d = self.phases
        if d == 1:
            return super().forward(x)
        N, C, H, W = x.shape
        x = F.pad(x, (0, -W % d, 0, -H % d))
        h, w = x.shape[2] // d, x.shape[3] // d
        split = x.view(N, C, h, d, w, d).permute(0, 3, 5, 1, 2, 4).reshape(N * d * d, C, h, w)
        y = super().forward(split.contiguous(memory_format=torch.channels_last))
        whole = y.view(N, d, d, C, h, w).permute(0, 3, 4, 1, 5, 2).reshape(N, C, h * d, w * d)
        return whole[:, :, :H, :W].contiguous(memory_format=torch.channels_last)


class InceptionLargeKernelAttention(nn.Module):
    """The gate G: local detail, then context of three sizes, multiplied onto the input.

    Shapes: (N, C, H, W) in and out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.local = nn.Conv2d(channels, channels, 5, padding=2, groups=channels)
        self.context = nn.ModuleList(DilatedDepthwiseConv(channels, k, d) for k, d in BRANCHES)
        self.mix = nn.Conv2d(len(BRANCHES) * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return x weighted by its own attention map."""
        local = self.local(x)
        gate: Tensor = self.mix(torch.cat([branch(local) for branch in self.context], dim=1))
        return x * gate


class AttentionBlock(nn.Module):
    """y = x + P₂(G(GELU(P₁ x))), with P₁ and P₂ pointwise. Shapes: (N, C, H, W) in and out.

    Parameters
    ----------
    channels : int
        C.
    attention : bool
        False puts a plain 3×3 convolution in the place of G (for the ablation).
    """

    def __init__(self, channels: int, *, attention: bool = True) -> None:
        super().__init__()
        gate = InceptionLargeKernelAttention(channels) if attention else nn.Conv2d(channels, channels, 3, padding=1)
        self.body = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.GELU(), gate, nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block with its residual."""
        y: Tensor = x + self.body(x)
        return y
