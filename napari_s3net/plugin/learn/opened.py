"""The image that Learn opens to be corrected: shown where the model looked, and what of it somebody looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from napari.layers import Image as ImageLayer
from napari.layers import Labels
from qtpy.QtCore import QObject

from napari_s3net.plugin.jobs.pause import after_pause
from napari_s3net.plugin.layers.file_of import note_file
from napari_s3net.plugin.layers.plane_key import key_in_view
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.result_layer import find_result
from napari_s3net.plugin.layers.slice_states import SEEN_MS, states_of
from napari_s3net.plugin.layers.stroke_layer import find_strokes
from napari_s3net.plugin.layers.view import hide_others, show_whole
from napari_s3net.plugin.learn.applying import whole_of
from napari_s3net.plugin.learn.open_layers import file_among
from napari_s3net.plugin.learn.result import add_result, is_kept, open_image, put_result
from napari_s3net.result import Segmentation


def show_middle(viewer: Any, layer: Any) -> None:
    """Move the sliders to the middle slice of a layer, wherever it lies, and show the whole of it.

    Parameters
    ----------
    viewer : napari.Viewer
        Shows the layer.
    layer : napari.layers.Layer
        An image or labels; of a plane only the view moves.
    """
    dims = viewer.dims
    middle = layer.data_to_world(tuple(n // 2 for n in layer.data.shape[: layer.ndim]))
    for axis, place in enumerate(middle, dims.ndim - layer.ndim):
        dims.set_point(axis, place)
    show_whole(viewer)


class Correcting:
    """The image of the folder that is corrected now: one that Learn has opened, or one that a model was applied to.

    Parameters
    ----------
    viewer : napari.Viewer
        Holds its layers.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        #: The file, its image and its labels.
        self.opened: tuple[Path, ImageLayer, Labels] | None = None
        self._has_opened = False

    @property
    def labels(self) -> Labels | None:
        """Its labels; None where no image is corrected."""
        return None if self.opened is None else self.opened[2]

    def show(self, path: Path, result: Segmentation, colours: Mapping[int, str]) -> None:
        """Open an image with the model's labels, and hide all others.

        One that lies open already is taken as it is there, with the model's labels that were corrected and not kept.

        Parameters
        ----------
        path : Path
            Its file.
        result : Segmentation
            What the model says of it, with the image.
        colours : mapping of int to str
            Of the classes.
        """
        assert result.image is not None  # noqa: S101 - just applied
        image = self._find_open(path, result)
        self._has_opened = image is None
        if image is None:
            hide_others(self._viewer)
            image = open_image(self._viewer, result.image)
            note_file(image, path)
            labels = add_result(self._viewer, image, result, colours)
        else:
            labels = self._labels_on(image, result, colours)
            hide_others(self._viewer, image, labels)
            image.visible = labels.visible = True
        self.opened = path, image, labels
        show_middle(self._viewer, image)

    def _find_open(self, path: Path, result: Segmentation) -> ImageLayer | None:
        """The file's image in the viewer, where it is as it was read."""
        for layer in map(plain, self._viewer.layers):
            is_image = isinstance(layer, ImageLayer) and not layer.multiscale and file_among(layer, [path]) is not None
            if is_image and layer.data.shape[: result.labels.ndim] == result.labels.shape:
                return layer
        return None

    def _labels_on(self, image: ImageLayer, result: Segmentation, colours: Mapping[int, str]) -> Labels:
        """The model's labels of an open image: those that were corrected and not kept, else new ones."""
        stack = whole_of(self._viewer, image)
        labels = find_result(self._viewer.layers, image, stack.source, "model")
        if labels is None or is_kept(labels):
            labels = put_result(self._viewer, image, stack, result, colours)
        self._viewer.layers.selection.active = labels
        return labels

    def follow(self, image: ImageLayer, labels: Labels, files: Sequence[Path]) -> None:
        """A model was applied to an image: one of the folder is what is corrected from now on.

        Parameters
        ----------
        image : napari.layers.Image
            The image.
        labels : napari.layers.Labels
            Those of the model.
        files : sequence of Path
            The folder's images.
        """
        if self.opened is not None and self.opened[1] is image:
            self.opened = self.opened[0], image, labels
        elif (path := file_among(image, files)) is not None:
            self.close()
            self.opened, self._has_opened = (path, image, labels), False

    def forget_others(self, files: Sequence[Path]) -> None:
        """Let go of an image that is none of the folder: its labels would be kept among those of other images.

        Parameters
        ----------
        files : sequence of Path
            The folder's images.
        """
        if self.opened is not None and self.opened[0] not in files:
            self.opened = None

    def forget_renewed(self, layers: Iterable[Any]) -> None:
        """Let go of an image whose layers are about to show another one: its file would get the labels of that.

        Parameters
        ----------
        layers : iterable of napari.layers.Layer
            Those that begin anew.
        """
        if self.opened is not None and any(one is other for one in layers for other in self.opened[1:]):
            self.opened = None

    def close(self) -> str:
        """Take away what was opened; what was corrected and not kept stays.

        Returns
        -------
        str
            That it stays; empty where it does not.
        """
        if self.opened is None or not self._has_opened:
            return ""
        path, image, labels = self.opened
        if not is_kept(labels):
            return f" {path.name} was corrected and not kept: its layers stay, for Take labels of open layers."
        for layer in (image, labels, find_strokes(self._viewer.layers, labels)):
            if any(plain(one) is layer for one in self._viewer.layers):
                self._viewer.layers.remove(layer)
        return ""


class SeenSlices:
    """Notes which slices of labels somebody looks at, for as long as it takes to see something.

    Parameters
    ----------
    viewer : napari.Viewer
        Shows the labels.
    opened : callable
        Returns the labels, or None.
    parent : qtpy.QtCore.QObject
        Owns the timer.
    """

    def __init__(self, viewer: Any, opened: Callable[[], Labels | None], parent: QObject) -> None:
        self._viewer, self._opened = viewer, opened
        self._soon = after_pause(SEEN_MS, self.mark, parent)

    def moved(self, event: Any = None) -> None:
        """Another slice may be in view.

        Parameters
        ----------
        event : object
            Of the viewer; not looked at.
        """
        self._soon.start()

    def mark(self) -> None:
        """The slice in view has been looked at, where the labels are in view at all."""
        layer, viewer = self._opened(), self._viewer
        if layer is None or viewer.dims.ndisplay == 3 or not layer.visible:
            return
        if layer.data.ndim > 2 and any(plain(one) is layer for one in viewer.layers):
            key = key_in_view(layer, layer.data.shape, viewer.dims.point, viewer.dims.order[-2:])
            states_of(layer).seen.add(key)
