"""The body in CT: its tissue, with what it encloses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.foreground.proposal import Proposal
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


def propose_body(clusters: NDArray[np.int64], plane: PreparedPlane) -> Proposal:  # noqa: ARG001 - one signature for all
    """Propose the tissue of a CT slice: its largest connected component, with the holes filled.

    Parameters
    ----------
    clusters : numpy.ndarray
        Not used: tissue is known by its Hounsfield units. All proposers of `propose.TARGETS` take the same arguments.
    plane : PreparedPlane
        Its image holds Hounsfield units (H, W), and the spacing in mm where it is known.

    Returns
    -------
    Proposal
        At the image's size (H, W): probability 1 in the body and 0 outside, confidence 1; both 0 where no tissue is.
    """
    bridge = disc_footprint(BODY.bridge, pixel_spacing(plane.image), at_least_one_pixel=True)
    tissue = ndimage.binary_opening(plane.image.array > BODY.tissue_above, bridge)
    components, n = ndimage.label(tissue)
    if n == 0:
        return Proposal(np.zeros(tissue.shape, np.float32), NAMES, 0.0)
    largest = components == 1 + int(np.argmax(np.bincount(components.ravel())[1:]))
    return Proposal(np.asarray(ndimage.binary_fill_holes(largest), np.float32), NAMES, 1.0)
