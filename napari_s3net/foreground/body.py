"""The body in CT: its tissue, with what it encloses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.foreground.proposal import Proposal
from napari_s3net.preprocessing.prepare import PreparedPlane

#: HU above which a pixel is tissue: below fat (about −100), well above air and foam.
TISSUE_ABOVE_HU = -152.0
NAMES = ("Tissue", "Air")


def propose_body(clusters: NDArray[np.int64], plane: PreparedPlane) -> Proposal:  # noqa: ARG001 - one signature for all
    """Tissue: the largest component, with its holes filled. Parameters and result as in `propose`."""
    tissue = ndimage.binary_opening(plane.image.array > TISSUE_ABOVE_HU)
    components, n = ndimage.label(tissue)
    if n == 0:
        return Proposal(np.zeros(tissue.shape, np.float32), NAMES, 0.0)
    largest = components == 1 + int(np.argmax(np.bincount(components.ravel())[1:]))
    return Proposal(np.asarray(ndimage.binary_fill_holes(largest), np.float32), NAMES, 1.0)
