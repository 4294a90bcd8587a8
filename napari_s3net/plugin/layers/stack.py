"""Several slices of an image layer, or all of them, as one volume that a run reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_s3net.image import Geometry, Image
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.source import Source


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices beside one another, along the axis of the slider; in the plane that is seen.

    Parameters
    ----------
    source : Source
        The plane in view: says which layer, which axes, and which moment of a series.
    first, last : int
        The slices, from 0; both belong to it.
    """

    source: Source
    first: int
    last: int

    @classmethod
    def whole(cls, source: Source) -> Stack:
        """Take all slices of a source.

        Parameters
        ----------
        source : Source
            The plane in view; its layer and the axis of the slider count.

        Returns
        -------
        Stack
            Of one slice, where the source is a single plane.
        """
        return cls(source, 0, source.slices - 1)

    def __len__(self) -> int:
        return self.last - self.first + 1

    def key(self, index: int) -> PlaneKey:
        """Say which plane of the layer a slice is.

        Parameters
        ----------
        index : int
            Of the slice, from 0 for the first one of this stack.

        Returns
        -------
        PlaneKey
            At the same moment of a series.
        """
        return self.source.key.at(self.first + index)

    def read(self) -> Image:
        """Make an image of the slices; a lazy array stays lazy, and is computed slice by slice as it is read.

        Returns
        -------
        Image
            (Z, H, W), or (Z, H, W, 3) without opacity.
        """
        source = self.source
        array = source.key.stack_in(source.data, slice(self.first, self.last + 1))
        if source.rgb:
            array = array[..., :3]
        if array.dtype == bool:
            array = array.astype(np.uint8)
        geometry = source.stack_geometry or Geometry.identity(3)
        if len(self) < source.slices:
            geometry = geometry.part(self.first, self.last, source.slices)
        return Image(array, geometry, source.kind or "grey", source.name)

    def spread(self, labels: NDArray[np.int32]) -> NDArray[np.int32]:
        """Lay labels of the slices out in an array of the layer's shape.

        Parameters
        ----------
        labels : numpy.ndarray
            (Z, H, W) as `read` gives the slices; (H, W) for one.

        Returns
        -------
        numpy.ndarray
            Zero at other slices and moments.
        """
        whole = np.zeros(self.source.shape, labels.dtype)
        if self.source.key.axis is None:
            whole[...] = labels.reshape(self.source.shape)
            return whole
        for n, plane in enumerate(labels.reshape(len(self), *self.source.plane_shape)):
            whole[self.key(n).index] = plane
        return whole
