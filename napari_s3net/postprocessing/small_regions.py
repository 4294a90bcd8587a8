"""What is too small for a label of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.preprocessing.window import sampling_step


@dataclass(frozen=True, kw_only=True)
class SmallRegionConstants:
    """What is absorbed by its neighbours. Chosen on the development images.

    Parameters
    ----------
    share : float
        Clusters, and regions of clusters on one side of the object's border, below this share of the image.
    share_of_cluster : float
        Regions below this share of their cluster: the rim between the network's border and the object's.
    """

    share: float = 0.004
    share_of_cluster: float = 0.1


SMALL_REGIONS = SmallRegionConstants()


def drop_small_components(mask: NDArray[np.bool_], smallest: float) -> NDArray[np.bool_]:
    """Drop the small connected components of a mask, and fill the holes of the others.

    Parameters
    ----------
    mask : numpy.ndarray
        (H, W) bool.
    smallest : float
        Pixels: components with fewer go, but the largest always stays.

    Returns
    -------
    numpy.ndarray
        (H, W) bool.
    """
    components, _ = ndimage.label(mask)
    sizes = np.bincount(components.ravel())
    sizes[0] = 0
    keep = sizes >= min(smallest, sizes.max())
    keep[0] = False
    return np.asarray(ndimage.binary_fill_holes(keep[components]))


def absorb_small(pairs: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Let what is tiny, or a mere rim of its cluster across the object's border, take the nearest label of its side.

    Parameters
    ----------
    pairs : numpy.ndarray
        (H, W), twice the cluster, plus one outside the object: odd numbers are background, even ones object.

    Returns
    -------
    numpy.ndarray
        (H, W), a copy.
    """
    return absorb(pairs, large_pairs(np.bincount(pairs.ravel())))


def large_pairs(counts: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Say which pairs of cluster and side are large enough for a label of their own; of each side at least one is.

    Parameters
    ----------
    counts : numpy.ndarray
        (n,), the pixels of each pair.

    Returns
    -------
    numpy.ndarray
        (n,) bool, with n rounded up to an even number.
    """
    counts = np.pad(counts, (0, len(counts) % 2))
    of_cluster = (counts[0::2] + counts[1::2]).repeat(2)
    stays = (counts >= SMALL_REGIONS.share * counts.sum()) & (counts >= SMALL_REGIONS.share_of_cluster * of_cluster)
    for side in (0, 1):
        if not stays[side::2].any():
            stays[side + 2 * int(np.argmax(counts[side::2]))] = True
    return np.asarray(stays)


def absorb(pairs: NDArray[np.uint8], stays: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Let pairs that get no label of their own take the nearest one of their side.

    Parameters
    ----------
    pairs : numpy.ndarray
        (H, W), as in `absorb_small`.
    stays : numpy.ndarray
        (n,) bool: which pairs stay; n is even and above every pair.

    Returns
    -------
    numpy.ndarray
        (H, W), a copy. What has nothing of its side in the whole plane that stays is left as it is.
    """
    counts = np.bincount(pairs.ravel(), minlength=len(stays))
    step = sampling_step(pairs.shape)
    sampled, joined = pairs[::step, ::step], pairs.copy()
    for side in (0, 1):
        of_side = np.arange(len(counts)) % 2 == side
        kept = (of_side & stays).take(sampled)
        if counts[of_side & ~stays].any() and kept.any():
            near = ndimage.distance_transform_edt(~kept, return_distances=False, return_indices=True)
            rows, columns = np.nonzero((of_side & ~stays).take(pairs))
            joined[rows, columns] = sampled[near[0], near[1]][rows // step, columns // step]
    return joined
