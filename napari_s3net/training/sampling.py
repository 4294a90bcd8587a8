"""Which images of a folder its model is fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")

#: More images than this were not worth the time: `docs/method.md`, "A whole folder".
MOST_IMAGES = 300


def evenly_spaced(items: Sequence[Item]) -> list[Item]:
    """Choose items at even distances.

    Parameters
    ----------
    items : sequence
        Such as the files of a folder.

    Returns
    -------
    list
        All items where there are no more than `MOST_IMAGES`, else that many, the first among them; the order is kept.
    """
    n = min(MOST_IMAGES, len(items))
    return [items[i * len(items) // n] for i in range(n)]
