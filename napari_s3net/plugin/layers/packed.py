"""A plane of labels, compressed: for going back to it, at a small part of its memory."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class PackedPlane:
    """Labels of one plane. Numpy takes it where it takes an array, and unpacks it then.

    Parameters
    ----------
    packed : bytes
        The labels, compressed by zlib.
    shape : tuple of int
        Rows and columns.
    dtype : numpy.dtype
        Of the labels.
    check_sum : int
        Of the labels, as `check_sum` computes it.
    """

    packed: bytes
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    check_sum: int

    @classmethod
    def of(cls, plane: NDArray[Any]) -> PackedPlane:
        """Pack a plane.

        Parameters
        ----------
        plane : numpy.ndarray
            (H, W), the labels.

        Returns
        -------
        PackedPlane
            Knows nothing of later changes of `plane`.
        """
        content = np.ascontiguousarray(plane).data
        return cls(zlib.compress(content, 1), plane.shape, plane.dtype, zlib.crc32(content))

    @property
    def labels(self) -> NDArray[Any]:
        """The labels, (H, W); read-only."""
        return np.frombuffer(zlib.decompress(self.packed), self.dtype).reshape(self.shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.labels, dtype)


def check_sum(plane: NDArray[Any]) -> int:
    """Compute a number by which changed labels are noticed.

    Parameters
    ----------
    plane : numpy.ndarray
        (H, W) labels.

    Returns
    -------
    int
        The CRC-32 of the pixels' bytes: equal for equal labels, and very likely different for others.
    """
    return zlib.crc32(np.ascontiguousarray(plane).data)
