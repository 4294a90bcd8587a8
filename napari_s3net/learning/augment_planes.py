"""Random changes of planes with their labels and keypoints: turn, zoom, mirror, bend; gamma, shade, focus, noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_s3net.network.class_losses import IGNORED
from napari_s3net.network.keypoint_fusion import KeypointBatch
from napari_s3net.preprocessing.window import MEAN, SD
from napari_s3net.runtime.parcel import send


@dataclass(frozen=True, kw_only=True)
class PlaneChanges:
    """How far planes are changed. Set by hand, but for `gamma`, `shade`, `soft` and `hidden`.

    The first three of these were chosen on ACDC (docs/learning-tried.md): a network that normalises each channel within
    the image sees nothing of contrast and brightness as a whole, so that `gain` and `offset` teach it nothing.

    Parameters
    ----------
    turn : float
        Degrees to either side.
    zoom : tuple of float
        Least and largest factor.
    shift : float
        At most, as a share of half the side.
    bent : float
        Share of the planes that are deformed elastically.
    control : int
        Control points of the deformation along a side.
    bend : float
        Standard deviation of their shift, as a share of half the side.
    inversions : int
        Steps of the fixed point by which a keypoint finds its place in the deformed plane.
    gain, cast, offset : float
        Standard deviations in normalised intensities: of the logarithm of the contrast, of that of each colour besides,
        and of what is added.
    noise : float
        The largest standard deviation of the noise, in normalised intensities.
    gamma : float
        Standard deviation of the logarithm of the exponent to which intensities between 0 and 1 are raised.
    turned : float
        Share of the planes of which not the intensities are raised, but what they lack to 1.
    shade : float
        Standard deviation, at its control points, of the logarithm of a smooth shade that the plane is multiplied by.
    lamps : int
        Control points of the shade along a side.
    soft : float
        Share of the planes that are out of focus.
    hidden : float
        At most this share of a plane's keypoints is hidden: what all of them look like together gives away which plane
        it is, and a network that has seen few planes learns that instead (docs/learning-tried.md).
    """

    turn: float = 25.0
    zoom: tuple[float, float] = (0.8, 1.25)
    shift: float = 0.1
    bent: float = 0.7
    control: int = 5
    bend: float = 0.04
    inversions: int = 5
    gain: float = 0.15
    cast: float = 0.06
    offset: float = 0.2
    noise: float = 0.05
    gamma: float = 0.35
    turned: float = 0.25
    shade: float = 0.3
    lamps: int = 4
    soft: float = 0.25
    hidden: float = 0.8


PLANE_CHANGES = PlaneChanges()


@dataclass(frozen=True, eq=False)
class PlaneBatch:
    """Planes of one update.

    Attributes
    ----------
    images : torch.Tensor
        (N, C, S, S) float32, normalised.
    labels : torch.Tensor
        (N, S, S) int64, `IGNORED` where nobody has labelled.
    points : KeypointBatch or None
        Keypoints, where the network uses them.
    index : torch.Tensor
        (N,) which planes of the set these are.
    """

    images: Tensor
    labels: Tensor
    points: KeypointBatch | None
    index: Tensor


def augment_planes(batch: PlaneBatch, generator: torch.Generator, *, mirror: bool = True) -> PlaneBatch:
    """Change each plane by its own draw.

    Parameters
    ----------
    batch : PlaneBatch
        As the planes are.
    generator : torch.Generator
        Of the CPU, so that every device draws the same.
    mirror : bool
        Half of the planes left and right.

    Returns
    -------
    PlaneBatch
        What came from outside a plane repeats its edge and is `IGNORED`; keypoints that left it, or are hidden, are
        padding.
    """
    x, points = batch.images, batch.points
    drawn = [*draw_deformations(len(x), generator, mirror=mirror), *draw_intensities(x.shape, generator)]
    shown = () if points is None else (draw_shown(points.real.shape, generator),)
    theta, bend, *rest = send([*drawn, *shown], x.device)
    if points is not None:
        moved = move_points(points, theta, bend, x.shape[-1])
        points = KeypointBatch(moved.places, moved.real & rest.pop())
    theta, bend, *intensities = (tensor.to(x.dtype) for tensor in (theta, bend, *rest))
    grid = F.affine_grid(theta, list(x.shape), align_corners=False) + _bending(bend, x.shape[-1])
    images = F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)
    shifted = (batch.labels[:, None] - IGNORED).to(x.dtype)  # so that zero is what nobody has labelled
    labels = F.grid_sample(shifted, grid, mode="nearest", padding_mode="zeros", align_corners=False)[:, 0]
    return replace(
        batch,
        images=IntensityChanges(*intensities).of(images),
        labels=labels.round().long() + IGNORED,
        points=points,
    )


def draw_deformations(n: int, generator: torch.Generator, *, mirror: bool = True) -> tuple[Tensor, Tensor]:
    """Draw an affine transformation and control points for each of `n` planes.

    Parameters
    ----------
    n : int
        Planes.
    generator : torch.Generator
        Of the CPU.
    mirror : bool
        Half of the planes.

    Returns
    -------
    theta : torch.Tensor
        (n, 2, 3), as `torch.nn.functional.affine_grid` takes it.
    bend : torch.Tensor
        (n, 2, control, control): shift in x and y, as a share of half the side.
    """
    u = torch.rand(n, 6, generator=generator)
    angle = math.radians(PLANE_CHANGES.turn) * (2 * u[:, 0] - 1)
    least, largest = PLANE_CHANGES.zoom
    zoom = 1 / torch.exp(math.log(least) + u[:, 1] * math.log(largest / least))
    across = 1 - 2 * (u[:, 2] < (0.5 if mirror else 0.0)).float()
    shift = PLANE_CHANGES.shift * (2 * u[:, 3:5] - 1)
    cos, sin = zoom * angle.cos(), zoom * angle.sin()
    rows = (
        torch.stack([across * cos, -sin, shift[:, 0]], dim=1),
        torch.stack([across * sin, cos, shift[:, 1]], dim=1),
    )
    control, is_bent = PLANE_CHANGES.control, (u[:, 5] < PLANE_CHANGES.bent).float()[:, None, None, None]
    bend = PLANE_CHANGES.bend * torch.randn(n, 2, control, control, generator=generator) * is_bent
    return torch.stack(rows, dim=1), bend


def move_points(points: KeypointBatch, theta: Tensor, bend: Tensor, size: int) -> KeypointBatch:
    """Find where keypoints lie after a deformation.

    Parameters
    ----------
    points : KeypointBatch
        In the plane as it was.
    theta, bend : torch.Tensor
        From `draw_deformations`.
    size : int
        Pixels along a side.

    Returns
    -------
    KeypointBatch
        Those that left the plane are padding.
    """
    here = 2 * points.places / size - 1
    inverse = torch.linalg.inv(theta[:, :, :2])
    target = here - theta[:, None, :, 2]
    there = target @ inverse.transpose(1, 2)
    for _ in range(PLANE_CHANGES.inversions):
        shift = F.grid_sample(bend, there[:, None], mode="bilinear", padding_mode="border", align_corners=True)
        there = (target - shift[:, :, 0].transpose(1, 2)) @ inverse.transpose(1, 2)
    inside = (there.abs() < 1).all(dim=2)
    return KeypointBatch((there + 1) * size / 2, points.real & inside)


def draw_shown(shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Draw which keypoints of each plane the network sees: from all of them down to what `hidden` leaves.

    Parameters
    ----------
    shape : torch.Size
        (N, P): planes, and keypoints of each.
    generator : torch.Generator
        Of the CPU.

    Returns
    -------
    torch.Tensor
        (N, P) bool.
    """
    share = PLANE_CHANGES.hidden * torch.rand(shape[0], 1, generator=generator)
    return torch.rand(shape, generator=generator) >= share


class IntensityChanges(NamedTuple):
    """How the intensities of N planes change.

    Attributes
    ----------
    gamma, turned : torch.Tensor
        (N, 1, 1, 1): exponent, and 1 where what is lacking to 1 is raised to it, else 0.
    shade : torch.Tensor
        (N, 1, lamps, lamps): logarithm of what the plane is multiplied by, at control points.
    soft : torch.Tensor
        (N, 1, 1, 1): how far out of focus, from 0 to 1.
    factor, offset, noise : torch.Tensor
        (N, C, 1, 1), (N, 1, 1, 1) and (N, C, H, W), in normalised intensities.
    """

    gamma: Tensor
    turned: Tensor
    shade: Tensor
    soft: Tensor
    factor: Tensor
    offset: Tensor
    noise: Tensor

    def of(self, x: Tensor) -> Tensor:
        """Change planes.

        Parameters
        ----------
        x : torch.Tensor
            (N, C, H, W), normalised.

        Returns
        -------
        torch.Tensor
            Of the same shape.
        """
        value = SD * x + MEAN
        inside = value.clamp(0, 1)
        raised = torch.where(self.turned > 0, 1 - (1 - inside) ** self.gamma, inside**self.gamma)
        light = F.interpolate(self.shade, x.shape[2:], mode="bicubic", align_corners=True).exp()
        value = (raised + value - inside) * light
        unfocused = F.avg_pool2d(value, 5, stride=1, padding=2, count_include_pad=False)
        normal = (torch.lerp(value, unfocused, self.soft) - MEAN) / SD
        return normal * self.factor + self.offset + self.noise


def change_intensities(x: Tensor, generator: torch.Generator, strength: float = 1.0) -> Tensor:
    """Change gamma, shade, focus, brightness and contrast of each plane, and add noise.

    Parameters
    ----------
    x : torch.Tensor
        (N, C, H, W), normalised.
    generator : torch.Generator
        Of the CPU.
    strength : float
        1 for what all methods do; more for a stream that is to differ from another one.

    Returns
    -------
    torch.Tensor
        Of the same shape.
    """
    drawn = send(draw_intensities(x.shape, generator, strength), x.device)
    return IntensityChanges(*(tensor.to(x.dtype) for tensor in drawn)).of(x)


def draw_intensities(shape: Sequence[int], generator: torch.Generator, strength: float = 1.0) -> IntensityChanges:
    """Draw how the intensities of each plane change.

    Parameters
    ----------
    shape : sequence of int
        (N, C, H, W).
    generator, strength
        As in `change_intensities`.

    Returns
    -------
    IntensityChanges
        On the CPU.
    """
    N, C = shape[:2]
    how = PLANE_CHANGES

    def normal(sd: float, *shape: int) -> Tensor:
        return sd * strength * torch.randn(N, *shape, generator=generator)

    def uniform() -> Tensor:
        return torch.rand(N, 1, 1, 1, generator=generator)

    return IntensityChanges(
        gamma=normal(how.gamma, 1, 1, 1).exp(),
        turned=(uniform() < how.turned).float(),
        shade=normal(how.shade, 1, how.lamps, how.lamps),
        soft=(uniform() < how.soft) * uniform(),
        factor=(normal(how.gain, 1, 1, 1) + normal(how.cast if C > 1 else 0.0, C, 1, 1)).exp(),
        offset=normal(how.offset, 1, 1, 1),
        noise=how.noise * strength * uniform() * torch.randn(tuple(shape), generator=generator),
    )


def _bending(bend: Tensor, size: int) -> Tensor:
    """(N, size, size, 2): the shift of each pixel, from the control points, bilinearly as for keypoints."""
    base = torch.linspace(-1 + 1 / size, 1 - 1 / size, size, device=bend.device, dtype=bend.dtype)
    places = torch.stack(torch.meshgrid(base, base, indexing="xy"), dim=-1).expand(len(bend), -1, -1, -1)
    field = F.grid_sample(bend, places, mode="bilinear", padding_mode="border", align_corners=True)
    return field.permute(0, 2, 3, 1)
