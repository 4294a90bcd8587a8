"""The label layer of a result: made, previewed, replaced as one undoable step, restored, coloured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray

from napari_s3net.image import Segmentation
from napari_s3net.plugin.layers.metadata import (
    Metadata,
    MetadataHistory,
    make_metadata,
    numbered_as_before,
    numbered_as_stack,
    object_mask,
    with_slice,
)
from napari_s3net.plugin.layers.palette import CLEAR, MASK, colour, colour_table
from napari_s3net.plugin.layers.run_cache import cache_run
from napari_s3net.plugin.layers.source import KEY, Index, Source, layer_geometry, level_scale

#: A preview has at most this many clusters.
PREVIEW_CLUSTERS = 64
#: A preview comes in over so many pictures, on planes of up to so many pixels; on larger ones at once.
FRAMES, FRAME_PIXELS = 4, 2**21
OPACITY = 0.55


def plain(layer: Any) -> Any:
    """The layer itself where napari hands plugins a proxy: layers are compared by identity."""
    return getattr(layer, "__wrapped__", layer)


def result_name(image_name: str) -> str:
    """Name of the label layer of an image."""
    return f"{image_name} – S³-Net"


def mask_name(image_name: str) -> str:
    """Name of the layer of its object."""
    return f"{image_name} – object"


def metadata_of(layer: Any) -> Metadata | None:
    """What a result layer knows about itself; None for any other layer."""
    note = layer.metadata.get(KEY) if isinstance(layer, Labels) else None
    return note if note and "settings" in note and "mask_of" not in note else None


def find_result(layers: Iterable[Any], source: Source) -> Labels | None:
    """The newest result layer of an image, if there is one of the right shape."""
    for layer in reversed([plain(layer) for layer in layers]):
        note = metadata_of(layer)
        if note and note["source"] == source.name and fits_source(layer, source):
            return layer
    return None


def follow_name(layers: Iterable[Any], old: str, new: str) -> None:
    """Tell the results of an image that it is called otherwise now."""
    for layer in map(plain, layers):
        note = metadata_of(layer)
        if old != new and note and note["source"] == old:
            layer.metadata = {**layer.metadata, KEY: {**note, "source": new}}


def fits_source(layer: Labels, source: Source) -> bool:
    """Whether a label layer can take a result of this source."""
    return isinstance(layer.data, np.ndarray) and layer.data.shape == source.shape


def add_layer(viewer: Any, image_layer: Any, source: Source, name: str) -> Labels:
    """Add an empty label layer that lies on the image."""
    layer = result_layer(np.zeros(source.shape, np.int32), image_layer, name)
    viewer.add_layer(layer)
    return layer


def result_layer(labels: NDArray[Any], image_layer: Any, name: str) -> Labels:
    """A label layer that lies on the image; not in any viewer yet."""
    place = _place(image_layer, level_scale(image_layer, labels.shape))
    return Labels(labels, name=name, opacity=OPACITY, **place)


def write_unrecorded(layer: Labels, index: Index, plane: NDArray[Any]) -> None:
    """Write a plane without a trace in the history: for previews and for going back."""
    layer.data[index] = plane
    layer.refresh(extent=False)


def write_undoable(layer: Labels, index: Index, plane: NDArray[Any]) -> None:
    """Write a plane as one step that undo takes back."""
    changed = np.nonzero(layer.data[index] != plane)
    axes = iter(axis.astype(np.int32) for axis in changed)
    where = tuple(next(axes) if isinstance(i, slice) else np.full(len(changed[0]), i, np.int32) for i in index)
    with layer.block_history():
        layer.data_setitem(where, plane[changed].astype(layer.data.dtype))
    layer.refresh(extent=False)


def dissolve(old: NDArray[Any], new: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Planes between one and another, each with more pixels of the new one, in no visible order; the last is new."""
    frames = FRAMES if new.size <= FRAME_PIXELS else 1
    turn = np.random.default_rng(0).integers(0, frames, new.shape, np.uint8)
    for frame in range(frames):
        yield np.where(turn <= frame, new, old)


def recolour(layer: Labels, *, object_only: bool = False) -> None:
    """Colour a result layer by its note."""
    note = metadata_of(layer) or {"names": {}, "foreground": []}
    ids = sorted({*note["names"], *note["foreground"]})
    table = colour_table(ids, note["foreground"], object_only=object_only)
    layer.colormap = DirectLabelColormap(color_dict=table)


def mask_of(layer: Labels) -> Labels:
    """A layer that holds just the object of a result, where the result lies; not in any viewer yet."""
    note = layer.metadata[KEY]
    return Labels(
        object_mask(layer.data, note),
        name=mask_name(note["source"]),
        opacity=OPACITY,
        colormap=DirectLabelColormap(color_dict=MASK),
        metadata={KEY: {**note, "mask_of": layer.name, "foreground": [1], "names": {1: "Object"}}},
        **_place(layer, layer.scale),
    )


def add_mask(viewer: Any, layer: Labels) -> Labels:
    """Add a layer that holds just the object of a result; the result itself stays selected."""
    mask = mask_of(layer)
    viewer.add_layer(mask)
    viewer.layers.selection.active = layer
    return mask


def _place(layer: Any, scale: Any) -> dict[str, Any]:
    """Where a layer lies in the world, for another one of its kind."""
    kept = ("translate", "rotate", "shear", "affine", "units")
    return {"scale": scale, **{name: getattr(layer, name) for name in kept}}


class Target:
    """The plane that a run writes to: holds what was there before, until the run ends one way or another.

    Parameters
    ----------
    viewer : napari.Viewer
        Layers are added to it.
    image_layer : napari.layers.Image
        The image.
    source : Source
        Its plane.
    memory : MetadataHistory
        Takes the notes of what is replaced.
    new_layer : bool
        Whether to leave an earlier result alone and make a layer of its own.
    """

    def __init__(
        self, viewer: Any, image_layer: Any, source: Source, memory: MetadataHistory, *, new_layer: bool
    ) -> None:
        self._viewer, self._image_layer, self.source, self._memory = viewer, image_layer, source, memory
        self.layer: Labels | None = None if new_layer else find_result(viewer.layers, source)
        self._made = self.layer is None
        self._before: NDArray[Any] | None = None
        self._mode: str | None = None
        self._frames: Iterator[NDArray[Any]] = iter(())
        #: Ids of a preview begin above those of the layer, whose colours stay as they are until they are replaced.
        self._above = 0

    @property
    def is_gone(self) -> bool:
        """Whether the user has removed the image or the layer, so that nobody waits for the result."""
        return not self._holds(self._image_layer) or (self.layer is not None and not self._holds(self.layer))

    def preview(self, plane: NDArray[Any]) -> None:
        """Let a preview come in over what is shown; the first one makes the layer or keeps what was there."""
        if not self._can_show:
            return
        if self._before is None:
            self._begin()
        assert self.layer is not None  # noqa: S101 - made by `_begin`
        new = np.where(plane > 0, plane + np.int32(self._above), 0).astype(self.layer.data.dtype)
        self._frames = dissolve(self.layer.data[self.source.index].copy(), new)

    def advance(self) -> None:
        """Show the next picture of the preview that is coming in, if there is one."""
        if self._before is not None and self._can_show and (plane := next(self._frames, None)) is not None:
            write_unrecorded(self.layer, self.source.index, plane)

    @property
    def _can_show(self) -> bool:
        """Whether there is still a place for a preview."""
        return not self.is_gone and (self.layer is None or fits_source(self.layer, self.source))

    def restore(self) -> None:
        """Leave everything as it was before the run."""
        layer, before = self.layer, self._end()
        if before is None or layer is None or not self._holds(layer):
            return
        if self._made:
            self._viewer.layers.remove(layer)
        elif fits_source(layer, self.source):
            write_unrecorded(layer, self.source.index, before)
            recolour(layer)

    def finish(self, result: Segmentation, preset: str) -> Labels | None:
        """Write the result; a layer that was there before gets it as one undoable step. None if the image is gone."""
        if not self._holds(self._image_layer):
            return None
        before = self._end()
        if self.layer is not None and (self.is_gone or not fits_source(self.layer, self.source)):
            self.layer, self._made = None, True
        if self.layer is None:
            self.layer = self._add()
        index, layer = self.source.index, self.layer
        old = metadata_of(layer) or {}
        if before is not None:
            layer.data[index] = before
        if old:
            self._memory.remember(index, layer.data[index], old)
        labels, note = self._numbered(result, old, preset)
        if self._made:
            write_unrecorded(layer, index, labels)
        else:
            write_undoable(layer, index, labels)
        self._memory.remember(index, layer.data[index], note)
        layer.metadata = {**layer.metadata, KEY: note}
        cache_run(layer, self.source.position, layer.data[index], result.state)
        recolour(layer)
        return layer

    def _numbered(self, result: Segmentation, old: Metadata, preset: str) -> tuple[NDArray[np.int32], Metadata]:
        """Labels and note; in a stack, with ids that mean the same in every slice."""
        geometry = layer_geometry(self._image_layer, self.source.shape)
        if self.source.position is not None:
            result = numbered_as_stack(result, old, self._beside())
            return result.labels, with_slice(old, make_metadata(result, self.source, geometry, preset))
        note = make_metadata(result, self.source, geometry, preset)
        return (
            numbered_as_before(result, old, self.layer.data[self.source.index], note) if old else (result.labels, note)
        )

    def _beside(self) -> NDArray[Any] | None:
        """Labels of the slice before or behind, if it has some."""
        axis, layer = self.source.axis, self.layer
        for position in (self.source.position - 1, self.source.position + 1):
            if 0 <= position < layer.data.shape[axis]:
                plane = layer.data[(*self.source.index[:axis], position, *self.source.index[axis + 1 :])]
                if plane.any():
                    return plane
        return None

    def _begin(self) -> None:
        """Before the first preview: keep what is there, and keep the user's brush away from what will be replaced."""
        if self.layer is None:
            self.layer = self._add()
        layer = self.layer
        self._before = layer.data[self.source.index].copy()
        self._mode = str(layer.mode)
        layer.mode = "pan_zoom"
        layer.events.mode.connect(self._hold_mode)
        note = metadata_of(layer)
        known = dict(layer.colormap.color_dict) if note else {None: CLEAR, 0: CLEAR}
        self._above = max([int(self._before.max(initial=0)), *(note["names"] if note else ())])
        new = {self._above + i: colour(i, is_object=False) for i in range(1, PREVIEW_CLUSTERS + 1)}
        layer.colormap = DirectLabelColormap(color_dict={**known, **new})

    def _end(self) -> NDArray[Any] | None:
        """Give the brush back and hand over what was there before the first preview."""
        before, self._before = self._before, None
        if before is not None and self.layer is not None:
            self.layer.events.mode.disconnect(self._hold_mode)
            self.layer.mode = self._mode
        return before

    def _holds(self, layer: Any) -> bool:
        """Whether a layer is still in the viewer."""
        return any(plain(one) is layer for one in self._viewer.layers)

    def _hold_mode(self, event: Any = None) -> None:
        if self.layer is not None and str(self.layer.mode) != "pan_zoom":
            self.layer.mode = "pan_zoom"

    def _add(self) -> Labels:
        """A new layer; the selection stays where it was."""
        active = plain(self._viewer.layers.selection.active)
        layer = add_layer(self._viewer, self._image_layer, self.source, result_name(self.source.name))
        if active is not None:
            self._viewer.layers.selection.active = active
        return layer
