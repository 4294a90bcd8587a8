"""The slices that a run on a volume writes to: filled as they come, then named, or left as they were before."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray

from napari_s3net.plugin.layers.metadata import Metadata, make_metadata, with_slices
from napari_s3net.plugin.layers.metadata_history import history_of
from napari_s3net.plugin.layers.numbering import numbered_as_stack, numbers_of
from napari_s3net.plugin.layers.packed import PackedPlane, check_sum
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.proxy import holds
from napari_s3net.plugin.layers.result_layer import fits_source, metadata_of, recolour
from napari_s3net.plugin.layers.run_cache import cache_run, is_changed
from napari_s3net.plugin.layers.source import layer_placement
from napari_s3net.plugin.layers.stack import Stack
from napari_s3net.plugin.layers.target import REPLACED, Target
from napari_s3net.plugin.layers.written_labels import record_planes
from napari_s3net.result import Segmentation


class VolumeTarget(Target):
    """Holds what was there before a run on a volume, compressed, until the run ends one way or another.

    Parameters
    ----------
    viewer : napari.Viewer
        Layers are added to it.
    image_layer : napari.layers.Image
        The image.
    stack : Stack
        The slices that are segmented.
    new_layer : bool
        Whether to leave an earlier result alone and make a layer of its own.
    """

    def __init__(self, viewer: Any, image_layer: Any, stack: Stack, *, new_layer: bool) -> None:
        super().__init__(viewer, image_layer, stack.source, new_layer=new_layer)
        self.stack = stack
        #: The earlier labels of each slice that was written to.
        self._earlier: dict[int, PackedPlane] = {}
        #: The labels of each slice that came, packed then, so that writing the result does not stop the window for it.
        self._came: dict[int, PackedPlane] = {}
        #: Check sums of what is shown of each, by which a change meanwhile is noticed.
        self._sums: dict[int, int] = {}

    def show_slice(self, index: int, labels: NDArray[Any]) -> None:
        """Show a slice that is done; the brush is kept away from a layer that a run writes to.

        Parameters
        ----------
        index : int
            Of the slice, from 0 for the first one of the stack.
        labels : numpy.ndarray
            (H, W), 0 for no cluster.
        """
        if not self._can_show:
            return
        layer = self._started()
        plane = layer.data[self.stack.key(index).index]
        if index in self._earlier:
            self._take_in_changes_of(index, layer)
        else:
            self._earlier[index] = PackedPlane.of(plane)
        self._came[index] = PackedPlane.of(labels.astype(plane.dtype))
        plane[...] = self._as_preview(labels, layer)
        self._sums[index] = check_sum(plane)
        if self.stack.key(index) == self._in_view(layer):
            layer.refresh(extent=False)

    def advance(self) -> None:
        """Nothing: slices are shown as they come."""

    def restore(self) -> None:
        """Leave everything as it was before the run."""
        layer = self.layer
        if layer is None or not self._earlier or not holds(self._viewer, layer):
            return
        self._free_brush()
        if self._made:
            self._remove(layer)
        elif fits_source(layer, self.source):
            self._take_in_changes()
            for index, earlier in self._earlier.items():
                layer.data[self.stack.key(index).index] = earlier
            recolour(layer)
            layer.refresh(extent=False)

    def finish(self, result: Segmentation, preset: str) -> Labels | None:
        """Write the result; a layer that was there before gets it as one undoable step.

        Parameters
        ----------
        result : Segmentation
            Of the stack; slices that were not done keep what they had.
        preset : str
            The preset that the settings started from, for the metadata.

        Returns
        -------
        napari.layers.Labels or None
            The layer; None if the image is gone.
        """
        if not holds(self._viewer, self._image_layer):
            return None
        if self.layer is not None and not (holds(self._viewer, self.layer) and fits_source(self.layer, self.source)):
            self._free_brush()
            self.layer, self._made, self._earlier = None, True, {}
        layer = self._started()
        self._take_in_changes()
        self._free_brush()
        known = metadata_of(layer) or {}
        old = known if known and self._leaves_labels(layer, result) else {}
        fresh = result
        if old:
            result = numbered_as_stack(result, old, None)
        before, after = self._write(layer, result, fresh)
        metadata = self._metadata(old, result, preset)
        if known:
            history_of(layer).remember_planes({key: plane.check_sum for key, plane in before.items()}, known)
        history_of(layer).remember_planes({key: plane.check_sum for key, plane in after.items()}, metadata)
        layer.metadata = {**layer.metadata, KEY: metadata}
        recolour(layer)
        layer.refresh(extent=False)
        return layer

    def _write(
        self, layer: Labels, result: Segmentation, fresh: Segmentation
    ) -> tuple[dict[PlaneKey, PackedPlane], dict[PlaneKey, PackedPlane]]:
        """Write the slices that are done; what they had before, and what they have now."""
        done, before, after = self._done(result), {}, {}
        numbers = {i: i for i in fresh.names} if result is fresh else {}
        if result is not fresh:
            for plane, numbered in zip(fresh.labels, result.labels, strict=True):
                numbers |= numbers_of(plane, numbered)
        for index, labels in enumerate(result.labels):
            key, earlier = self.stack.key(index), self._earlier.get(index)
            if index in done:
                if not self._made:
                    before[key] = earlier or PackedPlane.of(layer.data[key.index])
                    if is_changed(layer, key, before[key].check_sum):
                        self.remark = REPLACED
                layer.data[key.index] = labels
                after[key] = self._packed(index, layer.data[key.index])
            elif earlier is not None:
                layer.data[key.index] = earlier
        if not self._made:
            record_planes(layer, before, after)
        for key, plane in after.items():
            cache_run(layer, key, {}, packed=plane, numbers=numbers, proposed=result.foreground)
        return before, after

    def _take_in_changes(self) -> None:
        """What was undone or redone in slices that were shown belongs to what they had before."""
        for index in self._earlier:
            self._take_in_changes_of(index, self._started())

    def _take_in_changes_of(self, index: int, layer: Labels) -> None:
        now = layer.data[self.stack.key(index).index]
        if check_sum(now) != self._sums[index]:
            changed = now != self._as_preview(self._came[index].labels, layer)
            self._earlier[index] = PackedPlane.of(np.where(changed, now, self._earlier[index].labels))

    def _done(self, result: Segmentation) -> set[int]:
        """The slices of the stack that are written."""
        made = result.provenance
        return {part.slice or 0 for part in made.slices} if made.stopped else set(range(len(self.stack)))

    def _leaves_labels(self, layer: Labels, result: Segmentation) -> bool:
        """Whether planes that are not written have labels: their numbers keep what they mean."""
        written = {self.stack.key(index).steps for index in self._done(result)}
        shown = {self.stack.key(index).steps: earlier for index, earlier in self._earlier.items()}
        axes = zip(layer.data.shape, self.source.key.steps, strict=True)
        among = [(None,) if step is None else range(n) for n, step in axes]
        left = (PlaneKey(steps) for steps in product(*among) if steps not in written)
        return any(np.any(shown.get(key.steps, layer.data[key.index])) for key in left)

    def _packed(self, index: int, plane: NDArray[Any]) -> PackedPlane:
        """A plane, packed: as it came, unless its labels have got other numbers since."""
        came = self._came.get(index)
        return came if came is not None and came.check_sum == check_sum(plane) else PackedPlane.of(plane)

    def _metadata(self, old: Metadata, result: Segmentation, preset: str) -> Metadata:
        """What the layer knows of its volume; of each slice, how it was made."""
        key = self.source.key
        parts = tuple(
            replace(part, axis=key.axis, slice=self.stack.first + (part.slice or 0), time=key.time, preset=preset)
            for part in result.provenance.slices
        )
        geometry = layer_placement(self._image_layer, self.source.shape).geometry
        metadata = make_metadata(result.with_provenance(slices=()), self.source, geometry, preset)
        span = self.stack.first, self.stack.last, self.source.slices
        return {**with_slices(old, metadata, parts), "span": span}

    def _started(self) -> Labels:
        """The layer, with colours for slices that come."""
        layer = self.layer = self.layer or self._add()
        if self._mode is None:
            self._hold_brush(layer)
        return layer

    def _in_view(self, layer: Labels) -> Any:
        """The plane of the layer that the sliders stand at, as far as they have moved since the run began."""
        step = self._viewer.dims.current_step
        steps = (None if s is None else int(step[at]) for at, s in enumerate(self.source.key.steps))
        return replace(self.source.key, steps=tuple(steps)) if len(step) == layer.ndim else self.source.key
