"""What a step of learning takes at the small size: the figures of docs/learning.md, "Time and memory"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """Measured on one core of a busy machine, on 16 colour planes.

    Attributes
    ----------
    seconds : float
        Of a step.
    megabytes : int
        That the process takes.
    """

    seconds: float
    megabytes: int


#: By method, as in `LearnSettings`.
EFFORTS: Mapping[str, Effort] = {
    "plain": Effort(0.9, 520),
    "self-training": Effort(1.8, 620),
    "ideal": Effort(2.7, 900),
    "kaf": Effort(2.1, 760),
}
