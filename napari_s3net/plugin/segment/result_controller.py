"""A result on the screen: measures it, and carries ticks, names and hovering between table and layer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from napari.layers import Labels
from napari.utils.notifications import show_error
from numpy.typing import NDArray
from qtpy.QtCore import QObject

from napari_s3net.errors import S3NetError
from napari_s3net.image import Image
from napari_s3net.labels.measure import Cluster, count_voxels
from napari_s3net.plugin.correct.autosave_layers import autosave_of
from napari_s3net.plugin.correct.label_editor import editor_of
from napari_s3net.plugin.correct.renaming import change_metadata
from napari_s3net.plugin.correct.tools import merge
from napari_s3net.plugin.jobs.newest_answer import NewestAnswer
from napari_s3net.plugin.jobs.pause import after_pause
from napari_s3net.plugin.layers.mask_layer import ObjectLayers
from napari_s3net.plugin.layers.metadata import (
    Metadata,
    mask_of_layer,
    restored,
    with_name,
    with_new_ids,
    with_tick,
)
from napari_s3net.plugin.layers.metadata_history import history_of
from napari_s3net.plugin.layers.object_outline import outline_object
from napari_s3net.plugin.layers.packed import check_sum
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.result_layer import (
    fits_source,
    metadata_of,
    recolour,
)
from napari_s3net.plugin.layers.shown import Shown, choose_shown, shown_of
from napari_s3net.plugin.layers.source import Source
from napari_s3net.plugin.segment import result_commands as commands
from napari_s3net.plugin.segment.hovered_cluster import HoveredCluster
from napari_s3net.plugin.segment.measuring import Measurer
from napari_s3net.plugin.segment.object_measures import ObjectInView, ObjectMeasures
from napari_s3net.plugin.segment.result_rows import named_clusters, result_rows
from napari_s3net.plugin.segment.saved_line import SavedLine
from napari_s3net.plugin.widgets.result_panel import ResultPanel
from napari_s3net.plugin.widgets.result_text import certainty_tip, effort_text, outcome_text
from napari_s3net.plugin.widgets.text import area_text
from napari_s3net.plugin.widgets.volume_text import volumes_text

#: Pause after a stroke or an undo before the table is measured again, so that painting stays smooth.
MEASURE_MS = 250
#: Pause after a step through a stack before its slice is measured, so that slices go by as fast as they can be drawn.
STEP_MS = 150


class ResultController(QObject):
    """The result layer of the image in view, and its table.

    Parameters
    ----------
    viewer : napari.Viewer
        Holds the layers.
    panel : ResultPanel
        Shows the result and tells what the user asks for.
    parent : QObject
        The dock.
    is_previewing : callable
        Whether the layer holds a run's preview now, which is not measured.
    """

    def __init__(
        self,
        viewer: Any,
        panel: ResultPanel,
        parent: QObject,
        is_previewing: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._panel, self._is_previewing = viewer, panel, is_previewing
        self.layer: Labels | None = None
        #: Whether the user has said how large the image's pixels are.
        self.has_own_size = False
        self._source: Source | None = None
        self._image: tuple[Source, Image] | None = None
        #: Slice and check sum of the labels that the table shows.
        self._state: object = None
        self._clusters: list[Cluster] = []
        #: Metadata that the table shows.
        self._shown_about: object = None
        #: Metadata, what is shown of it, and the colours that were made for these.
        self._coloured: tuple[object, Shown, object] | None = None
        self._measuring = Measurer(self)
        self._measuring.measured.connect(self._measured)
        self._measures = ObjectMeasures(panel.measures, self._object_in_view, self)
        self._saved = SavedLine(panel.saved, self)
        self._counter = NewestAnswer(self)
        self._counter.answered.connect(self._counted)
        #: Voxels of each label of a stack; and whether the plane in view is another one than at the last look.
        self._voxels: dict[int, int] = {}
        self._has_moved = False
        #: Axis and time of the stack that was counted.
        self._stack: object = None
        self._hovered, self._masks = HoveredCluster(viewer, self._region_of, self), ObjectLayers(viewer)
        self._measure_soon = after_pause(MEASURE_MS, self._look_again, self)
        self._measure_plane_soon = after_pause(STEP_MS, partial(self.measure, aside=True), self)
        panel.table.hovered.connect(self._hovered.hover)
        panel.table.picked.connect(self._pick)
        panel.table.clusters.ticked.connect(self._tick)
        panel.table.clusters.renamed.connect(self._rename)
        panel.shown_chosen.connect(self._choose_shown)

    @property
    def metadata(self) -> Metadata:
        """What the layer knows about itself."""
        assert self.layer is not None  # noqa: S101 - asked for only with a result
        metadata: Metadata = self.layer.metadata[KEY]
        return metadata

    def show(self, layer: Labels | None, source: Source | None) -> None:
        """Show a result, and measure the plane in view.

        Parameters
        ----------
        layer : napari.layers.Labels or None
            The result layer; None where the image has none.
        source : Source or None
            The plane of the image in view.
        """
        has_other_plane = self._source is not None and source is not None and self._source.key != source.key
        self._has_moved = layer is self.layer and has_other_plane
        if layer is not self.layer:
            self._release()
            self.layer, self._coloured = layer, None
            if layer is not None:
                layer.events.paint.connect(self._painted)
                layer.events.set_data.connect(self._changed)
                outline_object(self._viewer, layer)
        self._recolour()
        self._source, self._state = source, None
        self._look_at_saved()
        if self._has_moved:
            self._measure_plane_soon.start()
        else:
            self.measure()
        stack = None if source is None else (source.key.axis, source.key.time)
        if layer is not None and stack != self._stack:
            self._count()
        self._stack = stack if layer is not None else None

    def release(self) -> None:
        """Let go of the layer and of everything that was measured."""
        self._release()
        self.layer = self._source = self._image = None
        self._clusters = []

    def measure(self, *, aside: bool = False) -> None:
        """Bring table, names and mask up to date with the labels in view; skip a preview and unchanged labels.

        Parameters
        ----------
        aside : bool
            Whether a small plane is measured in a thread as well, as while a stack is stepped through.
        """
        layer, source = self.layer, self._source
        if layer is None or source is None or metadata_of(layer) is None or self._is_previewing():
            return
        if not fits_source(layer, source):
            self.release()  # it has got other data, which are no result of this image
            self._panel.show_result("These labels no longer fit the image.", "", ())
            return
        plane = layer.data[source.index]
        state = source.key, check_sum(plane)
        if state == self._state:
            return
        self._state, self._clusters = state, []
        metadata = restored(self.metadata, history_of(layer).recall(source.key, plane, self.metadata))
        if metadata is not self.metadata:
            self._write_metadata(metadata)
        self._hovered.draw()
        self._measuring.ask(state, plane, self._plane(source), aside=aside)
        self._masks.update_plane(layer, source.index)

    def ask(self, what: str, device: str) -> None:
        """Do what a button or a menu of the panel asks for; without a result nothing.

        Parameters
        ----------
        what : str
            "merge" the selected rows; "save" beside the image, "save_labels" or "save_mask" to a file that is asked
            for; "object_layer" adds the object as a layer; "show_3d" its surface, in the 3-D view;
            "copy_python" or "copy_command" puts on the clipboard how the result is made again.
        device : str
            What the copied lines compute on: "auto", "cpu", "cuda:0".
        """
        if self.layer is None:
            return
        if what == "merge":
            self._merge(self._panel.table.selected)
        elif what == "object_layer":
            self._masks.add(self.layer)
        elif what == "show_3d":
            commands.show_in_3d(self._viewer, self.layer)
        elif what.startswith("save"):
            commands.save(what, self._panel, self.layer, self._source)
        elif what.startswith("copy") and self._source is not None:
            commands.copy(what, self.layer, self._source, device)

    def _measured(self, state: object, clusters: list[Cluster]) -> None:
        """The answer; the labels may have changed meanwhile, and then another one is on its way."""
        if self.layer is None or state != self._state:
            return
        self._clusters = clusters
        metadata = with_new_ids(self.metadata, [c.id for c in clusters])
        if metadata is not self.metadata:
            self._write_metadata(metadata)
        self._show_rows()

    def _show_rows(self) -> None:
        """Show what was measured, with the metadata's names and object."""
        assert self._image is not None  # noqa: S101 - read before anything is measured
        about = self._shown_about = self.metadata
        kind = self._image[1].kind
        clusters = named_clusters(self._clusters, about, kind)
        self._panel.show_pixel_size(is_missing=self._can_set_pixel_size(), is_own=self.has_own_size)
        if not clusters:
            effort = effort_text(about) if about.get("slices") else ""
            self._panel.show_result("No labels in this slice yet.", effort, ())
            return
        assert self.layer is not None  # noqa: S101 - it was measured
        found = [c for c in clusters if c.is_object]
        area = area_text(sum(c.area for c in found), clusters[0].unit)
        outcome = outcome_text(about, sum(c.share for c in found), area)
        line = "\n".join(filter(None, (outcome, volumes_text(about, self._voxels))))
        shown = shown_of(self.layer, about)
        rows = result_rows(clusters, about, kind, shown, self._voxels)
        self._panel.show_result(line, effort_text(about), rows, shown)
        self._panel.line.setToolTip(certainty_tip(about))
        self._measures.measure()

    def _object_in_view(self) -> ObjectInView | None:
        """What its measurements are taken of."""
        layer, source = self.layer, self._source
        if layer is None or source is None or self._image is None:
            return None
        mask = mask_of_layer(layer.data[source.index], self.metadata)
        return (layer.name, source.name), mask, self._plane(source)

    def _region_of(self, label: int) -> tuple[Labels, NDArray[np.bool_]] | None:
        """Where a row's labels are in the plane in view."""
        if self.layer is None or self._source is None:
            return None
        return self.layer, np.isin(self.layer.data[self._source.index], self._ids(label))

    def _ids(self, label: int) -> tuple[int, ...]:
        """The labels of a row of the table, by the one that it is known under."""
        return next((row.ids for row in self._panel.table.clusters.rows if row.label == label), (label,))

    def _can_set_pixel_size(self) -> bool:
        """Whether the image is a single plane that does not know how large its pixels are."""
        source = self._source
        return source is not None and source.geometry.unit != "mm" and source.position is None and not source.problem

    def _look_again(self) -> None:
        """Labels may have changed, by a stroke or an undo; a step through a stack looks alike and changes nothing."""
        self.measure()
        self._look_at_saved()
        self._show_about()
        if not self._has_moved:
            self._count()
        self._has_moved = False

    def _show_about(self) -> None:
        """Show another name or object, whoever has given it."""
        about = None if self.layer is None else metadata_of(self.layer)
        if self.layer is not None and about is not None and self._clusters and about is not self._shown_about:
            self._show_rows()
            self._masks.update(self.layer)

    def _look_at_saved(self) -> None:
        """Say whether the result has changed since it was saved."""
        self._saved.look(self.layer, None if self._source is None else self._source.key)

    def _count(self) -> None:
        """Count the voxels of the stack in view, if it is one."""
        source, layer = self._source, self.layer
        if layer is not None and source is not None and source.key.axis is not None and fits_source(layer, source):
            self._counter.ask(partial(count_voxels, source.key.stack_in(layer.data)))

    def _counted(self, voxels: dict[int, int]) -> None:
        self._voxels = voxels
        if self.layer is not None and self._clusters and metadata_of(self.layer) is not None:
            self._show_rows()

    def _plane(self, source: Source) -> Image:
        """The image's plane, read once as long as the same plane is in view."""
        known = None if self._image is None else self._image[0]
        is_same = known is not None and known.data is source.data and known.geometry == source.geometry
        if known is None or not is_same or known.index != source.index:
            self._image = (source, source.read())
        assert self._image is not None  # noqa: S101 - just read
        return self._image[1]

    def _write_metadata(self, metadata: Metadata) -> None:
        """Write a changed metadata to the layer and show it."""
        assert self.layer is not None  # noqa: S101 - a metadata is changed only with a result
        self.layer.metadata = {**self.layer.metadata, KEY: metadata}
        autosave_of(self._viewer).mark_changed(self.layer)
        if self._source is not None:
            history_of(self.layer).remember(self._source.key, self.layer.data[self._source.index], metadata)
        self._look_at_saved()
        self._recolour()

    def _tick(self, label: int, is_object: bool) -> None:
        metadata = self.metadata
        for one in self._ids(label):
            metadata = with_tick(metadata, one, is_object=is_object)
        self._change_metadata(foreground=metadata["foreground"])

    def _rename(self, label: int, name: str) -> None:
        metadata = self.metadata
        for one in self._ids(label):
            metadata = with_name(metadata, one, name)
        self._change_metadata(names=metadata["names"])

    def _change_metadata(self, **entries: Any) -> None:
        """A tick or a name: one step of undo, though no label changes."""
        assert self.layer is not None  # noqa: S101 - asked for with a result
        assert self._source is not None  # noqa: S101 - likewise
        change_metadata(self._viewer, self.layer, self._source.key, **entries)

    def _choose_shown(self, shown: Shown) -> None:
        if self.layer is not None:
            choose_shown(self.layer, shown)
            self._recolour()
            if self._clusters:
                self._show_rows()

    def _merge(self, labels: list[int]) -> None:
        """Make one cluster of several in the plane in view, as one step of undo; locks stay as they are."""
        assert self.layer is not None  # noqa: S101 - asked for with a result
        try:
            editor_of(self._viewer, self.layer).change(lambda plane, locked: merge(plane, labels, locked))
        except S3NetError as error:
            show_error(str(error))
            return
        self.measure()

    def _pick(self, label: int) -> None:
        if self.layer is not None:
            self._viewer.layers.selection.active = self.layer
            self.layer.selected_label = label

    def _recolour(self) -> None:
        """Colour the layer, unless it has these very colours: napari takes long, and a step through a volume asks."""
        if self.layer is None:
            return
        about = metadata_of(self.layer)
        if about is None:
            return
        shown, known = shown_of(self.layer, about), self._coloured
        if known is None or known[0] is not about or known[1] is not shown or known[2] is not self.layer.colormap:
            recolour(self.layer)
            self._coloured = about, shown, self.layer.colormap

    def _painted(self, event: Any = None) -> None:
        self._has_moved = False
        self._changed()

    def _changed(self, event: Any = None) -> None:
        self._show_about()
        self._measure_soon.start()

    def _release(self) -> None:
        self._hovered.leave()
        self._measure_soon.stop()
        self._measure_plane_soon.stop()
        self._measuring.drop()
        self._measures.drop()
        self._counter.drop()
        self._saved.look(None)
        self._voxels, self._stack = {}, None
        if self.layer is not None:
            self.layer.events.paint.disconnect(self._painted)
            self.layer.events.set_data.disconnect(self._changed)
