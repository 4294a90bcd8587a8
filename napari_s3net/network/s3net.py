"""S³-Net: two attention blocks, a deformable layer, and logits for K clusters."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from napari_s3net.network.attention import AttentionBlock
from napari_s3net.network.deformable import DeformableConv3x3, FreeOffsetConv3x3
from napari_s3net.network.depthwise import Pointwise


class S3Net(nn.Module):
    """The network of Karimijafarbigloo et al. 2023, as described in `docs/method.md`.

    Parameters
    ----------
    in_channels : int
        1 for grey images, 3 for colour.
    channels : int
        C, the width of the features.
    clusters : int
        K, the number of clusters at the start.
    attention : bool
        False: plain 3×3 convolutions in the place of the attention (ablation).
    deformable : callable
        Builds the deformable layer from (in_channels, out_channels).
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
        self.stem = nn.Sequential(nn.Conv2d(in_channels, channels, 3, padding=1), nn.BatchNorm2d(channels))
        blocks = [(AttentionBlock(channels, attention=attention), nn.BatchNorm2d(channels)) for _ in range(2)]
        self.encoder = nn.Sequential(*(layer for block in blocks for layer in block))
        self.side = nn.Sequential(Pointwise(channels, clusters), nn.BatchNorm2d(clusters))
        self.head = nn.Sequential(
            deformable(channels, channels),
            nn.BatchNorm2d(channels),
            Pointwise(channels, clusters),
            nn.BatchNorm2d(clusters),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of the main and of the side branch, both (N, K, H, W), for x (N, in_channels, H, W)."""
        features = self.encoder(self.stem(x))  # (N, C, H, W)
        return self.head(features), self.side(features)


def released_network(in_channels: int, size: tuple[int, int], channels: int = 64) -> S3Net:
    """The published network for one image size: as many clusters as channels, free offsets."""
    return S3Net(in_channels, channels, channels, deformable=lambda i, o: FreeOffsetConv3x3(i, o, size))
