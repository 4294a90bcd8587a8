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


def warp(x: Tensor, theta: Tensor, *, padding: str = "reflection") -> Tensor:
    """Move x (N, C, H, W) by theta (2, 3), with bilinear sampling."""
    grid = F.affine_grid(theta.to(x).expand(x.shape[0], 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode=padding, align_corners=False)


def visible(theta: Tensor, like: Tensor) -> Tensor:
    """Which pixels of a warped image come from inside the original: (1, 1, H, W), 1 inside, 0 outside."""
    ones = torch.ones_like(like[:1, :1])
    return (warp(ones, theta, padding="zeros") > 0.999).to(like.dtype)
