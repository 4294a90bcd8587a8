"""An image as it was opened, whatever file or array it came from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import InvalidImageError
from napari_s3net.geometry import Geometry
from napari_s3net.image_kind import Kind, guess_kind, kind_of_grey
from napari_s3net.provenance import ImageFacts

__all__ = ["Geometry", "Image", "Kind", "as_image", "guess_kind", "kind_of_grey"]


@dataclass(frozen=True, eq=False)
class Image:
    """An image as it was opened.

    Parameters
    ----------
    array : numpy.ndarray
        (H, W) or (Z, H, W) intensities, or (H, W, 3) or (Z, H, W, 3) colours when `kind` is "rgb".
        CT is in Hounsfield units.
    geometry : Geometry
        Spacing, origin and direction; 2-D for one plane, 3-D for a stack.
    kind : {"rgb", "ct", "mr", "grey"}
        What the values mean.
    name : str
        A short name for the screen: the file's stem. Never a patient's name.
    times : int
        How many volumes the file holds of which this is one, as of a beating heart; 1 where it is the only one.
    """

    array: NDArray[Any]
    geometry: Geometry
    kind: Kind
    name: str = "image"
    times: int = 1

    def __post_init__(self) -> None:
        ndim = self.array.ndim - (self.kind == "rgb")
        if ndim not in (2, 3) or (self.kind == "rgb" and self.array.shape[-1] != 3):
            raise InvalidImageError(
                "Expected (H, W), (Z, H, W), or colours in a last axis of 3; "
                f"got shape {self.array.shape} as {self.kind}."
            )
        if self.geometry.ndim != ndim:
            raise InvalidImageError(f"The geometry has {self.geometry.ndim} axes, the image {ndim}.")

    @property
    def is_stack(self) -> bool:
        """Whether there is a slice axis."""
        return self.geometry.ndim == 3

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape without the colour axis; that of a label array for this image."""
        return self.array.shape[: self.geometry.ndim]

    @property
    def facts(self) -> ImageFacts:
        """Kind, shape and spacing, for the record of how a result was made."""
        return ImageFacts(kind=self.kind, shape=self.shape, spacing=self.geometry.spacing, unit=self.geometry.unit)

    def slice(self, index: int, axis: int = 0) -> Image:
        """Return one plane of a stack as an image of its own.

        Parameters
        ----------
        index : int
            Which plane along the axis, from 0.
        axis : int
            0, 1 or 2.

        Returns
        -------
        Image
            (H, W) or (H, W, 3) with 2-D geometry, which knows where in space it lies; its array is a view.

        Raises
        ------
        InvalidImageError
            If this is a single plane, or there is no such slice: nothing is counted from the end.
        """
        array, geometry = self._counted_along(axis, index)
        return replace(self, array=array[index], geometry=geometry.plane(index, len(array)))

    def slices(self, first: int, last: int, axis: int = 0) -> Image:
        """Return some slices of a stack as a stack of its own.

        Parameters
        ----------
        first, last : int
            From 0; both belong to it.
        axis : int
            0, 1 or 2: along which the slices are counted.

        Returns
        -------
        Image
            (last - first + 1, H, W[, 3]), a view: that axis first, the others in their order.

        Raises
        ------
        InvalidImageError
            If this is a single plane, or there are no such slices: nothing is counted from the end.
        """
        array, geometry = self._counted_along(axis, first, last)
        if first > last:
            raise InvalidImageError(f"Slices {first} to {last} are none: the first one comes after the last one.")
        whole = last - first + 1 == len(array)
        placed = geometry if whole else geometry.part(first, last, len(array))
        return replace(self, array=array[first : last + 1], geometry=placed)

    def _counted_along(self, axis: int, *asked: int) -> tuple[NDArray[Any], Geometry]:
        """The stack with its slices along an axis, that axis first; each slice that is asked for is there."""
        if not self.is_stack:
            raise InvalidImageError(f"There is no slice {asked[0]}: the image is a single plane.")
        if axis not in (0, 1, 2):
            raise InvalidImageError(f"Slices are counted along axis 0, 1 or 2; got {axis}.")
        array = self.array if axis == 0 else np.moveaxis(self.array, axis, 0)
        for index in asked:
            if not 0 <= index < len(array):
                raise InvalidImageError(f"There is no slice {index}: the image has slices 0 to {len(array) - 1}.")
        return array, self.geometry.along(axis)


def as_image(array: NDArray[Any] | Image, *, kind: Kind | None = None, name: str = "image") -> Image:
    """Wrap a plain array; an `Image` is passed through.

    Parameters
    ----------
    array : numpy.ndarray or Image
        (H, W), (H, W, 3), (H, W, 4: alpha is dropped) or (Z, H, W).
    kind : str, optional
        What the values mean; guessed from shape and values when left out.
    name : str
        A short name for the screen.

    Returns
    -------
    Image
        Without a spacing: the unit of its geometry is the pixel.

    Raises
    ------
    InvalidImageError
        If the array has another shape, or not that of its kind.
    """
    if isinstance(array, Image):
        return array
    array = np.asarray(array)
    if kind is None:
        kind = guess_kind(array)
    if kind == "rgb":
        array = array[..., :3]
    return Image(array, Geometry.identity(array.ndim - (kind == "rgb")), kind, name)


def size_text(shape: tuple[int, ...]) -> str:
    """Say how large an image or a volume is, in the order in which the docks do.

    Parameters
    ----------
    shape : tuple of int
        (H, W) or (Z, H, W).

    Returns
    -------
    str
        "600 × 450 pixels", the width first, or "79 slices of 512 × 512 pixels".
    """
    plane = f"{shape[-1]} × {shape[-2]} pixels"
    return plane if len(shape) == 2 else f"{shape[0]} slice{'s' if shape[0] != 1 else ''} of {plane}"
