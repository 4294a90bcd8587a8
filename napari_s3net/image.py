"""The records that all parts of the program hand to each other: image, progress, result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import InvalidImageError, ReadError
from napari_s3net.geometry import Geometry
from napari_s3net.image_kind import Kind, guess_kind, kind_of_grey
from napari_s3net.provenance import ImageFacts, Provenance
from napari_s3net.segments import Code, Colour, Meaning, colour_of_hex, hex_of_colour
from napari_s3net.settings import Settings

__all__ = ["Geometry", "Image", "Kind", "Notice", "Segmentation", "Step", "as_image", "guess_kind", "kind_of_grey"]


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
            (H, W) or (H, W, 3) with 2-D geometry; its array is a view. Along axis 0 it knows where in space it lies.

        Raises
        ------
        InvalidImageError
            If this is a single plane, or there is no such slice: nothing is counted from the end.
        """
        array, geometry = self._counted_along(axis, index)
        plane = geometry.plane(index) if axis == 0 else replace(geometry.plane(0), volume=None)
        return replace(self, array=array[index], geometry=plane)

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
        placed = geometry if whole else geometry.plane(first).volume or geometry
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


@dataclass(frozen=True, eq=False)
class Step:
    """Progress of a run after one iteration.

    Parameters
    ----------
    iteration, total : int
        Iterations done and at most to do.
    losses : mapping of str to float
        Named, already weighted terms; their sum is what was minimised.
    n_labels : int
        Clusters that are still used by at least one pixel.
    preview : numpy.ndarray or None
        (H, W) uint8 labels at the image's size, a copy of its own; only now and then.
    slice, slices : int
        Of a stack: which slice the iteration belongs to, from 0, and how many slices there are.
    """

    iteration: int
    total: int
    losses: Mapping[str, float]
    n_labels: int
    preview: NDArray[np.uint8] | None = None
    slice: int = 0
    slices: int = 1


@dataclass(frozen=True)
class Notice:
    """What a run has to tell its user between two steps: memory ran out, and it begins again from the first iteration.

    Parameters
    ----------
    text : str
        A sentence for the screen.
    """

    text: str


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The result of a run, at the image's size.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W) or (Z, H, W) int32; ids start at 1, 0 is background or unassigned.
    foreground : tuple of int
        The ids that are proposed as the object.
    geometry : Geometry
        That of the image.
    provenance : Provenance
        How it was made.
    names : mapping of int to str
        A short name of each id, for the screen only: "Lesion", "Skin, darker".
    meanings : mapping of int to Meaning
        What each id is; an id that the user has made has none.
    object_name : str
        What the object as a whole is called: "Lesion", "Lung".
    colours : mapping of int to tuple of int
        Red, green and blue, 0 to 255, of each id that has a colour of its own.
    codes : mapping of int to tuple of Code
        Category and type of each id that was given some; those of the others follow from their names.
    state : mapping of str to numpy.ndarray
        The network's weights, by which `uncertainty` asks it again; empty where they were not kept.
    image : Image or None
        What was segmented, not a copy; None where it is not known any more.
    """

    labels: NDArray[np.int32]
    foreground: tuple[int, ...]
    geometry: Geometry
    provenance: Provenance
    names: Mapping[int, str] = field(default_factory=dict)
    meanings: Mapping[int, Meaning] = field(default_factory=dict)
    object_name: str = "Object"
    colours: Mapping[int, Colour] = field(default_factory=dict)
    codes: Mapping[int, tuple[Code, Code]] = field(default_factory=dict)
    state: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    image: Image | None = None

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The object: True wherever the label is one of `foreground`."""
        return np.isin(self.labels, self.foreground)

    @property
    def is_all_object(self) -> bool:
        """Whether every label above 0 counts as the object: in labels made elsewhere, of which no name is known either.

        A result that names its labels and has no `foreground` has no object.
        """
        return not self.foreground and not self.names

    def with_object(self, foreground: Iterable[int]) -> Segmentation:
        """The same with other labels as the object.

        Parameters
        ----------
        foreground : iterable of int
            The object's labels. Where labels have names, one that is new gets that of the object.

        Returns
        -------
        Segmentation
            Labels and everything else as they are.
        """
        foreground = tuple(foreground)
        new = {i: self.object_name for i in foreground if self.names and i not in self.names}
        return replace(self, foreground=foreground, names={**self.names, **new})

    @property
    def settings(self) -> Settings:
        """The settings that were used."""
        return self.provenance.settings

    @property
    def confidence(self) -> float:
        """0 to 1: how far the proposed object can be trusted, estimated without labels."""
        return self.provenance.confidence

    def with_provenance(self, **changes: Any) -> Segmentation:
        """Copy the result with something else in its provenance.

        Parameters
        ----------
        **changes
            Fields of `Provenance` with their new values.

        Returns
        -------
        Segmentation
            It shares the arrays.
        """
        return replace(self, provenance=replace(self.provenance, **changes))

    def metadata(self) -> dict[str, Any]:
        """Convert all but the arrays to plain values: for the JSON beside labels, and for a layer's metadata.

        Returns
        -------
        dict of str to Any
            `Provenance.to_dict`, with "object_name", "foreground", "names", "meanings", "colours" ("#rrggbb") and
            "codes".
        """
        return {
            **self.provenance.to_dict(),
            "object_name": self.object_name,
            "foreground": [int(i) for i in self.foreground],
            "names": {int(i): str(name) for i, name in self.names.items()},
            "meanings": {int(i): list(meaning) for i, meaning in self.meanings.items()},
            "colours": {int(i): hex_of_colour(colour) for i, colour in self.colours.items()},
            "codes": {int(i): [list(code) for code in codes] for i, codes in self.codes.items()},
        }

    @classmethod
    def from_metadata(cls, labels: NDArray[np.int32], geometry: Geometry, values: Any, **arrays: Any) -> Segmentation:
        """Put labels and what `metadata` gave together again.

        Parameters
        ----------
        labels : numpy.ndarray
            (H, W) or (Z, H, W) int32.
        geometry : Geometry
            That of the image.
        values : mapping
            As from `metadata`, also after a way through JSON; that of earlier versions may lack some of it.
        **arrays
            `state` and `image`, where they are known.

        Returns
        -------
        Segmentation
            Equal to the one that `metadata` was called on, but for arrays that were not given.

        Raises
        ------
        ReadError, InvalidSettingsError
            If the values are no metadata of a result; see `Provenance.from_dict`.
        """
        provenance = Provenance.from_dict(values)
        names, meanings, colours, codes = (values.get(key, {}) for key in ("names", "meanings", "colours", "codes"))
        try:
            return cls(
                labels=labels,
                foreground=tuple(int(i) for i in values.get("foreground", ())),
                geometry=geometry,
                provenance=provenance,
                names={int(i): str(name) for i, name in names.items()},
                meanings={int(i): Meaning(*meaning) for i, meaning in meanings.items()},
                object_name=str(values.get("object_name", "Object")),
                colours={int(i): colour_of_hex(colour) for i, colour in colours.items()},
                codes={int(i): (Code(*category), Code(*kind)) for i, (category, kind) in codes.items()},
                **arrays,
            )
        except (AttributeError, TypeError, ValueError) as error:
            raise ReadError(
                f"Expected foreground, names, meanings, colours and codes of the labels by their numbers: {error}."
            ) from None
