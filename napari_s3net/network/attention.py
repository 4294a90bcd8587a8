"""Inception Large Kernel Attention (I-LKA), the encoder block of S³-Net.

Karimijafarbigloo et al., "Self-supervised Semantic Segmentation: Consistency over Transformation",
ICCV Workshops 2023, section on the encoder.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_s3net.network.depthwise import DepthwiseConv, Pointwise

#: Kernel and dilation of the three parallel branches: far context in three sizes.
BRANCHES = ((3, 1), (5, 2), (7, 3))


class InceptionLargeKernelAttention(nn.Module):
    """The gate G: local detail, then context of three sizes, multiplied onto the input.

    Shapes: (N, C, H, W) in and out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.local = DepthwiseConv(channels, 5)
        self.context = nn.ModuleList(DepthwiseConv(channels, kernel, dilation) for kernel, dilation in BRANCHES)
        self.mix = Pointwise(len(BRANCHES) * channels, channels)

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
        self.body = nn.Sequential(Pointwise(channels, channels), nn.GELU(), gate, Pointwise(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block with its residual."""
        y: Tensor = x + self.body(x)
        return y
