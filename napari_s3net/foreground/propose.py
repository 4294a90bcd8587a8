"""Which part of the image is the object, without looking at any label."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_s3net.foreground import body, central, lesion, lung
from napari_s3net.foreground.proposal import Proposal
from napari_s3net.foreground.voting import ScoredCandidates
from napari_s3net.preprocessing.prepare import PreparedPlane
from napari_s3net.settings import Settings

#: Targets that are found by their Hounsfield units, from the plane and what taught networks saw of it.
FINDERS: Mapping[str, Callable[[PreparedPlane, NDArray[np.float32] | None], Proposal]] = {
    "lung": lung.propose_lung,
    "body": lambda plane, _: body.propose_body(plane),
}
#: Targets that candidates are scored for, from clusters (h, w) and features (h, w, C).
SCORERS: Mapping[str, Callable[[NDArray[np.int64], NDArray[np.float32]], ScoredCandidates]] = {
    "lesion": lesion.score_lesions,
    "central": central.score_central,
}
#: A central object that fills more than this share is no object: on slices of the heart, whose whole chest is one.
LARGEST_SHARE = 0.6
NOTHING_STANDS_OUT = "No part stands out as the object: nothing is proposed."


def propose(
    clusters: NDArray[np.int64],
    plane: PreparedPlane,
    settings: Settings,
    views: NDArray[np.float32] | None = None,
) -> Proposal:
    """Choose the object.

    Parameters
    ----------
    clusters : numpy.ndarray
        (h, w), the cluster that the network gave each pixel, at the size at which it worked.
    plane : PreparedPlane
        The image and its features (h, w, C).
    settings : Settings
        `target` says what is looked for: a key of `SCORERS` or `FINDERS`.
    views : numpy.ndarray, optional
        (n, h, w): the probability of the object that taught networks gave each of n views of the image.

    Returns
    -------
    Proposal
        At the features' size for targets that are voted on, at the image's size for those found in Hounsfield units.
    """
    if settings.target in FINDERS:
        return FINDERS[settings.target](plane, views)
    return SCORERS[settings.target](clusters, plane.features).elect(plane.features.shape, views=views)


def reject_surroundings(proposal: Proposal, settings: Settings, *, in_scan: bool = False) -> Proposal:
    """Propose nothing where what was found in the middle is most of the image, or reaches the edge of a scan.

    On cardiac MR it is the chest wall, the lungs or all that is dark that reaches the edge; what does not is the
    heart's left chamber (`docs/volumes.md`, "Measured"). A photograph may be cut so that its object reaches the edge.

    Parameters
    ----------
    proposal : Proposal
        From `propose`.
    settings : Settings
        `target` counts: a lesion, a lung or a body may fill the image.
    in_scan : bool
        Whether the image is a slice of a volume.

    Returns
    -------
    Proposal
        The same, or one without an object that says so.
    """
    probability = proposal.object_probability
    is_object = probability > 0.5
    reaches_edge = is_object[[0, -1]].any() or is_object[:, [0, -1]].any()
    if settings.target != "central" or (is_object.mean() <= LARGEST_SHARE and not (in_scan and reaches_edge)):
        return proposal
    return replace(
        proposal,
        object_probability=np.zeros_like(probability),
        confidence=0.0,
        note=NOTHING_STANDS_OUT,
        certainty="",
    )
