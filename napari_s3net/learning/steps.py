"""How far reading and learning have come; without torch, which a window that shows it would wait for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ReadStep:
    """How many of the images are read.

    Attributes
    ----------
    done, total : int
        Images.
    """

    done: int
    total: int


@dataclass(frozen=True)
class LearnStep:
    """Where learning has come to.

    Attributes
    ----------
    iteration, total : int
        Updates done and to do.
    losses : dict of str to float
        The weighted terms, means over the iterations since the last step.
    validation : float or None
        Mean Dice of the classes on the images set aside, as it was last measured; None where there are none.
    network : torch.nn.Module
        As it is now; it goes on changing.
    closer : torch.nn.Module or None
        The one that learns to look closer, as it is now; the network is the first one then, and stays.
    """

    iteration: int
    total: int
    losses: dict[str, float]
    validation: float | None
    network: Any = field(repr=False, compare=False)
    closer: Any = field(default=None, repr=False, compare=False)
