"""What labels are, with short names for the screen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.image import Meaning
from napari_s3net.labels.measure import tissue_name
from napari_s3net.postprocessing.upsample import nearest
from napari_s3net.preprocessing.artefacts import lens_shadow
from napari_s3net.preprocessing.prepare import PreparedPlane
from napari_s3net.preprocessing.window import sampling_step

#: A label of the background with a larger share in the lens shadow is named after it.
MOSTLY = 0.5


def name_labels(
    labels: NDArray[np.int32],
    n_labels: int,
    foreground: tuple[int, ...],
    plane: PreparedPlane,
    grey: NDArray[np.floating],
    names: tuple[str, str],
) -> dict[int, Meaning]:
    """Say what each label is: object or background with a shade; in CT the background's labels are named by tissue.

    The shade says whether it is darker or lighter than the largest label of its side. Where several are, they are
    numbered from that one outwards.

    Parameters
    ----------
    labels : numpy.ndarray
        (h, w), every `sampling_step` rows and columns of the image's labels, from 1.
    n_labels : int
        The largest label.
    foreground : tuple of int
        The object's labels.
    plane : PreparedPlane
        The image.
    grey : numpy.ndarray
        (h, w), its intensities at the same pixels.
    names : tuple of str
        What to call the object, and what to call the rest.

    Returns
    -------
    dict of int to Meaning
        Of each label from 1 to `n_labels`, in this order.
    """
    image = plane.image
    ids = range(1, n_labels + 1)
    n = np.bincount(labels.ravel(), minlength=n_labels + 1)
    light = mean_of_each(labels, grey, n)
    in_shadow = np.zeros(n_labels + 1)
    if image.kind == "rgb":
        in_shadow = mean_of_each(labels, nearest(lens_shadow(plane.features), labels.shape), n)
    step = sampling_step(image.shape)
    hu = mean_of_each(labels, image.array[::step, ::step], n) if image.kind == "ct" else light
    given: dict[int, Meaning] = {}
    for side, name in ((set(foreground), names[0]), (set(ids) - set(foreground), names[1])):
        lit = [i for i in sorted(side) if in_shadow[i] <= MOSTLY]
        main = max(lit, key=lambda i: n[i], default=None)
        for i in side:
            is_object = i in foreground
            if image.kind == "ct" and not is_object:
                tissue = tissue_name(float(hu[i]))
                given[i] = Meaning("Air and tissue" if tissue == names[0] else tissue)
            elif in_shadow[i] > MOSTLY and not is_object:
                given[i] = Meaning("Dark corner")
            else:
                same = main is None or i == main
                given[i] = Meaning(name, 0 if same else 1 if light[i] > light[main] else -1)
    return _numbered({i: given[i] for i in ids})


def mean_of_each(labels: NDArray[Any], values: NDArray[Any], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Average values over the pixels of each label.

    Parameters
    ----------
    labels : numpy.ndarray
        Integers from 0.
    values : numpy.ndarray
        Of the same shape.
    counts : numpy.ndarray
        (n,): how many pixels each label from 0 to n − 1 has.

    Returns
    -------
    numpy.ndarray
        (n,); 0 for a label that does not occur.
    """
    sums = np.bincount(labels.ravel(), values.ravel(), minlength=len(counts))
    return np.asarray(sums / np.maximum(counts, 1))


def _numbered(meanings: dict[int, Meaning]) -> dict[int, Meaning]:
    """Ranks for shades that occur more than once; labels of a side go from dark to light."""
    numbered = dict(meanings)
    for meaning in {meaning for meaning in meanings.values() if meaning.shade}:
        same = [i for i in meanings if meanings[i] == meaning]
        outwards = same[::-1] if meaning.shade < 0 else same
        if len(same) > 1:
            numbered.update({i: meaning._replace(rank=rank) for rank, i in enumerate(outwards, start=1)})
    return numbered
