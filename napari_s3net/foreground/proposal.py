"""What is proposed as the object of an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Proposal:
    """The proposed object.

    Parameters
    ----------
    object_probability : numpy.ndarray
        (h, w) float32, of the features' size, or (H, W) of the image's where the object was found there; the object is
        where it is above one half.
    names : tuple of str
        What to call the object, and what to call the rest.
    confidence : float
        0 to 1, estimated without labels: the Dice to be expected where a taught network helped, else how far the
        candidates agree.
    note : str
        What the user has to know about how it was found; mostly empty.
    certainty : str
        "sure", "look" or "no clear object" where the confidence is an expected Dice; empty where it is none.
    """

    object_probability: NDArray[np.float32]
    names: tuple[str, str]
    confidence: float
    note: str = ""
    certainty: str = ""
