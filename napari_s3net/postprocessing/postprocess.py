"""From probabilities at the working size to clean, numbered and named labels at the image's size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_s3net import __version__
from napari_s3net.foreground.proposal import Proposal
from napari_s3net.image import Image
from napari_s3net.postprocessing.naming import mean_of_each, name_labels
from napari_s3net.postprocessing.small_regions import absorb_small, drop_small_components
from napari_s3net.postprocessing.upsample import enlarge, enlarge_clusters, enlarge_guided
from napari_s3net.preprocessing.prepare import PreparedPlane
from napari_s3net.preprocessing.window import sampling_step, to_grey
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.segments import Meaning
from napari_s3net.settings import Settings


def postprocess(
    image: Image, plane: PreparedPlane, probabilities: Tensor, proposal: Proposal, settings: Settings
) -> Segmentation:
    """Make the result: labels at the image's size, what they mean, and the record of how they were made.

    Parameters
    ----------
    image : Image
        As it was opened.
    plane : PreparedPlane
        The same, as it was segmented.
    probabilities : torch.Tensor
        (1, K, h, w), of the clusters.
    proposal : Proposal
        The object, at the working size or the image's.
    settings : Settings
        `sharpen_boundary` and `min_area`; all of them go into the record.

    Returns
    -------
    Segmentation
        Without the network's weights. Device, seconds and what is known of the training are left to
        `Segmentation.with_provenance`.
    """
    labels, foreground, meanings = label_plane(plane, probabilities, proposal, settings)
    provenance = Provenance(
        settings=settings,
        version=__version__,
        confidence=proposal.confidence,
        certainty=proposal.certainty,
        note=" ".join(filter(None, (plane.note, proposal.note))),
        image=image.facts,
    )
    return Segmentation(
        labels=labels,
        foreground=foreground,
        geometry=image.geometry,
        provenance=provenance,
        names={i: meaning.name for i, meaning in meanings.items()},
        meanings=meanings,
        object_name=proposal.names[0],
        image=image,
    )


def label_plane(
    plane: PreparedPlane, probabilities: Tensor, proposal: Proposal, settings: Settings
) -> tuple[NDArray[np.int32], tuple[int, ...], dict[int, Meaning]]:
    """Bring clusters and object to the image's size, number them and say what they are.

    Parameters
    ----------
    plane : PreparedPlane
        The plane that was segmented.
    probabilities : torch.Tensor
        (1, K, h, w), of the clusters.
    proposal : Proposal
        The object, at the working size or the image's.
    settings : Settings
        `sharpen_boundary` and `min_area`.

    Returns
    -------
    labels : numpy.ndarray
        (H, W) int32 from 1, and 0 where nothing was measured: the object's labels first, each side from dark to light.
    foreground : tuple of int
        The object's labels.
    meanings : dict of int to Meaning
        What each label is, with its name.
    """
    is_object = object_mask(proposal.object_probability, plane, settings)
    clusters = enlarge_clusters(probabilities, plane.image.shape)
    pairs = absorb_small(2 * clusters + ~is_object)
    step = sampling_step(pairs.shape)
    grey = to_grey(plane.to_unit(step=step))
    numbers, foreground = number_pairs(pairs, grey, plane.missing)
    labels = numbers.take(pairs)
    if plane.missing is not None:
        labels[plane.missing] = 0
    meanings = name_labels(labels[::step, ::step], int(numbers.max()), foreground, plane, grey, proposal.names)
    return labels, foreground, meanings


def object_mask(probability: NDArray[np.float32], plane: PreparedPlane, settings: Settings) -> NDArray[np.bool_]:
    """Where the object is, at the image's size.

    Parameters
    ----------
    probability : numpy.ndarray
        (H, W), which is taken as it is; or (h, w), which is enlarged smoothly or by a guided filter that lets its
        border follow the image. Then components below `min_area` are dropped and holes filled.
    plane : PreparedPlane
        The image, and its copy at the working size.
    settings : Settings
        `sharpen_boundary` and `min_area`.

    Returns
    -------
    numpy.ndarray
        (H, W) bool.
    """
    shape = plane.image.shape
    if probability.shape == shape:
        return np.asarray(probability > 0.5)
    if settings.sharpen_boundary:
        enlarged = enlarge_guided(probability, to_grey(plane.features), to_grey(plane.to_unit()))
    else:
        enlarged = enlarge(probability, shape)
    return drop_small_components(enlarged > 0.5, settings.min_area / 100 * enlarged.size)


def number_pairs(
    pairs: NDArray[np.uint8], grey: NDArray[np.floating], missing: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.int32], tuple[int, ...]]:
    """Number pairs of cluster and side: the object's first, each side from dark to light.

    Parameters
    ----------
    pairs : numpy.ndarray
        (H, W), as in `absorb_small`.
    grey : numpy.ndarray
        (h, w), intensities of every `sampling_step` rows and columns.
    missing : numpy.ndarray, optional
        (H, W) bool: pixels that do not count.

    Returns
    -------
    numbers : numpy.ndarray
        (n,) int32: the number of each pair, from 1; 0 where it does not occur.
    foreground : tuple of int
        The object's numbers.
    """
    step, n = sampling_step(pairs.shape), int(pairs.max()) + 1
    sampled = pairs[::step, ::step].astype(np.intp)
    if missing is not None:
        pairs, at = pairs[~missing], ~missing[::step, ::step]
        sampled, grey = sampled[at], grey[at]
    used = np.flatnonzero(np.bincount(pairs.ravel()))
    light = mean_of_each(sampled, grey, np.bincount(sampled.ravel(), minlength=n))
    order = sorted(used, key=lambda pair: (pair % 2, light[pair]))
    numbers = np.zeros(n, np.int32)
    numbers[order] = np.arange(1, len(order) + 1)
    return numbers, tuple(int(numbers[pair]) for pair in order if pair % 2 == 0)
