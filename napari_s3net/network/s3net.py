"""S³-Net: two attention blocks, then a deformable layer, then a score for each of K clusters.

Karimijafarbigloo, Azad, Kazerouni, Velichko, Bagci and Merhof, "Self-supervised Semantic Segmentation: Consistency over
Transformation", ICCV Workshops 2023, arXiv 2309.00143.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from napari_s3net.network.attention import AttentionBlock
from napari_s3net.network.deformable import DeformableConv3x3, FreeOffsetConv3x3
from napari_s3net.network.depthwise import Pointwise
from napari_s3net.network.stacked import BatchNorm, Conv3x3


class S3Net(nn.Module):
    """The network for one image at one scale; `docs/method.md`, "Network", has the formulas.

    Parameters
    ----------
    in_channels : int
        Channels of the input.
    channels : int
        C, the width of the features.
    clusters : int
        K, the largest number of clusters.
    attention : bool
        False replaces the attention by plain 3×3 convolutions, for the ablation.
    deformable : callable
        Builds the deformable layer from its numbers of input and output channels.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        clusters: int,
        *,
        attention: bool = True,
        deformable: Callable[[int, int], nn.Module] = DeformableConv3x3,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(Conv3x3(in_channels, channels), BatchNorm(channels))
        blocks = [(AttentionBlock(channels, attention=attention), BatchNorm(channels)) for _ in range(2)]
        self.encoder = nn.Sequential(*(layer for block in blocks for layer in block))
        self.side = nn.Sequential(Pointwise(channels, clusters), BatchNorm(clusters))
        self.head = nn.Sequential(
            deformable(channels, channels),
            BatchNorm(channels),
            Pointwise(channels, clusters),
            BatchNorm(clusters),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Segment x.

        Parameters
        ----------
        x : torch.Tensor
            (N, in_channels, H, W), any size.

        Returns
        -------
        logits, side_logits : torch.Tensor
            (N, K, H, W) each: of the main branch, and of the side branch, which has no deformable layer.
        """
        features = self.encoder(self.stem(x))  # (N, C, H, W)
        return self.head(features), self.side(features)


def released_network(in_channels: int, size: tuple[int, int], channels: int = 64) -> S3Net:
    """Build the network of the published program: as many clusters as channels, offsets as parameters.

    Parameters
    ----------
    in_channels : int
        Channels of the input.
    size : tuple of int
        H and W, the only size that it takes.
    channels : int
        C, and K as well.

    Returns
    -------
    S3Net
        With random weights, on the CPU.
    """
    return S3Net(in_channels, channels, channels, deformable=lambda i, o: FreeOffsetConv3x3(i, o, size))
