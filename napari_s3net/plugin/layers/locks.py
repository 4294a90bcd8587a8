"""What must not change of a label layer: locked labels, and locked parts. Kept beside the layer, and goes with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray

from napari_s3net.plugin.layers.source import Index


@dataclass(eq=False)
class Locks:
    """Of one layer.

    Parameters
    ----------
    labels : set of int
        Labels that stay as they are wherever they lie.
    held : numpy.ndarray or None
        Pixels that stay as they are, bool, of the layer's shape; None where no part was ever locked.
    """

    labels: set[int] = field(default_factory=set)
    held: NDArray[np.bool_] | None = None

    def toggle_labels(self, ids: Iterable[int]) -> None:
        """Lock labels; open them if all are locked."""
        chosen = set(ids)
        self.labels = self.labels - chosen if chosen <= self.labels else self.labels | chosen

    def toggle_part(self, shape: tuple[int, ...], index: Index, part: NDArray[np.bool_]) -> bool:
        """Lock a part (H, W) of the plane at `index` as it is, or open it; whether it is locked now."""
        if self.held is None:
            self.held = np.zeros(shape, bool)
        now = not self.held[index][part].all()
        self.held[index][part] = now
        return now

    def in_plane(self, index: Index) -> NDArray[np.bool_] | None:
        """Locked pixels (H, W) of a plane; None where there are none."""
        if self.held is None or not self.held[index].any():
            return None
        return self.held[index].copy()

    def guarded(self, index: Index, before: NDArray[Any], after: NDArray[Any]) -> NDArray[Any]:
        """Labels of a plane after a tool, with locked parts as they were before it."""
        held = self.in_plane(index)
        return after if held is None else np.where(held, before, after)


_locks: WeakKeyDictionary[Labels, Locks] = WeakKeyDictionary()


def locks_of(layer: Labels) -> Locks:
    """The locks of a layer, to look at and to change."""
    return _locks.setdefault(layer, Locks())
