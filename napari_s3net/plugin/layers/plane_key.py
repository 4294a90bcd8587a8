"""Which plane of a layer: the key under which its result, locks, strokes, weights and earlier labels are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Index = tuple[int | slice, ...]


@dataclass(frozen=True)
class PlaneKey:
    """A plane of an array with two or more axes. Equal keys mean the very same pixels.

    A view that is rolled shows another plane; one that is transposed shows the same plane.

    Parameters
    ----------
    steps : tuple of (int or None)
        The position along each axis of the array, from 0; None along the plane's own two axes.
    """

    steps: tuple[int | None, ...]

    @property
    def index(self) -> Index:
        """The plane in an array: numbers, and two full slices."""
        return tuple(slice(None) if step is None else step for step in self.steps)

    @property
    def axes(self) -> tuple[int, int]:
        """The plane's axes of rows and columns."""
        rows, columns = (axis for axis, step in enumerate(self.steps) if step is None)
        return rows, columns

    @property
    def other_axes(self) -> tuple[int, ...]:
        """The axes along which planes are counted; the last of them is that of the slices."""
        return tuple(axis for axis, step in enumerate(self.steps) if step is not None)

    @property
    def axis(self) -> int | None:
        """The axis along which the slices lie; None for a single plane."""
        return self.other_axes[-1] if self.other_axes else None

    @property
    def position(self) -> int | None:
        """Number of the slice along that axis; None for a single plane."""
        return None if self.axis is None else self.steps[self.axis]

    @property
    def time(self) -> int | None:
        """Number along the axis before that of the slices, as of the moments of a series; None where there is none."""
        return self.steps[self.other_axes[-2]] if len(self.other_axes) > 1 else None

    def shape_in(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """The size of the plane in an array of this shape.

        Parameters
        ----------
        shape : tuple of int
            All axes of the array.

        Returns
        -------
        rows, columns : int
            In pixels.
        """
        rows, columns = self.axes
        return shape[rows], shape[columns]

    def slices_in(self, shape: tuple[int, ...]) -> int:
        """Count the slices of the stack that the plane belongs to.

        Parameters
        ----------
        shape : tuple of int
            All axes of the array.

        Returns
        -------
        int
            1 for a single plane.
        """
        return 1 if self.axis is None else shape[self.axis]

    def beside(self, shape: tuple[int, ...]) -> list[PlaneKey]:
        """The neighbouring slices in an array of this shape.

        Parameters
        ----------
        shape : tuple of int
            All axes of the array.

        Returns
        -------
        list of PlaneKey
            The one before and the one behind, as far as they exist; empty for a single plane.
        """
        if self.axis is None or self.position is None:
            return []
        inside = [n for n in (self.position - 1, self.position + 1) if 0 <= n < shape[self.axis]]
        return [self.at(n) for n in inside]

    def stack_in(self, array: NDArray[Any], slices: slice = slice(None)) -> NDArray[Any]:
        """Take the stack that the plane belongs to out of an array: its slices first.

        Parameters
        ----------
        array : numpy.ndarray
            Of the layer's shape, with or without colours; a lazy one stays lazy.
        slices : slice, optional
            Which of them.

        Returns
        -------
        numpy.ndarray
            (Z, H, W), a view; (1, H, W) of a single plane.
        """
        axis = self.axis
        if axis is None:
            return array[np.newaxis]
        index = tuple(slices if at == axis else step for at, step in enumerate(self.index))
        return np.moveaxis(array[index], sum(isinstance(step, slice) for step in index[:axis]), 0)

    def at(self, position: int) -> PlaneKey:
        """Another slice of the same stack, by its number from 0.

        Parameters
        ----------
        position : int
            Number of the slice along the axis of the slider.

        Returns
        -------
        PlaneKey
            At the same moment of a time series.
        """
        steps = (position if axis == self.axis else step for axis, step in enumerate(self.steps))
        return replace(self, steps=tuple(steps))


def key_in_view(layer: Any, shape: Sequence[int], point: Sequence[float], displayed: Sequence[int]) -> PlaneKey:
    """Find the plane of a layer that is in view.

    Parameters
    ----------
    layer : napari.layers.Layer
        An image or labels, of two or more dimensions.
    shape : sequence of int
        Of its data at the level that is used, without colours.
    point : sequence of float
        Where the viewer's sliders stand, in world coordinates.
    displayed : sequence of int
        The viewer's two axes in view, the last ones of its order. They are counted from the end in the layer.

    Returns
    -------
    PlaneKey
        Where the layer lacks an axis in view, the plane of its last two axes.
    """
    axes = sorted(layer.ndim - len(point) + axis for axis in displayed)
    if axes[0] < 0:
        axes = [layer.ndim - 2, layer.ndim - 1]
    full = np.array(layer.level_shapes[0] if layer.multiscale else shape)[: layer.ndim]
    here = np.asarray(layer.world_to_data(tuple(point))) * np.array(shape) / full
    steps = np.clip(np.round(here), 0, np.array(shape) - 1).astype(int)
    return PlaneKey(tuple(None if axis in axes else int(steps[axis]) for axis in range(layer.ndim)))
