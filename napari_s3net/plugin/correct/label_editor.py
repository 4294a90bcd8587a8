"""Changes to labels: of the plane in view, each a step of undo, with names and object; locks, and re-runs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray

from napari_s3net.errors import InvalidImageError
from napari_s3net.labels.ids import ids_in
from napari_s3net.plugin.correct.chosen_labels import ChosenLabels
from napari_s3net.plugin.correct.renaming import choose_object
from napari_s3net.plugin.correct.strokes import Strokes
from napari_s3net.plugin.correct.tools import Plane
from napari_s3net.plugin.layers.layer_segments import names_in_features
from napari_s3net.plugin.layers.locks import Locks, locks_of
from napari_s3net.plugin.layers.metadata import restored, with_new_ids
from napari_s3net.plugin.layers.metadata_history import history_of
from napari_s3net.plugin.layers.object_outline import outline_object
from napari_s3net.plugin.layers.palette import hex_colour
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.result_layer import holds_classes, metadata_of, write_metadata
from napari_s3net.plugin.layers.run_cache import cache_run, cached_run, remember_as_found
from napari_s3net.plugin.layers.source import Source, inspect_source
from napari_s3net.plugin.layers.written_labels import write_undoable
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.settings import Settings, presets


def editor_of(viewer: Any, layer: Labels) -> LabelEditor:
    """Make an editor that corrects a layer.

    Parameters
    ----------
    viewer : napari.Viewer
        Holds the layer; its sliders say which plane is meant.
    layer : napari.layers.Labels
        The labels, or napari's proxy of them.

    Returns
    -------
    LabelEditor
        With the layer chosen.
    """
    editor = LabelEditor(viewer)
    editor.choose(plain(layer))
    return editor


class LabelEditor(ChosenLabels):
    """The chosen labels, to be changed; knows no widget.

    Parameters
    ----------
    viewer : napari.Viewer
        Its layers and sliders.

    Attributes
    ----------
    strokes : Strokes
        What is drawn on the labels.
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__(viewer)
        self.strokes = Strokes(viewer, self)
        self._settings: tuple[Source, Settings] | None = None

    def choose(self, layer: Labels | None) -> None:
        """Correct another layer, or none; labels that no run has made are remembered for `revert`.

        Parameters
        ----------
        layer : napari.layers.Labels or None
            The labels to correct.
        """
        if layer is not self.layer:
            self.strokes.forget_brush()
        self.layer = layer
        if layer is not None and not self.problem and (key := self.key) is not None:
            remember_as_found(layer, key)
            self.strokes.recolour()
            if metadata_of(layer) is not None:
                outline_object(self._viewer, layer)

    # -- the plane in view

    @property
    def plane(self) -> Plane:
        """Labels in view with object and names."""
        return _plane_of(*self.in_view())

    def rows(self) -> list[tuple[int, str, str]]:
        """The labels in view, for a list; of classes all of them, as each may be missing.

        Returns
        -------
        list of tuple
            Id, name, and colour as "#rrggbb", in ascending order of id.

        Raises
        ------
        InvalidImageError
            If there are no labels on an image.
        """
        layer, key = self.in_view()
        plane, about = _plane_of(layer, key), metadata_of(layer)
        ids = ids_in(plane.labels)
        if about is None:
            named = names_in_features(layer.features)
            return [(i, named.get(i, f"Label {i}"), _hex(layer.get_color(i))) for i in ids]
        own = about.get("colours", {})
        if holds_classes(layer):
            ids = sorted({*ids, *about["names"]})
        colours = {i: own.get(i) or hex_colour(i, is_object=i in plane.foreground) for i in ids}
        return [(i, plane.name_of(i), colour) for i, colour in colours.items()]

    def change(self, make: Callable[[Plane, Collection[int]], Plane]) -> bool:
        """Write what a tool makes of the plane in view, as one step that undo takes back; locked parts stay.

        Parameters
        ----------
        make : callable
            The tool: takes the plane, with the highest number of the whole layer, and the locked labels.

        Returns
        -------
        bool
            Whether anything changed.
        """
        layer, key = self.in_view()
        plane = replace(_plane_of(layer, key), highest=int(layer.data.max(initial=0)))
        return self.write(self.guarded(make(plane, locks_of(layer).labels)))

    def write(self, new: Plane) -> bool:
        """Write labels as one step that undo takes back, with what is known about them; False if nothing changed.

        Parameters
        ----------
        new : Plane
            The plane in view with new labels, names, or another object.

        Returns
        -------
        bool
            Whether anything changed.
        """
        layer, key = self.in_view()
        before, about = layer.data[key.index], metadata_of(layer)
        if before.shape == new.labels.shape and np.array_equal(before, new.labels):
            if about is None:
                return False
            known = {*about["names"], *ids_in(before)}
            return choose_object(self._viewer, layer, key, [i for i in new.foreground if i in known])
        if about is not None:
            history_of(layer).remember(key, before, about)
        write_undoable(layer, key.index, new.labels)
        if about is not None:
            foreground = sorted(int(i) for i in new.foreground)
            changed = {"foreground": foreground, "names": dict(new.names)}
            write_metadata(layer, key, with_new_ids({**about, **changed}, ids_in(layer.data[key.index])))
        return True

    def follow_undo(self) -> bool:
        """After an undo or redo, bring back the names and the object of these labels; False if they are unchanged.

        Returns
        -------
        bool
            Whether names or object changed.
        """
        layer, key = self.in_view()
        about = metadata_of(layer)
        if about is None:
            return False
        back = restored(about, history_of(layer).recall(key, layer.data[key.index], about))
        if back is about:
            return False
        write_metadata(layer, key, back)
        return True

    def revert(self) -> bool:
        """Put back the labels that the last run made of the plane in view; False if nothing has changed.

        Returns
        -------
        bool
            Whether anything changed.
        """
        layer, key = self.in_view()
        last = cached_run(layer, key)
        return last is not None and self.write(replace(_plane_of(layer, key), labels=last.labels))

    # -- runs

    def result(self) -> Segmentation:
        """The plane in view as a result to refine.

        Returns
        -------
        Segmentation
            (H, W) int32 labels, with the weights of the last run. Labels made elsewhere have no object, and the
            settings of the preset that suits the image.

        Raises
        ------
        InvalidImageError
            If there are no labels on an image.
        """
        layer, source = self.target()
        about, labels, last = metadata_of(layer), _as_int32(layer.data[source.index]), cached_run(layer, source.key)
        state = {} if last is None else last.state
        if about is None:
            made = Provenance(settings=self._suggested(source))
            return Segmentation(labels, (), source.geometry, made, state=state)
        return Segmentation.from_metadata(labels, source.geometry, about, state=state)

    def take(self, result: Segmentation) -> None:
        """Write what a re-run made, and keep its weights and labels for `revert`.

        Parameters
        ----------
        result : Segmentation
            Labels (H, W) of the plane that was corrected, with the network's weights.
        """
        layer, key = self.in_view()
        labels = result.labels.astype(layer.data.dtype)
        self.write(replace(_plane_of(layer, key), labels=labels, foreground=result.foreground, names=result.names))
        cache_run(layer, key, result.state, corrects=True)

    def join_object(self, foreground: Collection[int]) -> None:
        """Note labels that strokes have made part of the object.

        Parameters
        ----------
        foreground : collection of int
            The object's labels; nothing changes where all are known, and for labels that no run has made.
        """
        layer, key = self.in_view()
        about = metadata_of(layer)
        if about is not None and set(foreground) - set(about["foreground"]):
            joined = sorted({*about["foreground"], *foreground})
            named = dict.fromkeys(joined, about["object_name"]) | about["names"]
            write_metadata(layer, key, {**about, "foreground": joined, "names": named})

    def _suggested(self, source: Source) -> Settings:
        """Settings for labels made elsewhere: those of the preset that suits the image."""
        if self._settings is None or self._settings[0].data is not source.data:
            self._settings = source, presets[inspect_source(source)[1]].settings
        return self._settings[1]

    # -- locks

    @property
    def locks(self) -> Locks:
        """What must not change of the labels."""
        layer, _ = self.in_view()
        return locks_of(layer)

    @property
    def locked_part(self) -> NDArray[np.bool_] | None:
        """Locked pixels of the plane in view; None where there are none."""
        layer, key = self.in_view()
        return locks_of(layer).in_plane(key)

    def toggle_lock(self, part: NDArray[np.bool_]) -> bool:
        """Lock a part of the plane in view as it is, or unlock it; whether it is locked now.

        Parameters
        ----------
        part : numpy.ndarray
            (H, W): the pixels.

        Returns
        -------
        bool
            Whether they are locked now.
        """
        layer, key = self.in_view()
        return locks_of(layer).toggle_part(layer.data.shape, key, part)

    def guarded(self, new: Plane) -> Plane:
        """Give locked parts back what they had before a tool.

        Parameters
        ----------
        new : Plane
            What a tool made of the plane in view.

        Returns
        -------
        Plane
            What the tool made, with the locked pixels of the plane in view.
        """
        layer, key = self.in_view()
        labels = locks_of(layer).guarded(key, layer.data[key.index], new.labels)
        return replace(new, labels=labels)


def _plane_of(layer: Labels, key: PlaneKey) -> Plane:
    labels, about = layer.data[key.index], metadata_of(layer)
    if about is None:
        return Plane(labels, tuple(ids_in(labels)), {})
    return Plane(labels, tuple(about["foreground"]), about["names"])


def _as_int32(labels: NDArray[Any]) -> NDArray[np.int32]:
    """Labels as runs have them; others would come back with other numbers."""
    largest, bounds = int(labels.max(initial=0)), np.iinfo(np.int32)
    if largest > bounds.max or int(labels.min(initial=0)) < bounds.min:
        raise InvalidImageError(
            f"Labels up to {bounds.max:,} can be corrected by strokes; these go up to {largest:,}. "
            "Give them smaller numbers."
        )
    return labels.astype(np.int32)


def _hex(rgba: Any) -> str:
    """A colour of napari's as "#rrggbb"."""
    return "#" + "".join(f"{round(255 * float(c)):02x}" for c in rgba[:3])
