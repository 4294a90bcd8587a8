"""Numbers drawn at random, one after another: the same seed and the same order, the same numbers."""

from __future__ import annotations

import math

import numpy as np


class Draw:
    """A source of random numbers as plain Python values.

    Parameters
    ----------
    *seed : int
        The same seed gives the same numbers.

    Attributes
    ----------
    rng : numpy.random.Generator
        For what has no method here.
    """

    def __init__(self, *seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def between(self, low: float, high: float) -> float:
        """Draw a number, spread evenly from `low` to `high`.

        Parameters
        ----------
        low, high : float
            The limits.

        Returns
        -------
        float
            The number.
        """
        return float(self.rng.uniform(low, high))

    def log_between(self, low: float, high: float) -> float:
        """Draw a number whose logarithm is spread evenly.

        Parameters
        ----------
        low, high : float
            The limits, above 0.

        Returns
        -------
        float
            The number.
        """
        return math.exp(self.between(math.log(low), math.log(high)))

    def whole(self, low: int, high: int) -> int:
        """Draw a whole number from `low` to below `high`.

        Parameters
        ----------
        low, high : int
            The least, and the first that is too large.

        Returns
        -------
        int
            The number.
        """
        return int(self.rng.integers(low, high))

    def often(self, share: float) -> bool:
        """Draw whether something is so; true for this share of all draws.

        Parameters
        ----------
        share : float
            From 0 to 1.

        Returns
        -------
        bool
            Whether it is so.
        """
        return bool(self.rng.random() < share)

    def one_of(self, shares: tuple[float, ...]) -> int:
        """Draw one of several things, by its index; the shares add up to 1.

        Parameters
        ----------
        shares : tuple of float
            How often each is drawn.

        Returns
        -------
        int
            From 0 to below their number.
        """
        return int(self.rng.choice(len(shares), p=shares))
