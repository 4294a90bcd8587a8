"""Which images of a folder its model is fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")

#: More images than this teach a folder's model nothing new.
MOST_IMAGES = 300


def to_fit_on(items: Sequence[Item], most: int = MOST_IMAGES) -> list[Item]:
    """All of them or, where there are more, so many that lie evenly spaced."""
    n = min(most, len(items))
    return [items[i * len(items) // n] for i in range(n)]
