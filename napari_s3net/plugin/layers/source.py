"""What of an image layer is segmented: the plane in view, as a frozen snapshot that the worker thread can read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_s3net.image import Geometry, Image, Kind, guess_kind
from napari_s3net.plugin.layers.file_of import file_of
from napari_s3net.plugin.layers.placement import KEY, Placement, placement_of, transform_of
from napari_s3net.plugin.layers.plane_key import Index, PlaneKey, key_in_view
from napari_s3net.preprocessing.suggest import suggest_preset
from napari_s3net.provenance import PROGRAM

#: A multiscale image is segmented at its finest level with planes of at most this many pixels.
MAX_PIXELS = 4096**2
KINDS = {"rgb": "RGB", "ct": "CT in HU", "mr": "MR", "grey": "grey"}
REASONS = {"rgb": "RGB photograph", "ct": "Hounsfield units", "mr": "MR image", "grey": "grey image"}


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where the pixels of an image layer can be had again; without a file or a sample only from the layer.

    Parameters
    ----------
    path : str or None
        The file, where this program has read it.
    sample : str
        The key of our sample.
    given : Geometry or None
        What the user has said of the size of its pixels, which its file does not know.
    level : int or None
        Which level of a multiscale layer is used; None of a layer that is not.
    """

    path: str | None = None
    sample: str = ""
    given: Geometry | None = None
    level: int | None = None


@dataclass(frozen=True, eq=False)
class Source:
    """One plane of an image layer.

    Parameters
    ----------
    name : str
        Of the layer.
    data : array-like
        The layer's data at the level that is used; numpy, dask or another lazy array. Not a copy.
    shape : tuple of int
        Of a label array for the whole layer.
    key : PlaneKey
        The plane in an array of that shape.
    rgb : bool
        Whether `data` has a last axis of colours.
    kind : str or None
        What the values mean; None where only the values can tell.
    geometry : Geometry
        Of the plane.
    path : str or None
        The file that the layer was opened from.
    problem : str
        What of the layer's transform cannot be honoured; empty where all of it is.
    stack_geometry : Geometry or None
        Of all slices along the slider's axis, that axis first; None for a single plane.
    origin : Origin
        Where the pixels can be had again.
    """

    name: str
    data: Any
    shape: tuple[int, ...]
    key: PlaneKey
    rgb: bool
    kind: Kind | None
    geometry: Geometry
    path: str | None = None
    problem: str = ""
    stack_geometry: Geometry | None = None
    origin: Origin = Origin()

    @property
    def index(self) -> Index:
        """The plane in an array of the layer's shape."""
        return self.key.index

    @property
    def plane_shape(self) -> tuple[int, int]:
        """Rows and columns of the plane."""
        return self.key.shape_in(self.shape)

    @property
    def position(self) -> int | None:
        """Number of the slice in a stack, from 0; None for a single plane."""
        return self.key.position

    @property
    def slices(self) -> int:
        """How many slices the stack has; 1 for a single plane."""
        return self.key.slices_in(self.shape)

    def read(self) -> Image:
        """Take the plane out of the layer's data; a lazy array is computed here.

        Returns
        -------
        Image
            (H, W), or (H, W, 3) without opacity. What its values mean is guessed where `kind` is None.
        """
        plane = np.asarray(self.data[self.index])
        if plane.dtype == bool:
            plane = plane.astype(np.uint8)
        if self.rgb:
            plane = plane[..., :3]
        return Image(plane, self.geometry, self.kind or guess_kind(plane), self.name)


def source_of(layer: Any, point: Sequence[float], displayed: Sequence[int]) -> Source:
    """Describe the plane of an image layer that is in view.

    Parameters
    ----------
    layer : napari.layers.Image
        Of two or more dimensions.
    point : sequence of float
        Where the viewer's sliders stand, in world coordinates.
    displayed : sequence of int
        The viewer's two axes in view, the last ones of its order. They are counted from the end in the layer.

    Returns
    -------
    Source
        A snapshot; no pixel is read. Where the layer lacks an axis in view, the plane of its last two axes.
    """
    data, shape = finest_level(layer)
    key = key_in_view(layer, shape, point, displayed)
    placement = layer_placement(layer, shape)
    return Source(
        name=layer.name,
        data=data,
        shape=shape,
        key=key,
        rgb=bool(layer.rgb),
        kind="rgb" if layer.rgb else layer.metadata.get(KEY, {}).get("kind"),
        geometry=_plane_geometry(placement.geometry, key, shape),
        path=None if (file := file_of(layer)) is None else str(file),
        problem=placement.problem,
        stack_geometry=_stack_geometry(placement.geometry, key),
        origin=_origin(layer, shape, placement.geometry),
    )


def finest_level(layer: Any) -> tuple[Any, tuple[int, ...]]:
    """The data that is used of a layer: of a multiscale one, the finest level of planes with at most 4096² pixels.

    Parameters
    ----------
    layer : napari.layers.Layer
        An image or labels.

    Returns
    -------
    data : array-like
        Not a copy; the coarsest level where all are too large.
    shape : tuple of int
        Without colours.
    """
    levels = list(layer.data) if layer.multiscale else [layer.data]
    shapes = [tuple(int(n) for n in level.shape[: layer.ndim]) for level in levels]
    fits = [i for i, shape in enumerate(shapes) if shape[-1] * shape[-2] <= MAX_PIXELS]
    chosen = fits[0] if fits else len(levels) - 1
    return levels[chosen], shapes[chosen]


def level_scale(layer: Any, shape: Sequence[int]) -> tuple[float, ...]:
    """The scale of an array that lies on a layer and may be one of its coarser levels.

    Parameters
    ----------
    layer : napari.layers.Layer
        Whose scale it is.
    shape : sequence of int
        Of the array, without colours.

    Returns
    -------
    tuple of float
        World units a pixel along each axis.
    """
    full = layer.level_shapes[0] if layer.multiscale else shape
    return tuple(float(s) * int(n) / int(m) for s, n, m in zip(layer.scale, full, shape, strict=False))


def layer_placement(layer: Any, shape: Sequence[int]) -> Placement:
    """Where an array of a layer lies; see `placement_of`.

    Parameters
    ----------
    layer : napari.layers.Image
        The image layer.
    shape : sequence of int
        Of the array, which may be one of the layer's coarser levels; without colours.

    Returns
    -------
    Placement
        Geometry, and what of the layer's transform cannot be honoured.
    """
    full = layer.level_shapes[0] if layer.multiscale else None
    return placement_of({**transform_of(layer), "metadata": layer.metadata}, shape, full)


def inspect_source(source: Source) -> tuple[Source, str, str]:
    """Settle what the values of an image mean, and name the preset that suits it; of a stack by its middle slice.

    A plane is read only where its values decide: not for colours and MR.

    Parameters
    ----------
    source : Source
        The plane in view.

    Returns
    -------
    source : Source
        With its kind.
    preset : str
        The preset's name.
    reason : str
        Why it was chosen, for the screen: "RGB photograph".
    """
    if source.kind in ("rgb", "mr"):
        empty = np.zeros((1, 1, 3) if source.kind == "rgb" else (1, 1))
        image = Image(empty, Geometry.identity(2), source.kind)
    else:
        middle = None if source.position is None else source.slices // 2
        image = (source if middle is None else replace(source, key=source.key.at(middle))).read()
        if source.position is not None:
            plane = image.geometry
            stack = replace(Geometry.identity(3), spacing=(1.0, *plane.spacing), unit=plane.unit)
            image = Image(image.array[np.newaxis], stack, image.kind)
    return replace(source, kind=image.kind), suggest_preset(image), REASONS[image.kind]


def describe_source(source: Source) -> str:
    """Describe a source in one line for the screen; slices are counted as napari's slider does.

    Parameters
    ----------
    source : Source
        The plane in view.

    Returns
    -------
    str
        "768 × 560, RGB" or "slice 12 of 0–39 · 512 × 512, CT in HU, 0.7 mm a pixel", and the problem with its place.
    """
    rows, columns = source.plane_shape
    words = [f"{columns} × {rows}", KINDS[source.kind or "grey"]]
    if source.geometry.unit == "mm":
        words.append(" × ".join(dict.fromkeys(f"{s:.3g}" for s in source.geometry.spacing[::-1])) + " mm a pixel")
    places = [
        f"{'slice' if axis == source.key.axis else 'time'} {source.key.steps[axis] or 0} of 0–{source.shape[axis] - 1}"
        for axis in source.key.other_axes
    ]
    return " · ".join([*places, ", ".join(words), *([source.problem] if source.problem else [])])


def thickness_text(source: Source) -> tuple[str, str]:
    """Say how far apart the slices of a stack lie, and where the one in view lies.

    Parameters
    ----------
    source : Source
        The plane in view.

    Returns
    -------
    apart, place : str
        "2.5 mm apart" and "at 37.5 mm"; empty where that is not known.
    """
    geometry = source.stack_geometry
    if geometry is None or geometry.unit != "mm":
        return "", ""
    step = geometry.spacing[0]
    return f"{step:.3g} mm apart", f"at {step * (source.position or 0):.1f} mm"


def _origin(layer: Any, shape: tuple[int, ...], geometry: Geometry) -> Origin:
    """Where a layer's pixels came from; from the layer where another program has read the file, maybe otherwise."""
    came, file, known = layer.source, file_of(layer), layer.metadata.get(KEY, {})
    if layer.multiscale:
        return Origin(level=next(n for n, level in enumerate(layer.data) if level.shape[: layer.ndim] == shape))
    if came.sample is not None and came.sample[0] == PROGRAM:
        return Origin(sample=came.sample[1])
    if file is None or came.reader_plugin != PROGRAM:
        return Origin()
    is_given = known.get("has_given_size", False) or geometry != known.get("geometry")
    return Origin(path=str(file), given=geometry if is_given else None)


def _plane_geometry(geometry: Geometry, key: PlaneKey, shape: tuple[int, ...]) -> Geometry:
    """Geometry of a plane; a slice of a volume remembers where it lies. Without millimetres a pixel is 1 by 1.

    The geometry is that of the layer's last three axes; a plane along any other is in pixels.
    """
    if geometry.unit != "mm":
        geometry = replace(Geometry.identity(geometry.ndim), noted=geometry.noted)
    if geometry.ndim == 2:
        return geometry
    skipped = len(key.steps) - geometry.ndim
    axes = [axis - skipped for axis in key.axes]
    if axes[0] < 0:
        return Geometry.identity(2)
    if key.axis is not None and key.position is not None and key.axis >= skipped:
        return geometry.along(key.axis - skipped).plane(key.position, shape[key.axis])
    return replace(Geometry.identity(2), spacing=tuple(geometry.spacing[axis] for axis in axes), unit=geometry.unit)


def _stack_geometry(geometry: Geometry, key: PlaneKey) -> Geometry | None:
    """Geometry of the slices along the slider's axis; where they are no planes of a volume, they have but a spacing."""
    if key.axis is None:
        return None
    skipped = len(key.steps) - geometry.ndim
    if geometry.unit != "mm" or min(key.axis, *key.axes) < skipped:
        return Geometry.identity(3)
    return geometry.along(key.axis - skipped)
