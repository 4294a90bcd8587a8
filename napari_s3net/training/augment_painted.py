"""Random changes of painted images while a network learns from them: turns, flips, zoom, and colours."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_s3net.network.warps import warp


@dataclass(frozen=True, kw_only=True)
class PaintedChanges:
    """How far painted images are changed. Set by hand; not tuned on a set.

    Parameters
    ----------
    free : float
        Share of the images that are turned, zoomed, stretched and shifted freely, beside quarter turns and mirrors.
    turn : float
        Degrees to either side.
    zoom, stretch : float
        Largest logarithms of the factor, and of another one across, whose inverse applies along.
    shift : float
        At most, as a share of half the side.
    gain, cast, gamma : float
        Standard deviations of the logarithms of the brightness, of that of each colour besides, and of the exponent.
    offset : float
        Standard deviation of what is added, in a range of 1.
    """

    free: float = 0.5
    turn: float = 20.0
    zoom: float = 0.25
    stretch: float = 0.15
    shift: float = 0.15
    gain: float = 0.12
    cast: float = 0.06
    gamma: float = 0.15
    offset: float = 0.03


PAINTED_CHANGES = PaintedChanges()


def augment_painted(
    images: Tensor, masks: Tensor, parts: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Turn, mirror, zoom and shift each image with its mask and parts, and change the image's colours.

    Parameters
    ----------
    images : torch.Tensor
        (N, S, S, C) uint8.
    masks, parts : torch.Tensor
        (N, S, S) uint8: 1 where the object is, and the number of the part.
    generator : torch.Generator
        Of the CPU, so that every device draws the same.

    Returns
    -------
    tuple of torch.Tensor
        Images (N, C, S, S) in [0, 1], masks (N, 1, S, S) in [0, 1], and parts (N, S, S) int64.
    """
    x = images.permute(0, 3, 1, 2).float() / 255
    theta = draw_thetas(len(x), generator).to(x, non_blocking=True)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    mask = warp(masks[:, None].float(), grid)
    part = F.grid_sample(parts[:, None].float(), grid, mode="nearest", padding_mode="reflection", align_corners=False)
    return change_colours(warp(x, grid), generator), mask, part[:, 0].long()


def draw_thetas(n: int, generator: torch.Generator) -> Tensor:
    """Draw quarter turns and mirrors; for half of the images a small turn, zoom, stretch and shift besides.

    Parameters
    ----------
    n : int
        The number of images.
    generator : torch.Generator
        Eight numbers an image are drawn from it.

    Returns
    -------
    torch.Tensor
        (n, 2, 3), as `torch.nn.functional.affine_grid` takes them.
    """
    u = torch.rand(n, 8, generator=generator)
    free = (u[:, 0] < PAINTED_CHANGES.free).float()
    angle = math.pi / 2 * (4 * u[:, 1]).floor() + free * math.radians(PAINTED_CHANGES.turn) * (2 * u[:, 2] - 1)
    zoom = torch.exp(free * PAINTED_CHANGES.zoom * (2 * u[:, 3] - 1))
    stretch = torch.exp(free * PAINTED_CHANGES.stretch * (2 * u[:, 4] - 1))
    mirror = 1 - 2 * (u[:, 5] < 0.5).float()
    cos, sin = angle.cos(), angle.sin()
    shift = (free * PAINTED_CHANGES.shift)[:, None] * (2 * u[:, 6:8] - 1)
    rows = (
        torch.stack([mirror * cos * zoom * stretch, -sin * zoom / stretch, shift[:, 0]], dim=1),
        torch.stack([mirror * sin * zoom * stretch, cos * zoom / stretch, shift[:, 1]], dim=1),
    )
    return torch.stack(rows, dim=1)


def change_colours(x: Tensor, generator: torch.Generator) -> Tensor:
    """Change brightness, contrast, colour cast and gamma of each image, each by its own draw.

    Parameters
    ----------
    x : torch.Tensor
        (N, C, H, W) in [0, 1].
    generator : torch.Generator
        Of the CPU, so that every device draws the same.

    Returns
    -------
    torch.Tensor
        (N, C, H, W) in [0, 1]; grey images (C = 1) get no colour cast.
    """
    N, C = x.shape[:2]
    gain = torch.exp(PAINTED_CHANGES.gain * torch.randn(N, 1, 1, 1, generator=generator))
    cast = torch.exp((PAINTED_CHANGES.cast if C > 1 else 0.0) * torch.randn(N, C, 1, 1, generator=generator))
    offset = PAINTED_CHANGES.offset * torch.randn(N, 1, 1, 1, generator=generator)
    gamma = torch.exp(PAINTED_CHANGES.gamma * torch.randn(N, 1, 1, 1, generator=generator))
    factor, offset, gamma = (draw.to(x.device, non_blocking=True) for draw in (gain * cast, offset, gamma))
    changed = x.clamp(1e-3, 1) ** gamma * factor + offset
    return changed.clamp(0, 1)
