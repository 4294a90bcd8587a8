"""Random transformations of the consistency loss: drawn once as theta, then applied to whatever has to move."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class WarpRange:
    """How far a random transformation may go: degrees, ± share of the size, shear, share of the image, flips."""

    rotation: float = 45.0
    scale: float = 0.2
    shear: float = 0.1
    translation: float = 0.1
    flip: bool = True


def draw_theta(limits: WarpRange, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Draw one random 2×3 matrix in `affine_grid`'s normalised coordinates, for an image of size (H, W).

    The transformation is a similarity with shear in pixels: rotation does not squeeze an image that is not square.
    """
    u = (2 * torch.rand(6, generator=generator, dtype=torch.float64) - 1).tolist()
    angle, zoom, shear = math.radians(limits.rotation) * u[0], 1 + limits.scale * u[1], limits.shear * u[2]
    mirror = -1.0 if limits.flip and u[5] < 0 else 1.0
    cos, sin = math.cos(angle), math.sin(angle)
    turn = torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)
    stretch = torch.tensor([[mirror * zoom, shear], [0.0, zoom]], dtype=torch.float64)
    H, W = size
    to_pixels = torch.diag(torch.tensor([float(W), float(H)], dtype=torch.float64))
    linear = torch.linalg.inv(to_pixels) @ turn @ stretch @ to_pixels
    shift = 2 * limits.translation * torch.tensor([[u[3]], [u[4]]], dtype=torch.float64)
    return torch.cat((linear, shift), dim=1)


def draw_window(share: float, size: tuple[int, int], generator: torch.Generator) -> tuple[slice, slice]:
    """Draw rows and columns of an image of size (H, W): a share of each, anywhere in it."""
    place = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
    lengths = [max(1, round(share * n)) for n in size]
    starts = [int(u * (n - length + 1)) for u, n, length in zip(place, size, lengths, strict=True)]
    rows, columns = (slice(start, start + length) for start, length in zip(starts, lengths, strict=True))
    return rows, columns


def make_grid(theta: Tensor, like: Tensor, window: tuple[slice, slice] = (slice(None), slice(None))) -> Tensor:
    """Where in an image like x (N, C, H, W) the pixels of its copy, moved by theta (2, 3), come from: (N, h, w, 2).

    A window asks for some rows and columns of the copy only.
    """
    grid = F.affine_grid(theta.to(like).expand(like.shape[0], 2, 3), list(like.shape), align_corners=False)
    return grid[:, window[0], window[1]]


def warp(x: Tensor, grid: Tensor, *, padding: str = "reflection") -> Tensor:
    """Move x (N, C, H, W) as `make_grid` says, with bilinear sampling: (N, C, h, w) in channels-last memory."""
    moved = F.grid_sample(x, grid, mode="bilinear", padding_mode=padding, align_corners=False)
    return moved.contiguous(memory_format=torch.channels_last)


def visible(grid: Tensor, like: Tensor) -> Tensor:
    """Which pixels of a warped image come from inside the original: (1, 1, h, w), 1 inside, 0 outside."""
    ones = torch.ones_like(like[:1, :1])
    return (warp(ones, grid[:1], padding="zeros") > 0.999).to(like.dtype)
