"""Which labels there are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Where pixels of one label lie beside each other, this many to a run on average, only the runs are looked at, which
#: takes a tenth of the time or less.
PIXELS_TO_A_RUN = 4


def ids_in(labels: NDArray[Any]) -> list[int]:
    """List the labels that occur.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers, of any shape.

    Returns
    -------
    list of int
        Those above 0, in ascending order.
    """
    flat = labels.ravel()
    last_of_runs = np.flatnonzero(flat[1:] != flat[:-1])
    if len(last_of_runs) * PIXELS_TO_A_RUN < flat.size:
        flat = np.append(flat[last_of_runs], flat[-1:])
    return [int(i) for i in np.unique(flat) if i > 0]
