"""What of an image layer is segmented: the plane in view, as a frozen snapshot that the worker thread can read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pint

from napari_s3net.image import Geometry, Image, Kind, guess_kind
from napari_s3net.preprocessing.suggest import suggest_preset

#: A multiscale image is segmented at its finest level with planes of at most this many pixels.
MAX_PIXELS = 4096**2
#: Where everything of ours is kept in a layer's metadata.
KEY = "napari_s3net"
KINDS = {"rgb": "RGB", "ct": "CT in HU", "mr": "MR", "grey": "grey"}
REASONS = {"rgb": "RGB photograph", "ct": "Hounsfield units", "mr": "MR image", "grey": "grey image"}

Index = tuple[int | slice, ...]


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
    index : tuple of int and slice
        The plane in an array of that shape: numbers, and two full slices.
    rgb : bool
        Whether `data` has a last axis of colours.
    kind : str or None
        What the values mean; None where only the values can tell.
    geometry : Geometry
        Of the plane.
    path : str or None
        The file that the layer was opened from.
    """

    name: str
    data: Any
    shape: tuple[int, ...]
    index: Index
    rgb: bool
    kind: Kind | None
    geometry: Geometry
    path: str | None = None

    @property
    def plane_shape(self) -> tuple[int, int]:
        """Rows and columns of the plane."""
        rows, columns = (n for n, i in zip(self.shape, self.index, strict=True) if isinstance(i, slice))
        return rows, columns

    @property
    def position(self) -> int | None:
        """Number of the slice in a stack, from 0; None for a single plane."""
        return next((i for i in self.index if not isinstance(i, slice)), None)

    @property
    def axis(self) -> int | None:
        """The axis along which the slices lie; None for a single plane."""
        return next((axis for axis, i in enumerate(self.index) if not isinstance(i, slice)), None)

    @property
    def slices(self) -> int:
        """How many slices the stack has; 1 for a single plane."""
        return next((n for n, i in zip(self.shape, self.index, strict=True) if not isinstance(i, slice)), 1)

    def read(self) -> Image:
        """Take the plane out of the layer's data; a lazy array is computed here."""
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
        The viewer's last two axes; which two of the layer's they are counts from the end.
    """
    data, shape = finest_level(layer)
    axes = sorted(layer.ndim - len(point) + axis for axis in displayed)
    if axes[0] < 0:
        axes = [layer.ndim - 2, layer.ndim - 1]
    full = np.array(layer.level_shapes[0] if layer.multiscale else shape)[: layer.ndim]
    here = np.asarray(layer.world_to_data(tuple(point))) * np.array(shape) / full
    steps = np.clip(np.round(here), 0, np.array(shape) - 1).astype(int)
    index: Index = tuple(slice(None) if axis in axes else int(steps[axis]) for axis in range(layer.ndim))
    known = layer.metadata.get(KEY, {})
    return Source(
        name=layer.name,
        data=data,
        shape=shape,
        index=index,
        rgb=bool(layer.rgb),
        kind="rgb" if layer.rgb else known.get("kind"),
        geometry=_plane_geometry(layer_geometry(layer, shape), axes, index),
        path=layer.source.path,
    )


def finest_level(layer: Any) -> tuple[Any, tuple[int, ...]]:
    """Data of a layer and its shape without colours; of a multiscale one, the finest level that is not too large."""
    levels = list(layer.data) if layer.multiscale else [layer.data]
    shapes = [tuple(int(n) for n in level.shape[: layer.ndim]) for level in levels]
    fits = [i for i, shape in enumerate(shapes) if shape[-1] * shape[-2] <= MAX_PIXELS]
    chosen = fits[0] if fits else len(levels) - 1
    return levels[chosen], shapes[chosen]


def level_scale(layer: Any, shape: Sequence[int]) -> tuple[float, ...]:
    """The layer's scale for an array of this shape, which may be one of its coarser levels."""
    full = layer.level_shapes[0] if layer.multiscale else shape
    return tuple(float(s) * int(n) / int(m) for s, n, m in zip(layer.scale, full, shape, strict=False))


def layer_geometry(layer: Any, shape: Sequence[int]) -> Geometry:
    """Geometry of the whole layer: what its file said, else scale and translation where its units are lengths."""
    kept = layer.metadata.get(KEY, {}).get("geometry")
    if isinstance(kept, Geometry) and not layer.multiscale:
        return kept
    millimetres = [_millimetres(unit) for unit in layer.units]
    if None in millimetres:
        return Geometry.identity(layer.ndim)
    scale = level_scale(layer, shape)
    return replace(
        Geometry.identity(layer.ndim),
        spacing=tuple(s * m for s, m in zip(scale, millimetres, strict=True)),
        origin=tuple(float(t) * m for t, m in zip(layer.translate, millimetres, strict=True)),
        unit="mm",
    )


def inspect_source(source: Source) -> tuple[Source, str, str]:
    """Settle the kind of a source and name the preset that suits it, and why; of a stack by its middle.

    A plane is read only where kind and preset hang on its values.
    """
    if source.kind in ("rgb", "mr"):
        empty = np.zeros((1, 1, 3) if source.kind == "rgb" else (1, 1))
        image = Image(empty, Geometry.identity(2), source.kind)
    else:
        middle = zip(source.index, source.shape, strict=True)
        image = replace(source, index=tuple(n // 2 if isinstance(i, int) else i for i, n in middle)).read()
        if source.position is not None:
            image = Image(image.array[np.newaxis], Geometry.identity(3), image.kind)
    return replace(source, kind=image.kind), suggest_preset(image), REASONS[image.kind]


def describe_source(source: Source) -> str:
    """One line for the screen: "768 × 560, RGB" or "slice 12 of 40 · 512 × 512, CT, 0.7 mm a pixel"."""
    rows, columns = source.plane_shape
    words = [f"{columns} × {rows}", KINDS[source.kind or "grey"]]
    if source.geometry.unit == "mm":
        words.append(" × ".join(dict.fromkeys(f"{s:.3g}" for s in source.geometry.spacing[::-1])) + " mm a pixel")
    line = ", ".join(words)
    return line if source.position is None else f"slice {source.position + 1} of {source.slices} · {line}"


def _plane_geometry(geometry: Geometry, axes: Sequence[int], index: Index) -> Geometry:
    """Geometry of the plane along these axes; a slice of a volume remembers where it lies."""
    if geometry.ndim == 2:
        return geometry
    if geometry.ndim == 3 and list(axes) == [1, 2]:
        return geometry.plane(int(index[0]))  # type: ignore[arg-type]
    return replace(Geometry.identity(2), spacing=tuple(geometry.spacing[a] for a in axes), unit=geometry.unit)


def _millimetres(unit: pint.Unit) -> float | None:
    """Millimetres in one unit; None for a pixel."""
    try:
        return float((1 * unit).to("mm").magnitude)
    except pint.DimensionalityError:
        return None
