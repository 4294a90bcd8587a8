"""What labels are, with short names for the screen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.labels.measure import QUARTILE, tissue_name
from napari_s3net.postprocessing.upsample import nearest
from napari_s3net.preprocessing.artefacts import lens_shadow
from napari_s3net.preprocessing.prepare import PreparedPlane
from napari_s3net.preprocessing.window import sampling_step
from napari_s3net.segments import Meaning

#: A label of the background with a larger share in the lens shadow is named after it.
MOSTLY = 0.5
#: What a label of CT is called that is no single tissue.
UNNAMED = "Unnamed"
DARK_CORNER = "Dark corner"


def name_labels(
    labels: NDArray[np.int32],
    n_labels: int,
    foreground: tuple[int, ...],
    plane: PreparedPlane,
    grey: NDArray[np.floating],
    names: tuple[str, str],
) -> dict[int, Meaning]:
    """Say what each label is: object or background with a shade; in CT the background's labels are named by tissue.

    A label is named after a tissue only where most of it is that tissue; others are unnamed. The shade says whether it
    is darker or lighter than the largest label of its side or tissue, outside of the lens shadow where one is. Where
    several are, they are numbered from that one outwards, so that no two labels have one name.

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
    tissues = _tissues(labels, image.array[::step, ::step], n, names[0]) if image.kind == "ct" else {}
    given: dict[int, Meaning] = {}
    for is_object, name in ((True, names[0]), (False, names[1])):
        side = [i for i in ids if (i in foreground) == is_object]
        calls = {i: name if is_object else tissues.get(i, name) for i in side}
        calls |= {i: DARK_CORNER for i in side if in_shadow[i] > MOSTLY and not is_object}
        for called in dict.fromkeys(calls.values()):
            same = [i for i in side if calls[i] == called]
            lit = [i for i in same if in_shadow[i] <= MOSTLY]
            main = max(lit or same, key=lambda i: n[i])
            given |= {i: Meaning(called, 0 if i == main else 1 if light[i] > light[main] else -1) for i in same}
    return _numbered({i: given[i] for i in ids})


def _tissues(
    labels: NDArray[np.int32], hu: NDArray[Any], counts: NDArray[np.int64], object_name: str
) -> dict[int, str]:
    """The tissue of each label by median and robust spread; what would be called like the object is unnamed as well."""
    order = np.argsort(labels, axis=None, kind="stable")
    ends = np.cumsum(counts)
    found = {}
    for label in range(1, len(counts)):
        values = hu.ravel()[order[ends[label - 1] : ends[label]]]
        low, middle, high = np.nanpercentile(values, (25, 50, 75)) if values.size else (np.nan,) * 3
        tissue = tissue_name(float(middle), float(high - low) / (2 * QUARTILE))
        found[label] = UNNAMED if tissue in ("", object_name) else tissue
    return found


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
