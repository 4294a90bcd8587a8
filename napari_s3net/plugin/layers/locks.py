"""What must not change of a label layer: locked labels, and locked parts. Kept beside the layer, and goes with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray

from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.renewal import PerLayer


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
        """Lock labels; unlock them if all of them are locked.

        Parameters
        ----------
        ids : iterable of int
            The labels.
        """
        chosen = set(ids)
        self.labels = self.labels - chosen if chosen <= self.labels else self.labels | chosen

    def toggle_part(self, shape: tuple[int, ...], key: PlaneKey, part: NDArray[np.bool_]) -> bool:
        """Lock part of a plane as it is; unlock it where all of it is locked.

        Parameters
        ----------
        shape : tuple of int
            Of the layer.
        key : PlaneKey
            The plane.
        part : numpy.ndarray
            (H, W) bool, the pixels.

        Returns
        -------
        bool
            Whether the part is locked now.
        """
        if self.held is None or self.held.shape != shape:
            self.held = np.zeros(shape, bool)
        locked = not self.held[key.index][part].all()
        self.held[key.index][part] = locked
        return locked

    def in_plane(self, key: PlaneKey) -> NDArray[np.bool_] | None:
        """The locked pixels of a plane.

        Parameters
        ----------
        key : PlaneKey
            The plane.

        Returns
        -------
        numpy.ndarray or None
            (H, W) bool, a copy; None where no pixel is locked.
        """
        if self.held is None or self.held.ndim != len(key.steps) or not self.held[key.index].any():
            return None
        return self.held[key.index].copy()

    def guarded(self, key: PlaneKey, before: NDArray[Any], after: NDArray[Any]) -> NDArray[Any]:
        """Give locked pixels back what they had before a tool.

        Parameters
        ----------
        key : PlaneKey
            The plane.
        before, after : numpy.ndarray
            (H, W), its labels before and after the tool.

        Returns
        -------
        numpy.ndarray
            (H, W): `after`, with locked pixels from `before`.
        """
        held = self.in_plane(key)
        return after if held is None or held.shape != after.shape else np.where(held, before, after)


_locks: PerLayer[Labels, Locks] = PerLayer()


def locks_of(layer: Labels) -> Locks:
    """The locks of a layer, to look at and to change; without any at first.

    Parameters
    ----------
    layer : napari.layers.Labels
        The labels.

    Returns
    -------
    Locks
        The same object at each call, as long as the layer is there.
    """
    return _locks.setdefault(layer, Locks())
