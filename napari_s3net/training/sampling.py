"""Which images of a folder its model is fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")

#: More images than this were not worth the time: `docs/method.md`, "A whole folder".
MOST_IMAGES = 300


def evenly_spaced(items: Sequence[Item], most: int = MOST_IMAGES) -> list[Item]:
    """Choose items at even distances.

    Parameters
    ----------
    items : sequence
        Such as the files of a folder.
    most : int
        How many to choose at most.

    Returns
    -------
    list
        All items where there are no more than `most`, else that many, the first among them; the order is kept.
    """
    n = min(most, len(items))
    return [items[i * len(items) // n] for i in range(n)]
