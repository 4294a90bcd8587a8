"""The last run on each plane of a label layer: the network's weights, and the labels that "Revert" goes back to.

Not in the layer's metadata, which napari copies and writers see. It goes when the layer goes.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray

from napari_s3net.plugin.layers.plane_key import PlaneKey


@dataclass(frozen=True, eq=False)
class CachedRun:
    """The last run on one plane.

    Parameters
    ----------
    state : mapping of str to numpy.ndarray
        The network's weights; empty for labels made elsewhere.
    packed : bytes
        The labels, compressed by zlib.
    shape : tuple of int
        Rows and columns of the plane.
    dtype : numpy.dtype
        Of the labels.
    """

    state: Mapping[str, NDArray[Any]]
    packed: bytes
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def labels(self) -> NDArray[Any]:
        """As the run made them, (H, W)."""
        return np.frombuffer(zlib.decompress(self.packed), self.dtype).reshape(self.shape)


_runs: WeakKeyDictionary[Labels, dict[PlaneKey, CachedRun]] = WeakKeyDictionary()


def cache_run(layer: Labels, key: PlaneKey, state: Mapping[str, NDArray[Any]]) -> None:
    """After a run on a plane: keep its labels as they are in the layer, and the network's weights.

    Parameters
    ----------
    layer : napari.layers.Labels
        Holds the labels; what is kept goes when the layer goes.
    key : PlaneKey
        The plane.
    state : mapping of str to numpy.ndarray
        The network's weights; empty where there are none.
    """
    labels = np.ascontiguousarray(layer.data[key.index])
    packed = zlib.compress(labels.data, 1)
    _runs.setdefault(layer, {})[key] = CachedRun(state, packed, labels.shape, labels.dtype)


def cached_run(layer: Labels, key: PlaneKey) -> CachedRun | None:
    """The last run on a plane.

    Parameters
    ----------
    layer : napari.layers.Labels
        The labels.
    key : PlaneKey
        The plane.

    Returns
    -------
    CachedRun or None
        None where there was none, or where the layer has got data of another shape since.
    """
    run = _runs.get(layer, {}).get(key)
    fits = run is not None and len(key.steps) == layer.ndim and run.shape == key.shape_in(layer.data.shape)
    return run if fits else None
