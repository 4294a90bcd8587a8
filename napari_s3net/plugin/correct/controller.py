"""The labels that are corrected: which layer on which image, its plane in view, its strokes, locks and undo."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.correction.constraints import BACKGROUND, OBJECT
from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Segmentation
from napari_s3net.plugin.correct.renaming import choose_object
from napari_s3net.plugin.correct.tools import Plane, ids_in
from napari_s3net.plugin.layers.layer_segments import names_in_features
from napari_s3net.plugin.layers.locks import Locks, locks_of
from napari_s3net.plugin.layers.metadata import restored, with_new_ids
from napari_s3net.plugin.layers.metadata_history import history_of
from napari_s3net.plugin.layers.object_outline import outline_object
from napari_s3net.plugin.layers.palette import hex_colour
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.result_layer import (
    fits_source,
    is_result_of,
    metadata_of,
    plain,
    recolour,
    why_not_writable,
    write_undoable,
    write_unrecorded,
)
from napari_s3net.plugin.layers.run_cache import cache_run, cached_run, remember_as_found
from napari_s3net.plugin.layers.source import Source, finest_level, inspect_source, source_of
from napari_s3net.plugin.layers.stroke_layer import HELPER, add_strokes, find_strokes, is_strokes, recolour_strokes
from napari_s3net.plugin.layers.waiting import is_waiting
from napari_s3net.provenance import Provenance
from napari_s3net.settings import Settings, presets

#: The smallest brush in pixels that can be seen and hit.
LEAST_BRUSH = 3


class LabelEditor:
    """One label layer at a time, in the plane that is in view; knows no widget.

    Parameters
    ----------
    viewer : napari.Viewer
        Its layers and sliders.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self.layer: Labels | None = None
        self._settings: tuple[Source, Settings] | None = None
        self._brush: int | None = None

    # -- which

    def candidates(self) -> list[Labels]:
        """The label layers that can be corrected.

        Returns
        -------
        list of napari.layers.Labels
            Those on an image of their size, in the order of the layer list; no strokes, no masks of a result.
        """
        layers = [layer for layer in map(plain, self._viewer.layers) if isinstance(layer, Labels)]
        return [one for one in layers if not _is_helper(one) and self._image_of(one) is not None]

    def choose(self, layer: Labels | None) -> None:
        """Correct another layer, or none; labels that no run has made are remembered for `revert`.

        Parameters
        ----------
        layer : napari.layers.Labels or None
            The labels to correct.
        """
        self._brush = self._brush if layer is self.layer else None
        self.layer = layer
        if layer is not None and not self.problem and (source := self.source) is not None:
            remember_as_found(layer, source.key)
            self.recolour_strokes()
            if metadata_of(layer) is not None:
                outline_object(self._viewer, layer)

    @property
    def image(self) -> ImageLayer | None:
        """The image that the labels lie on; None without labels or image."""
        return None if self.layer is None else self._image_of(self.layer)

    @property
    def source(self) -> Source | None:
        """The plane of the image that is in view; None without labels or image."""
        image = self.image
        if image is None:
            return None
        return source_of(image, self._viewer.dims.point, self._viewer.dims.order[-2:])

    @property
    def problem(self) -> str:
        """Why the chosen labels cannot be corrected, in words; empty where they can, and where none are chosen."""
        reason = "" if self.layer is None else why_not_writable(self.layer)
        if self.layer is None or not reason:
            return ""
        return f"{self.layer.name} cannot be corrected: {reason}. Duplicate it as ordinary labels and choose these."

    @property
    def is_there(self) -> bool:
        """Whether the layer is still in the viewer, with its image, and can be corrected."""
        layers = [plain(layer) for layer in self._viewer.layers]
        if self.layer is None or self.problem or not any(one is self.layer for one in layers):
            return False
        return self.source is not None

    def _image_of(self, labels: Labels) -> ImageLayer | None:
        """The image that labels belong to: the one they were made from, else the uppermost of their size."""
        images = [layer for layer in map(plain, self._viewer.layers) if isinstance(layer, ImageLayer)]
        images = [one for one in images if not _is_helper(one) and one.ndim == labels.ndim]
        fitting = [one for one in images if finest_level(one)[1] == finest_level(labels)[1]]
        made_from = [one for one in fitting if is_result_of(labels, one)]
        return (made_from or fitting[::-1] or [None])[0]

    # -- the plane in view

    @property
    def plane(self) -> Plane:
        """Labels in view with object and names."""
        layer, source = self.target()
        labels, about = layer.data[source.index], metadata_of(layer)
        if about is None:
            return Plane(labels, tuple(ids_in(labels)), {})
        return Plane(labels, tuple(about["foreground"]), about["names"])

    @property
    def numbered(self) -> Plane:
        """The same with the highest number of the whole layer, for tools that give new ones."""
        return replace(self.plane, highest=int(self.target()[0].data.max(initial=0)))

    @property
    def ids(self) -> list[int]:
        """Labels in view, above 0."""
        return ids_in(self.plane.labels)

    def rows(self) -> list[tuple[int, str, str]]:
        """The labels in view, for a list.

        Returns
        -------
        list of tuple
            Id, name, and colour as "#rrggbb", in ascending order of id.

        Raises
        ------
        InvalidImageError
            If there are no labels on an image.
        """
        plane, (layer, _) = self.plane, self.target()
        about = metadata_of(layer)
        if about is None:
            named = names_in_features(layer.features)
            return [(i, named.get(i, f"Label {i}"), _hex(layer.get_color(i))) for i in self.ids]
        own = about.get("colours", {})
        colours = {i: own.get(i) or hex_colour(i, is_object=i in plane.foreground) for i in self.ids}
        return [(i, plane.name_of(i), colour) for i, colour in colours.items()]

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
        layer, source = self.target()
        before, about = layer.data[source.index], metadata_of(layer)
        if before.shape == new.labels.shape and np.array_equal(before, new.labels):
            known = [] if about is None else [i for i in new.foreground if i in {*about["names"], *self.ids}]
            return about is not None and choose_object(self._viewer, layer, source.key, known)
        if about is not None:
            history_of(layer).remember(source.key, before, about)
        write_undoable(layer, source.index, new.labels)
        if about is not None:
            foreground = sorted(int(i) for i in new.foreground)
            changed = {"foreground": foreground, "names": dict(new.names)}
            self._write_metadata(with_new_ids({**about, **changed}, self.ids))
        return True

    def follow_undo(self) -> bool:
        """After an undo or redo, bring back the names and the object of these labels; False if they are unchanged.

        Returns
        -------
        bool
            Whether names or object changed.
        """
        layer, source = self.target()
        about = metadata_of(layer)
        if about is None:
            return False
        back = restored(about, history_of(layer).recall(source.key, layer.data[source.index], about))
        if back is about:
            return False
        self._write_metadata(back)
        return True

    def revert(self) -> bool:
        """Put back the labels that the last run made of the plane in view; False if nothing has changed.

        Returns
        -------
        bool
            Whether anything changed.
        """
        layer, source = self.target()
        last = cached_run(layer, source.key)
        plane = self.plane
        return last is not None and self.write(replace(plane, labels=last.labels))

    def _write_metadata(self, about: dict[str, Any]) -> None:
        layer, source = self.target()
        layer.metadata = {**layer.metadata, KEY: about}
        history_of(layer).remember(source.key, layer.data[source.index], about)
        recolour(layer)

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
        about, labels, last = metadata_of(layer), self.plane.labels.astype(np.int32), cached_run(layer, source.key)
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
        layer, source = self.target()
        labels = result.labels.astype(layer.data.dtype)
        self.write(replace(self.plane, labels=labels, foreground=result.foreground, names=result.names))
        cache_run(layer, source.key, result.state, corrects=True)

    def join_object(self, foreground: Collection[int]) -> None:
        """Note labels that strokes have made part of the object.

        Parameters
        ----------
        foreground : collection of int
            The object's labels; nothing changes where all are known, and for labels that no run has made.
        """
        layer, _ = self.target()
        about = metadata_of(layer)
        if about is not None and set(foreground) - set(about["foreground"]):
            joined = sorted({*about["foreground"], *foreground})
            self._write_metadata(with_new_ids({**about, "foreground": joined}, joined))

    def _suggested(self, source: Source) -> Settings:
        """Settings for labels made elsewhere: those of the preset that suits the image."""
        if self._settings is None or self._settings[0].data is not source.data:
            self._settings = source, presets[inspect_source(source)[1]].settings
        return self._settings[1]

    # -- strokes and locks

    @property
    def strokes(self) -> Labels | None:
        """The layer of strokes, if there is one."""
        return None if self.layer is None else find_strokes(self._viewer.layers, self.layer)

    def make_strokes(self) -> Labels:
        """The layer of strokes; it is added where there is none.

        Returns
        -------
        napari.layers.Labels
            Of the labels' shape.

        Raises
        ------
        InvalidImageError
            If there are no labels on an image.
        """
        layer, _ = self.target()
        found = self.strokes
        if found is None:
            found = add_strokes(self._viewer, layer, self.ids)
            if self._brush is not None:
                found.brush_size = self._brush
        return found

    def recolour_strokes(self) -> None:
        """Give the strokes the colours that the labels in view have now."""
        if self.layer is not None and self.strokes is not None:
            recolour_strokes(self.strokes, self.layer, self.ids)

    def fit_brush(self, extent: float) -> None:
        """Make the brush fit a place that is to be corrected: half as wide, so that a stroke stays within.

        Parameters
        ----------
        extent : float
            Of the place, in pixels.
        """
        self._brush = max(LEAST_BRUSH, round(extent / 2))
        if self.strokes is not None:
            self.strokes.brush_size = self._brush

    def constraints(self) -> NDArray[np.int32] | None:
        """The strokes of the plane in view.

        Returns
        -------
        numpy.ndarray or None
            (H, W) int32, a copy: 0 where nothing is drawn, else a label or `constraints.OBJECT` or
            `constraints.BACKGROUND`; None where there are no strokes.
        """
        strokes, (_, source) = self.strokes, self.target()
        if strokes is None or not strokes.data[source.index].any():
            return None
        return np.array(strokes.data[source.index], np.int32)

    def count_strokes(self) -> tuple[int, int, int]:
        """Count the strokes in view; pixels of one colour that touch, also at a corner, are one stroke.

        Returns
        -------
        objects, backgrounds, others : int
            Strokes of object, of background and of labels.
        """
        drawn = self.constraints()
        if drawn is None:
            return 0, 0, 0
        rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
        drawn = drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        counts = {i: ndimage.label(drawn == i, np.ones((3, 3)))[1] for i in ids_in(drawn)}
        sides = counts.pop(OBJECT, 0), counts.pop(BACKGROUND, 0)
        return *sides, sum(counts.values())

    def clear_strokes(self) -> None:
        """Take all strokes of the plane away, as one step."""
        strokes, (_, source) = self.strokes, self.target()
        if strokes is not None:
            write_undoable(strokes, source.index, np.zeros_like(strokes.data[source.index]))

    def put_strokes(self, drawn: NDArray[Any]) -> None:
        """Put strokes from elsewhere in the place of those of the whole layer; undo does not know of it.

        Parameters
        ----------
        drawn : numpy.ndarray
            Constraints of the layer's shape; 0 is not drawn.

        Raises
        ------
        InvalidImageError
            If they are not of the labels' shape.
        """
        strokes = self.make_strokes()
        if drawn.shape != strokes.data.shape:
            raise InvalidImageError(f"The strokes are {drawn.shape}, the labels {strokes.data.shape}.")
        write_unrecorded(strokes, (slice(None),) * drawn.ndim, drawn.astype(strokes.data.dtype))

    @property
    def locks(self) -> Locks:
        """What must not change of the labels."""
        layer, _ = self.target()
        return locks_of(layer)

    @property
    def locked_part(self) -> NDArray[np.bool_] | None:
        """Locked pixels of the plane in view; None where there are none."""
        _, source = self.target()
        return self.locks.in_plane(source.key)

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
        layer, source = self.target()
        return self.locks.toggle_part(layer.data.shape, source.key, part)

    def guarded(self, new: Plane) -> Plane:
        """Give locked parts back what they had before a tool.

        Parameters
        ----------
        new : numpy.ndarray
            (H, W), what a tool made of the plane in view.

        Returns
        -------
        Plane
            What the tool made, with the locked pixels of the plane in view.
        """
        _, source = self.target()
        return replace(new, labels=self.locks.guarded(source.key, self.plane.labels, new.labels))

    def pixel_size(self) -> tuple[float, str]:
        """The area of a pixel, by which sizes in mm² become pixels.

        Returns
        -------
        area : float
            1 where the image does not know its spacing.
        unit : str
            "mm²" or "px".
        """
        _, source = self.target()
        spacing = source.geometry.spacing
        return (spacing[0] * spacing[1], "mm²") if source.geometry.unit == "mm" else (1.0, "px")

    def target(self) -> tuple[Labels, Source]:
        """The layer that is corrected, and the plane in view.

        Returns
        -------
        layer : napari.layers.Labels
        source : Source
            The plane of the image below the labels.

        Raises
        ------
        InvalidImageError
            If no labels are chosen, they lie on no image, or they cannot be written to.
        """
        source = self.source
        if self.layer is None or source is None or not fits_source(self.layer, source):
            raise InvalidImageError(self.problem or "There are no labels on an image to correct.")
        return self.layer, source


def _is_helper(layer: Any) -> bool:
    """Whether a layer is one of ours beside the labels: strokes, uncertainty, the object alone, or empty as yet."""
    known = layer.metadata.get(KEY, {})
    return is_strokes(layer) or HELPER in known or "mask_of" in known or is_waiting(layer)


def _hex(rgba: Any) -> str:
    """A colour of napari's as "#rrggbb"."""
    return "#" + "".join(f"{round(255 * float(c)):02x}" for c in rgba[:3])
