"""What was learned of lesions, together with what the program proposes without any label."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.transform import resize

from napari_s3net.foreground.propose import propose
from napari_s3net.image import Image
from napari_s3net.preprocessing.prepare import prepare
from napari_s3net.settings import preset_settings
from napari_s3net.training.initial_clusters import initial_clusters
from napari_s3net.training.taught import view_object

#: Votes of what was learned for each image that it was learned from, and at most; the networks that come with the
#: program have three. Tuned on ISIC 2018: Dice of the rest after 5, 10 and 20 corrected images drawn at random, with
#: three votes 0.882, 0.884 and 0.888; with six 0.880, 0.890 and 0.891; with twelve 0.889 and 0.892 after 10 and 20, and
#: after 5, on 116 images of the rest, 0.866 for 0.879.
VOTES_AN_IMAGE, MOST_VOTES = 0.6, 12


def lesion_beside_proposal(
    plane: Image, learned: NDArray[np.floating], labelled: int
) -> tuple[NDArray[np.bool_], float] | None:
    """Let what was learned vote on the lesion with the program's networks; candidates lend their borders.

    The more images it was learned from, the more votes it has.

    Parameters
    ----------
    plane : Image
        A photograph in colour.
    learned : numpy.ndarray
        (H, W) the probability of the object, from the learned model.
    labelled : int
        Images that it was learned from.

    Returns
    -------
    mask : numpy.ndarray
        (H, W) bool, the lesion.
    confidence : float
        The Dice to be expected, from 0 to 1. None, in place of both, where no object is clear or no network knows such
        images.

    Raises
    ------
    InvalidImageError
        If nothing is in the image.
    """
    settings = preset_settings("skin")
    prepared = prepare(plane, settings)
    views = view_object(prepared, settings)
    if views is None:
        return None
    own = resize(learned, views.shape[1:], order=1, anti_aliasing=True).astype(np.float32)
    votes = min(MOST_VOTES, max(1, round(VOTES_AN_IMAGE * labelled)))
    clusters, _ = initial_clusters(prepared.features, settings.clusters)
    proposal = propose(clusters, prepared, settings, np.concatenate([views, *[own[None]] * votes]))
    mask = ndimage.binary_fill_holes(resize(proposal.object_probability, plane.shape, order=1) > 0.5)
    return (np.asarray(mask), proposal.confidence) if mask.any() else None
