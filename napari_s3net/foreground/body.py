"""The body in CT: its tissue, with what it encloses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.foreground.morphology import open_mask
from napari_s3net.foreground.proposal import Proposal
from napari_s3net.foreground.stack_components import SliceComponents, StackComponents
from napari_s3net.preprocessing.millimetres import disc_footprint, pixel_spacing
from napari_s3net.preprocessing.prepare import PreparedPlane


@dataclass(frozen=True)
class BodyConstants:
    """What tells the body from air and table. Chosen on the development slices.

    Parameters
    ----------
    tissue_above : float
        HU above which a pixel is tissue: below fat (about −100), well above air and foam.
    bridge : float
        mm, half the width of bridges to clothes and table that are cut; at least one pixel.
    """

    tissue_above: float = -152.0
    bridge: float = 0.75


BODY = BodyConstants()
NAMES = ("Tissue", "Air")


def propose_body(plane: PreparedPlane) -> Proposal:
    """Propose the tissue of a CT slice: its largest connected component, with the holes filled.

    Parameters
    ----------
    plane : PreparedPlane
        Its image holds Hounsfield units (H, W), and the spacing in mm where it is known.

    Returns
    -------
    Proposal
        At the image's size (H, W): probability 1 in the body and 0 outside, confidence 1; both 0 where no tissue is.
    """
    tissue = _tissue(plane.image.array, pixel_spacing(plane.image))
    components, n = ndimage.label(tissue)
    if n == 0:
        return Proposal(np.zeros(tissue.shape, np.float32), NAMES, 0.0)
    largest = components == 1 + int(np.argmax(np.bincount(components.ravel())[1:]))
    return Proposal(np.asarray(ndimage.binary_fill_holes(largest), np.float32), NAMES, 1.0)


def tissue_of_slice(hu: NDArray[np.floating], spacing: tuple[float, float]) -> SliceComponents:
    """Find the tissue of a slice.

    Parameters
    ----------
    hu : numpy.ndarray
        (H, W) Hounsfield units.
    spacing : tuple of float
        Height and width of a pixel in mm.

    Returns
    -------
    SliceComponents
        The body, and table, clothes and arms beside it.
    """
    return SliceComponents(np.packbits(_tissue(hu, spacing)), (hu.shape[0], hu.shape[1]))


def choose_body(slices: Sequence[SliceComponents], spacing: tuple[float, float, float]) -> list[NDArray[np.bool_]]:  # noqa: ARG001
    """Choose the largest tissue of a volume, connected through its slices.

    Parameters
    ----------
    slices : sequence of SliceComponents
        Of all slices, in order.
    spacing : tuple of float
        Not used: the largest is the largest in any unit. All choosers of `volume_objects` take the same arguments.

    Returns
    -------
    list of numpy.ndarray
        For each slice (n + 1,) bool: which of its components belong to the body.
    """
    stack, sizes = StackComponents(), []
    for part in slices:
        components = part.components
        sizes.append(np.bincount(components.ravel()))
        stack.add(components, len(sizes[-1]) - 1)
    groups = stack.groups()
    total = np.zeros(1 + max((int(group.max(initial=0)) for group in groups), default=0))
    for group, size in zip(groups, sizes, strict=True):
        np.add.at(total, group[1:], size[1:])
    body = int(total.argmax()) or -1
    return [group == body for group in groups]


def draw_body(
    part: SliceComponents,
    chosen: NDArray[np.bool_],
    hu: NDArray[np.floating],  # noqa: ARG001 - one signature for all
    spacing: tuple[float, float],  # noqa: ARG001
) -> NDArray[np.bool_]:
    """Draw the body of a slice: the components that were chosen, with what they enclose.

    Parameters
    ----------
    part : SliceComponents
        The slice's tissue.
    chosen : numpy.ndarray
        (n + 1,) bool, from `choose_body`.
    hu : numpy.ndarray
        Not used.
    spacing : tuple of float
        Not used.

    Returns
    -------
    numpy.ndarray
        (H, W) bool.
    """
    return np.asarray(ndimage.binary_fill_holes(chosen[part.components]))


def _tissue(hu: NDArray[np.floating], spacing: tuple[float, float]) -> NDArray[np.bool_]:
    """Tissue without thin bridges."""
    return open_mask(hu > BODY.tissue_above, disc_footprint(BODY.bridge, spacing, at_least_one_pixel=True))
