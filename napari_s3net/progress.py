"""What a long piece of work tells while it goes on: its steps, and what there is to say between two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Step:
    """Progress of a run after one iteration.

    Parameters
    ----------
    iteration, total : int
        Iterations done and at most to do.
    losses : mapping of str to float
        Named, already weighted terms; their sum is what was minimised.
    n_labels : int
        Clusters that are still used by at least one pixel.
    preview : numpy.ndarray or None
        (H, W) uint8 labels at the image's size, a copy of its own; only now and then.
    slice, slices : int
        Of a stack: which slice the iteration belongs to, from 0, and how many slices there are.
    """

    iteration: int
    total: int
    losses: Mapping[str, float]
    n_labels: int
    preview: NDArray[np.uint8] | None = None
    slice: int = 0
    slices: int = 1


@dataclass(frozen=True)
class Notice:
    """What a run has to tell its user between two steps: memory ran out, and it begins again from the first iteration.

    Parameters
    ----------
    text : str
        A sentence for the screen.
    """

    text: str
