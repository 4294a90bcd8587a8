"""Inception large kernel attention (I-LKA), the encoder block of S³-Net.

Karimijafarbigloo et al., "Self-supervised Semantic Segmentation: Consistency over Transformation", ICCV Workshops 2023
(arXiv 2309.00143), the part on the encoder; after the large kernel attention of Guo et al., "Visual Attention Network".
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_s3net.network.depthwise import DepthwiseConv, Pointwise
from napari_s3net.network.stacked import Conv3x3

#: Kernel size and dilation of the three parallel branches.
BRANCHES = ((3, 1), (5, 2), (7, 3))


class InceptionLargeKernelAttention(nn.Module):
    """The attention G(x) = x · M([DW₃,₁(a), DW₅,₂(a), DW₇,₃(a)]) with a = DW₅(x); M is pointwise, from 3C to C.

    DW is a depthwise convolution of a kernel size and a dilation. Together with DW₅ the widest branch sees 23 × 23
    pixels. Shapes: (N, C, H, W) in and out.

    Parameters
    ----------
    channels : int
        C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.local = DepthwiseConv(channels, 5)
        self.context = nn.ModuleList(DepthwiseConv(channels, kernel, dilation) for kernel, dilation in BRANCHES)
        self.mix = Pointwise(len(BRANCHES) * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply x by its own attention map.

        Parameters
        ----------
        x : torch.Tensor
            (N, C, H, W).

        Returns
        -------
        torch.Tensor
            (N, C, H, W), as x.
        """
        local = self.local(x)
        gate: Tensor = self.mix(torch.cat([branch(local) for branch in self.context], dim=1))
        return x * gate


class AttentionBlock(nn.Module):
    """The block y = x + P₂(G(GELU(P₁ x))) with P₁ and P₂ pointwise. Shapes: (N, C, H, W) in and out.

    Parameters
    ----------
    channels : int
        C.
    attention : bool
        False replaces G by a plain 3×3 convolution, for the ablation.
    """

    def __init__(self, channels: int, *, attention: bool = True) -> None:
        super().__init__()
        gate = InceptionLargeKernelAttention(channels) if attention else Conv3x3(channels, channels)
        self.body = nn.Sequential(Pointwise(channels, channels), nn.GELU(), gate, Pointwise(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Add the attention of x to x.

        Parameters
        ----------
        x : torch.Tensor
            (N, C, H, W).

        Returns
        -------
        torch.Tensor
            (N, C, H, W), as x.
        """
        y: Tensor = x + self.body(x)
        return y
