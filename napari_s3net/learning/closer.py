"""A second look at a volume, closer: at the part of its planes where the first one has found the object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from napari_s3net.learning.examples import ExampleSet, grey_of
from napari_s3net.learning.keypoints import find_keypoints, pad_points
from napari_s3net.learning.methods import predict_squares
from napari_s3net.learning.pieces import is_one_piece, largest_piece, whole_volumes
from napari_s3net.network.class_losses import IGNORED
from napari_s3net.network.unet import ClassNetwork

#: The part that is looked at is so many times as long as what holds all but the outermost shares of the object along
#: either axis: what lies outermost is often wrong, and would say less of the object's size. Chosen on the pool of ACDC
#: (docs/learning-tried.md).
LENGTHS, OUTERMOST = 2.0, 0.05


@dataclass(frozen=True)
class Part:
    """A part of a plane, as long in shares of its height as in those of its width; it lies within the plane.

    Attributes
    ----------
    y, x : float
        Of its middle, from 0 to 1.
    side : float
        Its length, above 0 and below 1.
    """

    y: float
    x: float
    side: float


def find_part(mask: NDArray[np.bool_]) -> Part | None:
    """Find the part of a volume's planes to look at closer.

    Parameters
    ----------
    mask : numpy.ndarray
        (Z, H, W), where the object is.

    Returns
    -------
    Part or None
        One for all planes; None where there is no object, or the part would be the whole plane.
    """
    from_above = mask.sum(axis=0)
    if not from_above.any():
        return None
    spans = [_span(from_above.sum(axis=axis)) for axis in (1, 0)]
    side = LENGTHS * max(end - start for start, end in spans)
    if side >= 1:
        return None
    y, x = (min(max((start + end) / 2, side / 2), 1 - side / 2) for start, end in spans)
    return Part(y, x, side)


def cut(planes: Tensor, part: Part, *, mode: str = "bilinear") -> Tensor:
    """Cut the part out of planes, and bring it to their size.

    Parameters
    ----------
    planes : torch.Tensor
        (N, C, H, W) float.
    part : Part
        Which.
    mode : {"bilinear", "nearest"}
        How values between pixels are found.

    Returns
    -------
    torch.Tensor
        (N, C, H, W).
    """
    return _resampled(planes, part.side, (2 * part.x - 1, 2 * part.y - 1), planes.shape[2:], mode, "border")


def lay_back(probabilities: Tensor, part: Part, shape: tuple[int, int]) -> Tensor:
    """Lay what is said of the part into the plane; around it is background.

    Parameters
    ----------
    probabilities : torch.Tensor
        (N, K, S, S).
    part : Part
        Which.
    shape : tuple of int
        (H, W) of the plane.

    Returns
    -------
    torch.Tensor
        (N, K, H, W).
    """
    middle = ((1 - 2 * part.x) / part.side, (1 - 2 * part.y) / part.side)
    whole = _resampled(probabilities, 1 / part.side, middle, torch.Size(shape), "bilinear", "zeros")
    whole[:, 0] += 1 - whole.sum(dim=1)
    return whole


def look_closer(
    network: ClassNetwork, images: NDArray[np.floating], part: Part, shape: tuple[int, int], most_keypoints: int
) -> Tensor:
    """Compute the probabilities of planes from a part of them.

    Parameters
    ----------
    network : ClassNetwork
        That learned to look closer.
    images : numpy.ndarray
        (n, C, S, S), normalised, of the whole planes.
    part : Part
        Where to look.
    shape : tuple of int
        (H, W) of the planes.
    most_keypoints : int
        As the network has learned with, where it uses keypoints.

    Returns
    -------
    torch.Tensor
        (n, K, H, W).
    """
    near = cut(torch.from_numpy(images).float(), part).numpy()
    found = [find_keypoints(grey_of(image), most_keypoints) for image in near] if network.config.keypoints else []
    return lay_back(predict_squares(network, near, pad_points(found) if found else None), part, shape)


def is_worth_a_closer_look(data: ExampleSet) -> bool:
    """Say whether volumes have an object that takes up little of their planes.

    Parameters
    ----------
    data : ExampleSet
        Labelled and other planes.

    Returns
    -------
    bool
        Where all classes together are in one piece in every whole labelled volume, and each has a part to look at.
    """
    masks = [labels > 0 for labels in whole_volumes(data)]
    parts = [find_part(mask) for mask in masks if mask.any()]
    return None not in parts and is_one_piece(masks)


def look_twice(
    network: ClassNetwork, closer: ClassNetwork | None, volume: ExampleSet, most_keypoints: int
) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """Say which classes the planes of a volume show, by a first look and by a closer one.

    Parameters
    ----------
    network, closer : ClassNetwork
        That learned them; without the second there is no closer look.
    volume : ExampleSet
        Its planes, in their order.
    most_keypoints : int
        As the networks have learned with, where they use keypoints.

    Returns
    -------
    first : numpy.ndarray
        (Z, S, S) channels.
    second : numpy.ndarray or None
        (Z, S, S); None without a closer look, as where the first one finds nothing.
    """
    points = pad_points(volume.keypoints) if network.config.keypoints else None
    first: NDArray[np.int64] = predict_squares(network, volume.images, points).argmax(dim=1).numpy()
    part = find_part(largest_piece(first > 0)) if closer is not None and len(volume) > 1 else None
    if closer is None or part is None:
        return first, None
    second: NDArray[np.int64] = (
        look_closer(closer, volume.images, part, (volume.size, volume.size), most_keypoints).argmax(dim=1).numpy()
    )
    return first, second


def find_parts(
    network: ClassNetwork, data: ExampleSet, files: NDArray[np.int64], unseen: NDArray[np.int64]
) -> dict[int, Part]:
    """Find where volumes are looked at closer: by their labels, and where there are none by a first look.

    Parameters
    ----------
    network : ClassNetwork
        That has learned the first look.
    data : ExampleSet
        Planes.
    files : numpy.ndarray
        Which of its volumes.
    unseen : numpy.ndarray
        Those of which no label counts, as they are set aside.

    Returns
    -------
    dict of int to Part
        By file; without those in which nothing is found, and without planes that stand alone.
    """
    parts = {}
    for file in files:
        planes = data.planes_of(file)
        if len(planes) == 1:
            continue
        known = (data.labels[planes] != IGNORED) & (file not in unseen)
        mask = data.labels[planes] > 0
        if not known.all():
            points = pad_points([data.keypoints[i] for i in planes]) if network.config.keypoints else None
            found = predict_squares(network, data.images[planes], points).argmax(dim=1).numpy() > 0
            mask = np.where(known, mask, found)
        if (part := find_part(largest_piece(mask))) is not None:
            parts[int(file)] = part
    return parts


def near_set(data: ExampleSet, parts: Mapping[int, Part]) -> ExampleSet:
    """Cut the planes of volumes to their parts.

    Parameters
    ----------
    data : ExampleSet
        Whole planes.
    parts : mapping of int to Part
        By file; other files are left out.

    Returns
    -------
    ExampleSet
        At the same working size; keypoints are to be found anew.
    """
    near = data.part(np.isin(data.files, list(parts)))
    images, labels = near.images.copy(), near.labels.copy()
    for file, part in parts.items():
        here = near.files == file
        images[here] = cut(torch.from_numpy(near.images[here]).float(), part).half().numpy()
        cut_labels = cut(torch.from_numpy(near.labels[here])[:, None].float(), part, mode="nearest")
        labels[here] = cut_labels[:, 0].to(torch.int8).numpy()
    return replace(near, images=images, labels=labels, keypoints=())


def _resampled(
    planes: Tensor, scale: float, middle: tuple[float, float], shape: torch.Size, mode: str, padding: str
) -> Tensor:
    """Planes at the places that a zoom and a shift, in halves of their sides, lead to."""
    theta = planes.new_tensor([[scale, 0, middle[0]], [0, scale, middle[1]]]).expand(len(planes), 2, 3)
    grid = F.affine_grid(theta, [len(planes), 1, *shape], align_corners=False)
    return F.grid_sample(planes, grid, mode=mode, padding_mode=padding, align_corners=False)


def _span(profile: NDArray[np.integer]) -> tuple[float, float]:
    """Where a profile begins and ends without its outermost shares, from 0 to 1."""
    summed = profile.cumsum()
    start, end = np.searchsorted(summed, [OUTERMOST * summed[-1], (1 - OUTERMOST) * summed[-1]])
    return float(start) / len(profile), float(end + 1) / len(profile)
