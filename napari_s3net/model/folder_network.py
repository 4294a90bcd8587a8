"""The network of the folder mode: sees the whole image at once, so that it learns what objects have in common."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Channels from full to coarsest scale, each half the size of the one before.
WIDTHS = (16, 32, 48, 64)


class FolderNetwork(nn.Module):
    """A small encoder and decoder with skip connections (Ronneberger et al. 2015), normalised image by image.

    Group normalisation (Wu and He 2018) keeps the answer for one image independent of the others in its batch.

    Parameters
    ----------
    in_channels : int
        Of the input.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.in_channels = in_channels
        above = (in_channels, *WIDTHS[:-1])
        self.down = nn.ModuleList(_block(i, o) for i, o in zip(above, WIDTHS, strict=True))
        self.up = nn.ModuleList(_block(i + o, i) for i, o in pairwise(WIDTHS))
        self.drop = nn.Dropout2d(0.1)
        self.out = nn.Conv2d(WIDTHS[0], 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logit of the object (N, H, W) for x (N, in_channels, H, W); H and W are multiples of 8."""
        kept: list[Tensor] = []
        for block in self.down:
            x = block(F.max_pool2d(x, 2) if kept else x)
            kept.append(x)
        x = self.drop(kept.pop())
        for block in reversed(self.up):
            beside = kept.pop()
            larger = F.interpolate(x, beside.shape[-2:], mode="bilinear", align_corners=False)
            x = block(torch.cat([beside, larger], dim=1))
        logits: Tensor = self.out(x)[:, 0]
        return logits


def _block(in_channels: int, out_channels: int) -> nn.Sequential:
    """Two 3×3 convolutions."""
    layers: list[nn.Module] = []
    for i in (in_channels, out_channels):
        layers += [nn.Conv2d(i, out_channels, 3, padding=1), nn.GroupNorm(4, out_channels), nn.GELU()]
    return nn.Sequential(*layers)
