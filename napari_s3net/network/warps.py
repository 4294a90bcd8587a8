"""Random affine transformations for the consistency loss: drawn once as theta, then applied to image and answer alike.

Coordinates are those of `torch.nn.functional.affine_grid` with `align_corners=False`: x to the right and y down, from
−1 to 1 over the image's outer edges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class WarpRange:
    """How far a random transformation may go.

    Parameters
    ----------
    rotation : float
        Degrees to either side.
    scale : float
        The size is multiplied by 1 − `scale` to 1 + `scale`.
    shear : float
        Pixels to either side a pixel of height.
    translation : float
        Share of the height, and of the width, to either side.
    flip : bool
        Mirror left and right in half of the draws.
    """

    rotation: float = 45.0
    scale: float = 0.2
    shear: float = 0.1
    translation: float = 0.1
    flip: bool = True


def draw_theta(limits: WarpRange, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Draw one random transformation.

    Parameters
    ----------
    limits : WarpRange
        Each quantity is drawn uniformly within it.
    size : tuple of int
        H and W. The rotation is one in pixels: it does not squeeze an image that is not square.
    generator : torch.Generator
        Six numbers are drawn from it.

    Returns
    -------
    torch.Tensor
        (2, 3) float64: maps a place in the warped image to the place in the original that it shows.
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
    """Draw a window of an image, anywhere in it.

    Parameters
    ----------
    share : float
        0 to 1: height and width of the window as a share of the image's; at least one pixel.
    size : tuple of int
        H and W of the image.
    generator : torch.Generator
        Two numbers are drawn from it.

    Returns
    -------
    tuple of slice
        Rows and columns, as `make_grid` takes them.
    """
    place = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
    lengths = [max(1, round(share * n)) for n in size]
    starts = [int(u * (n - length + 1)) for u, n, length in zip(place, size, lengths, strict=True)]
    rows, columns = (slice(start, start + length) for start, length in zip(starts, lengths, strict=True))
    return rows, columns


def make_grid(theta: Tensor, like: Tensor, window: tuple[slice, slice] = (slice(None), slice(None))) -> Tensor:
    """Compute where each pixel of a warped image lies in the original.

    Parameters
    ----------
    theta : torch.Tensor
        (2, 3), from `draw_theta`.
    like : torch.Tensor
        (N, C, H, W): size, type and device of the image.
    window : tuple of slice
        Rows and columns of the warped image that are wanted, h × w of them; all when left out.

    Returns
    -------
    torch.Tensor
        (N, h, w, 2), (x, y) in the original.
    """
    grid = F.affine_grid(
        theta.to(like, non_blocking=True).expand(like.shape[0], 2, 3), list(like.shape), align_corners=False
    )
    return grid[:, window[0], window[1]]


def warp(x: Tensor, grid: Tensor, *, padding: str = "reflection") -> Tensor:
    """Sample an image bilinearly at the places of a grid.

    Parameters
    ----------
    x : torch.Tensor
        (N, C, H, W).
    grid : torch.Tensor
        (N, h, w, 2), from `make_grid`.
    padding : str
        What lies outside x: "reflection", "zeros" or "border".

    Returns
    -------
    torch.Tensor
        (N, C, h, w) in channels-last memory.
    """
    moved = F.grid_sample(x, grid, mode="bilinear", padding_mode=padding, align_corners=False)
    return moved.contiguous(memory_format=torch.channels_last)


def visible(grid: Tensor, like: Tensor) -> Tensor:
    """Say which pixels of a warped image show a part of the original.

    Parameters
    ----------
    grid : torch.Tensor
        (N, h, w, 2), from `make_grid`; the first of the batch counts.
    like : torch.Tensor
        (N, C, H, W), the original.

    Returns
    -------
    torch.Tensor
        (1, 1, h, w) of the type of `like`: 1 where the grid lies inside the original, 0 outside and within half a pixel
        of its edge.
    """
    ones = torch.ones_like(like[:1, :1])
    return (warp(ones, grid[:1], padding="zeros") > 0.999).to(like.dtype)
