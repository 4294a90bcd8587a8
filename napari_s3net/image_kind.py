"""What the values of an image mean: colours, Hounsfield units, magnetic resonance, or grey without a unit."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["rgb", "ct", "mr", "grey"]
#: Below this value an integer image holds Hounsfield units: air is −1000 HU.
AIR_HU = -200
#: What lies below is no Hounsfield unit but a fill value, as −32768 of int16.
LOWEST_HU = -5000
#: Air fills at least this share of a CT.
AIR_SHARE = 0.01
#: Values that are looked at together.
_BLOCK = 1 << 20


def guess_kind(array: NDArray[Any]) -> Kind:
    """Guess what the values of an array mean.

    Parameters
    ----------
    array : numpy.ndarray
        As in `as_image`.

    Returns
    -------
    str
        "rgb" where there are three axes or more, the last of length 3 or 4; "ct" where many values are such as only air
        has in Hounsfield units; else "grey".
    """
    return "rgb" if array.ndim >= 3 and array.shape[-1] in (3, 4) else kind_of_grey(array)


def kind_of_grey(array: NDArray[Any]) -> Kind:
    """Guess what the values of an array without colours mean.

    Parameters
    ----------
    array : numpy.ndarray
        (H, W) or (Z, H, W), of any layout; no copy is made of a large one.

    Returns
    -------
    str
        "ct" where many values are such as only air has in Hounsfield units; else "grey".
    """
    if array.dtype.kind not in "if" or not array.size or not array.ndim:
        return "grey"
    rows = max(1, _BLOCK * len(array) // array.size)
    blocks = (array[start : start + rows] for start in range(0, len(array), rows))
    air = sum(np.count_nonzero((block <= AIR_HU) & (block >= LOWEST_HU)) for block in blocks)
    # A resampled MR image undershoots below zero in a few voxels; air fills a good part of a CT.
    return "ct" if air / array.size >= AIR_SHARE else "grey"
