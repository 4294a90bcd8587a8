"""What is kept of the last run beside a label layer: the network's weights, and the labels to go back to.

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


@dataclass(frozen=True, eq=False)
class CachedRun:
    """Of one plane: weights, and compressed labels."""

    state: Mapping[str, NDArray[Any]]
    packed: bytes
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def labels(self) -> NDArray[Any]:
        """As the run made them."""
        return np.frombuffer(zlib.decompress(self.packed), self.dtype).reshape(self.shape)


_kept: WeakKeyDictionary[Labels, dict[int | None, CachedRun]] = WeakKeyDictionary()


def cache_run(layer: Labels, position: int | None, labels: NDArray[Any], state: Mapping[str, NDArray[Any]]) -> None:
    """After a run on a plane: its position in the stack, its labels, and the network's weights."""
    packed = zlib.compress(np.ascontiguousarray(labels).tobytes(), 1)
    _kept.setdefault(layer, {})[position] = CachedRun(state, packed, labels.shape, labels.dtype)


def cached_run(layer: Labels, position: int | None) -> CachedRun | None:
    """What is kept of a plane."""
    return _kept.get(layer, {}).get(position)
