"""The plane that a run writes to: previewed, then replaced as one undoable step, or left as it was before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import WeakSet

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray

from napari_s3net.errors import InvalidImageError
from napari_s3net.plugin.layers.metadata import Metadata, make_metadata, with_slice
from napari_s3net.plugin.layers.metadata_history import history_of
from napari_s3net.plugin.layers.numbering import ids_as_before, numbered_as_before, numbered_as_stack, numbers_of
from napari_s3net.plugin.layers.packed import check_sum
from napari_s3net.plugin.layers.palette import CLEAR, colormap_of, colour
from napari_s3net.plugin.layers.proxy import holds, plain
from napari_s3net.plugin.layers.result_layer import (
    add_layer,
    find_result,
    fits_source,
    metadata_of,
    recolour,
    result_name,
    write_metadata,
)
from napari_s3net.plugin.layers.run_cache import cache_run, is_changed
from napari_s3net.plugin.layers.source import Source, finest_level, layer_placement
from napari_s3net.plugin.layers.written_labels import write_undoable, write_unrecorded
from napari_s3net.result import Segmentation

#: A preview has at most this many clusters.
PREVIEW_CLUSTERS = 64
#: A preview comes in over the first number of pictures, on planes of up to the second of pixels; else at once.
FRAMES, FRAME_PIXELS = 4, 2**21

#: What is said where labels that a person has changed make room for new ones.
REPLACED = "Labels that were changed since they were made have been replaced; Ctrl-Z brings them back."

#: Labels that hold a preview now, which nobody is to take for a result.
previewed: WeakSet[Labels] = WeakSet()


def why_not_final(layer: Labels) -> str:
    """Why labels must be neither changed nor saved now.

    Parameters
    ----------
    layer : napari.layers.Labels
        Any label layer.

    Returns
    -------
    str
        A sentence for the user while they hold a run's preview; else empty.
    """
    if layer not in previewed:
        return ""
    return f"A run goes on in {layer.name}, which shows a preview. Wait until it is over, or end it in Segment."


def refuse_preview(layer: Labels) -> None:
    """See that a run's preview is not taken for a result.

    Parameters
    ----------
    layer : napari.layers.Labels
        What is to be changed or saved.

    Raises
    ------
    InvalidImageError
        If it holds a preview.
    """
    if words := why_not_final(layer):
        raise InvalidImageError(words)


def dissolve(old: NDArray[Any], new: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Go from one plane to another over a few pictures, so that a preview does not jump.

    Parameters
    ----------
    old, new : numpy.ndarray
        (H, W), of one shape and type.

    Yields
    ------
    numpy.ndarray
        (H, W): each with more pixels of `new`, in no visible order; the last one is `new`. Of more than 2²¹ pixels
        there is only that one.
    """
    frames = FRAMES if new.size <= FRAME_PIXELS else 1
    turn = np.random.default_rng(0).integers(0, frames, new.shape, np.uint8)
    for frame in range(frames):
        yield np.where(turn <= frame, new, old)


class Target:
    """Holds what was there before a run, until the run ends one way or another.

    Parameters
    ----------
    viewer : napari.Viewer
        Layers are added to it.
    image_layer : napari.layers.Image
        The image.
    source : Source
        Its plane.
    new_layer : bool
        Whether to leave an earlier result alone and make a layer of its own.
    """

    def __init__(self, viewer: Any, image_layer: Any, source: Source, *, new_layer: bool) -> None:
        self._viewer, self._image_layer, self.source = viewer, image_layer, source
        self.layer: Labels | None = None if new_layer else find_result(viewer.layers, image_layer, source, of="run")
        self._made = self.layer is None
        #: What the user is to know of earlier labels: that they were left alone, or are replaced; empty for nothing.
        self.remark = ""
        if self._made and not new_layer and (other := find_result(viewer.layers, image_layer, source)) is not None:
            self.remark = f"{other.name} has a model's labels and stays as it is: the result is a layer of its own."
        #: Labels of the plane before the first preview, and what is shown in their place.
        self._before: NDArray[Any] | None = None
        self._shown: NDArray[Any] | None = None
        self._mode: str | None = None
        self._frames: Iterator[NDArray[Any]] = iter(())
        #: The earlier result as the run found it, and the ids that the new one has beside it.
        self._found = (
            None if self.layer is None or source.position is not None else self.layer.data[source.index].copy()
        )
        self._ids: dict[int, int] | None = None
        #: Ids of a preview begin above those of the layer, whose colours stay as they are until they are replaced.
        self._above = 0

    @property
    def gone(self) -> str:
        """What has become of image or layer, so that nobody waits for the result; empty while both are as they were."""
        if not holds(self._viewer, self._image_layer) or (
            self.layer is not None and not holds(self._viewer, self.layer)
        ):
            return "The layer was removed"
        if finest_level(self._image_layer)[0] is not self.source.data:
            return "The image was replaced"
        return ""

    def match(self, result: Segmentation) -> None:
        """Match a result to the earlier one, in the run's thread: on a large image it takes half a second.

        Parameters
        ----------
        result : Segmentation
            Of the plane.
        """
        if self._found is not None:
            self._ids = ids_as_before(result, self._found)

    def preview(self, plane: NDArray[Any]) -> None:
        """Begin to show a preview, (H, W), 0 for no cluster; the first one makes the layer or keeps what was there.

        Parameters
        ----------
        plane : numpy.ndarray
            (H, W), the clusters so far.
        """
        if not self._can_show:
            return
        if self._before is None:
            self._begin()
        assert self.layer is not None  # noqa: S101 - made by `_begin`
        self._frames = dissolve(self.layer.data[self.source.index].copy(), self._as_preview(plane, self.layer))

    def advance(self) -> None:
        """Show the next picture of the preview that is coming in, if there is one."""
        if self._before is None or self.layer is None or not self._can_show:
            return
        if (plane := next(self._frames, None)) is not None:
            self._take_in_changes()
            write_unrecorded(self.layer, self.source.index, plane)
            self._shown = plane

    def restore(self) -> None:
        """Leave everything as it was before the run."""
        layer, before = self.layer, self._end()
        if before is None or layer is None or not holds(self._viewer, layer):
            return
        if self._made:
            self._remove(layer)
        elif fits_source(layer, self.source):
            write_unrecorded(layer, self.source.index, before)
            recolour(layer)

    def finish(self, result: Segmentation, preset: str) -> Labels | None:
        """Write the result; a layer that was there before gets it as one undoable step.

        Parameters
        ----------
        result : Segmentation
            Of the plane.
        preset : str
            The preset that the settings started from, for the metadata.

        Returns
        -------
        napari.layers.Labels or None
            The layer; None if the image is gone.
        """
        before = self._end()
        if not holds(self._viewer, self._image_layer):
            return None
        if self.layer is not None and not (holds(self._viewer, self.layer) and fits_source(self.layer, self.source)):
            self.layer, self._made = None, True
        layer = self.layer = self.layer or self._add()
        key, index, old = self.source.key, self.source.index, metadata_of(layer) or {}
        if before is not None and not self._made:
            layer.data[index] = before
        if old:
            history_of(layer).remember(key, layer.data[index], old)
        if not self._made and is_changed(layer, key, check_sum(layer.data[index])):
            self.remark = REPLACED
        labels, metadata = self._numbered(layer, result, old, preset)
        if self._made:
            write_unrecorded(layer, index, labels)
        else:
            write_undoable(layer, index, labels)
        numbers = numbers_of(result.labels, labels)
        proposed = tuple(numbers[i] for i in result.foreground if i in numbers)
        cache_run(layer, key, result.state, numbers=numbers, proposed=proposed)
        write_metadata(layer, key, metadata)
        return layer

    @property
    def _can_show(self) -> bool:
        """Whether there is still a place for a preview."""
        return not self.gone and (self.layer is None or fits_source(self.layer, self.source))

    def _numbered(
        self, layer: Labels, result: Segmentation, old: Metadata, preset: str
    ) -> tuple[NDArray[np.int32], Metadata]:
        """Labels and metadata; in a stack, with ids that mean the same in every slice."""
        source = self.source
        geometry = layer_placement(self._image_layer, source.shape).geometry
        if source.position is not None:
            result = numbered_as_stack(result, old, self._beside(layer))
            return result.labels, with_slice(old, make_metadata(result, source, geometry, preset))
        metadata = make_metadata(result, source, geometry, preset)
        if not old:
            return result.labels, metadata
        now = layer.data[source.index]
        is_as_found = self._found is not None and np.array_equal(self._found, now)
        return numbered_as_before(result, old, now, metadata, self._ids if is_as_found else None)

    def _beside(self, layer: Labels) -> NDArray[Any] | None:
        """Labels of the slice before or behind, if it has some."""
        planes = (layer.data[key.index] for key in self.source.key.beside(self.source.shape))
        return next((plane for plane in planes if plane.any()), None)

    def _begin(self) -> None:
        """Before the first preview: keep what is there."""
        layer = self.layer = self.layer or self._add()
        self._before = layer.data[self.source.index].copy()
        self._shown = self._before.copy()
        self._hold_brush(layer)

    def _end(self) -> NDArray[Any] | None:
        """Give the brush back and hand over what was there before the first preview."""
        if self._before is None or self.layer is None:
            return None
        if fits_source(self.layer, self.source):
            self._take_in_changes()
        before, self._before, self._shown = self._before, None, None
        self._free_brush()
        return before

    def _take_in_changes(self) -> None:
        """What was undone or redone during a preview belongs to what is put back, and is undone from, after it."""
        assert self.layer is not None  # noqa: S101 - asked for only while a preview is shown
        assert self._before is not None  # noqa: S101 - likewise
        now = self.layer.data[self.source.index]
        changed = now != self._shown
        self._before[changed] = now[changed]

    def _as_preview(self, plane: NDArray[Any], layer: Labels) -> NDArray[Any]:
        """Clusters under ids that no label of the layer has; even "no cluster" has one."""
        clusters = np.where(plane > 0, plane, PREVIEW_CLUSTERS + 1) + np.int64(self._above)
        return clusters.astype(layer.data.dtype)

    def _hold_brush(self, layer: Labels) -> None:
        """Keep the brush away from what will be replaced, and give clusters to come colours under ids of their own.

        Those ids begin above the largest one of the whole layer, and above all that have a name.
        """
        previewed.add(layer)
        self._mode = str(layer.mode)
        layer.mode = "pan_zoom"
        layer.events.mode.connect(self._hold_mode)
        metadata = metadata_of(layer)
        known: dict[int | None, Any] = dict(layer.colormap.color_dict) if metadata else {None: CLEAR, 0: CLEAR}
        self._above = max([int(layer.data.max(initial=0)), *(metadata["names"] if metadata else ())])
        new: dict[int | None, Any] = {
            self._above + i: colour(i, is_object=False) for i in range(1, PREVIEW_CLUSTERS + 1)
        }
        new[self._above + PREVIEW_CLUSTERS + 1] = CLEAR
        layer.colormap = colormap_of({**known, **new})

    def _free_brush(self) -> None:
        """Give the brush back, if it was taken."""
        if self.layer is not None and self._mode is not None:
            previewed.discard(self.layer)
            self.layer.events.mode.disconnect(self._hold_mode)
            self.layer.mode, self._mode = self._mode, None

    def _hold_mode(self, event: Any = None) -> None:
        if self.layer is not None and str(self.layer.mode) != "pan_zoom":
            self.layer.mode = "pan_zoom"

    def _remove(self, layer: Labels) -> None:
        """Remove what the run has made; where it is selected, its image is then, and not whatever lies below."""
        if plain(self._viewer.layers.selection.active) is layer:
            self._viewer.layers.selection.active = self._image_layer
        self._viewer.layers.remove(layer)

    def _add(self) -> Labels:
        """A new layer; the selection stays where it was."""
        active = plain(self._viewer.layers.selection.active)
        layer = add_layer(self._viewer, self._image_layer, self.source, result_name(self.source.name))
        if active is not None:
            self._viewer.layers.selection.active = active
        return layer
