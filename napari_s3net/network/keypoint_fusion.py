"""Keypoint-augmented fusion: what distant keypoints of an image know of each other, beside what convolutions see.

Yang, Ren, Ding, Gerig and Wang, "Keypoint-Augmented Self-Supervised Learning for Medical Image Segmentation with
Limited Annotation", NeurIPS 2023 (arXiv 2310.01680); written from the paper's description. Unlike in its published
program, keypoints are padded and masked, never cut to the fewest of a batch, and those that share a cell are averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Heads of the attention, and widths of the layers that turn a place into features, before the last: SuperGlue's
#: (Sarlin et al., CVPR 2020), which KAF follows.
HEADS, PLACE_WIDTHS = 4, (32, 64, 128)
#: Most channels between the zero map with the keypoints' features and the feature map: KAF's.
BETWEEN = 64
#: Added to the attention that a padded place would get.
NEVER = -1e9


@dataclass(frozen=True, eq=False)
class KeypointBatch:
    """Keypoints of a batch, padded to one number.

    Parameters
    ----------
    places : torch.Tensor
        (N, P, 2), x and y in pixels of the input, from 0 to W and H; pixel centres lie at halves.
    real : torch.Tensor
        (N, P) bool: False where it is padding.
    """

    places: Tensor
    real: Tensor

    @classmethod
    def none(cls, n: int, device: torch.device) -> KeypointBatch:
        """Make the keypoints of images without any.

        Parameters
        ----------
        n : int
            Images.
        device : torch.device
            Where they lie.

        Returns
        -------
        KeypointBatch
            One padded place an image.
        """
        return cls(torch.zeros(n, 1, 2, device=device), torch.zeros(n, 1, dtype=torch.bool, device=device))


class SelfAttention(nn.Module):
    """The block x + MLP([x, attention(x)]) over the keypoints of an image; the MLP is 2D → 2D → D.

    Parameters
    ----------
    width : int
        D, a multiple of four.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.key, self.value, self.merge = (nn.Linear(width, width) for _ in range(4))
        self.mlp = nn.Sequential(
            nn.Linear(2 * width, 2 * width), nn.LayerNorm(2 * width), nn.ReLU(), nn.Linear(2 * width, width)
        )

    def forward(
        self, x: Tensor, real: Tensor, source: Tensor | None = None, source_real: Tensor | None = None
    ) -> Tensor:
        """Let each keypoint look at the others of its image, or of another image.

        Parameters
        ----------
        x : torch.Tensor
            (N, P, D).
        real : torch.Tensor
            (N, P) bool.
        source, source_real : torch.Tensor, optional
            Whom they look at instead: (N, Q, D) and (N, Q).

        Returns
        -------
        torch.Tensor
            (N, P, D).
        """
        source, source_real = (x, real) if source is None or source_real is None else (source, source_real)
        query, key, value = (
            layer(y).view(*y.shape[:2], HEADS, -1).transpose(1, 2)
            for layer, y in ((self.query, x), (self.key, source), (self.value, source))
        )
        bias = torch.zeros_like(source_real, dtype=x.dtype).masked_fill(~source_real, NEVER)[:, None, None]
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        message = self.merge(seen.transpose(1, 2).flatten(2)) * source_real.any(dim=1)[:, None, None]
        y: Tensor = x + self.mlp(torch.cat([x, message], dim=2))
        return y


class KeypointFusion(nn.Module):
    """A keypoint layer behind one scale of an encoder: (N, C, h, w) in, (N, 2C, h, w) out.

    Features at the keypoints, with their places, pass self-attention and are written back into a map of zeros, which
    two convolutions bring to C channels beside those that came. Without keypoints these are zero.

    Parameters
    ----------
    channels : int
        C.
    scale : int
        Pixels of the input along each side of a pixel of this scale.
    width, blocks : int
        Of the self-attention.
    """

    def __init__(self, channels: int, scale: int, *, width: int, blocks: int) -> None:
        super().__init__()
        self.scale = scale
        self.enter = nn.Linear(channels, width)
        widths = (2, *PLACE_WIDTHS, width)
        layers = [m for a, b in pairwise(widths) for m in (nn.Linear(a, b), nn.ReLU())]
        self.place = nn.Sequential(*layers, nn.Linear(width, width))
        self.blocks = nn.ModuleList(SelfAttention(width) for _ in range(blocks))
        between = min(BETWEEN, width)
        self.leave = nn.Sequential(
            nn.Conv2d(width, between, 3, padding=1, bias=False),
            nn.LeakyReLU(0.01),
            nn.Conv2d(between, channels, 3, padding=1, bias=False),
        )

    def forward(self, features: Tensor, points: KeypointBatch) -> tuple[Tensor, Tensor]:
        """Add what the keypoints say.

        Parameters
        ----------
        features : torch.Tensor
            (N, C, h, w).
        points : KeypointBatch
            Keypoints of the images.

        Returns
        -------
        fused : torch.Tensor
            (N, 2C, h, w), the features first.
        at_points : torch.Tensor
            (N, P, width), zero where it is padding.
        """
        height, width = features.shape[2:]
        limits = points.places.new_tensor([width, height])
        cells = (points.places / self.scale).floor().clamp(min=torch.zeros_like(limits), max=limits - 1).long()
        index = cells[..., 1] * width + cells[..., 0]
        here = features.flatten(2).gather(2, index[:, None].expand(-1, features.shape[1], -1)).transpose(1, 2)
        normal = 2 * points.places / (self.scale * limits) - 1
        y = self.enter(here) + self.place(normal.to(here.dtype))
        for block in self.blocks:
            y = block(y, points.real)
        y = y * points.real[..., None]
        written = scatter_mean(y, index, points.real, height * width).view(len(y), -1, height, width)
        return torch.cat([features, self.leave(written)], dim=1), y


def scatter_mean(values: Tensor, index: Tensor, real: Tensor, cells: int) -> Tensor:
    """Write values into cells of a map of zeros; several in one cell are averaged.

    Parameters
    ----------
    values : torch.Tensor
        (N, P, D), zero where it is padding.
    index : torch.Tensor
        (N, P) int64, the cell of each.
    real : torch.Tensor
        (N, P) bool: False where it is padding.
    cells : int
        In all.

    Returns
    -------
    torch.Tensor
        (N, D, cells).
    """
    N, _, D = values.shape
    total = values.new_zeros(N, D, cells).scatter_add(2, index[:, None].expand(-1, D, -1), values.transpose(1, 2))
    count = values.new_zeros(N, cells).scatter_add(1, index, real.to(values.dtype))
    return total / count.clamp(min=1)[:, None]
