"""What is proposed as the object of an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: From this expected Dice on an object is called sure (`docs/method.md`, "How sure it is").
SURE = 0.9


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


def expected_dice(probability: NDArray[np.floating], chosen: NDArray[np.bool_]) -> float:
    """Compute the Dice of an object that is to be expected where the probability of each pixel is right.

    It is so: in the mean over an image's pixels the networks' probabilities are right on images that they have not seen
    (`docs/method.md`, "How sure it is").

    Parameters
    ----------
    probability : numpy.ndarray
        (h, w) from 0 to 1.
    chosen : numpy.ndarray
        (h, w) bool: the object.

    Returns
    -------
    float
        0 to 1; 0 where both are empty.
    """
    common, both = float(probability[chosen].sum()), float(probability.sum() + chosen.sum())
    return 2 * common / both if both else 0.0


def certainty_word(confidence: float) -> str:
    """Say what an expected Dice means for whoever looks at the object.

    Parameters
    ----------
    confidence : float
        From `expected_dice`.

    Returns
    -------
    str
        "sure" from `SURE` on, else "look".
    """
    return "sure" if confidence >= SURE else "look"
