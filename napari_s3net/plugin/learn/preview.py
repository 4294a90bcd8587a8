"""What a network that is learning says of an image: a layer of labels that comes, changes and goes."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels
from numpy.typing import NDArray

from napari_s3net.errors import S3NetError
from napari_s3net.image import Image
from napari_s3net.plugin.layers.palette import CLEAR, colormap_of
from napari_s3net.plugin.layers.placement import KEY, transform_of
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.source import Source, level_scale, source_of
from napari_s3net.plugin.layers.stroke_layer import HELPER, is_helper

NAME = "Preview of learning"


class Preview:
    """The layer of one dock.

    Parameters
    ----------
    viewer : napari.Viewer
        The layer comes into it.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._layer: Labels | None = None
        self._image: ImageLayer | None = None
        self._source: Source | None = None
        self._colours: dict[int, str] = {}

    def images(self) -> list[ImageLayer]:
        """List the open image layers.

        Returns
        -------
        list of napari.layers.Image
            The topmost last; no maps of what is uncertain.
        """
        layers = [plain(layer) for layer in self._viewer.layers]
        return [layer for layer in layers if isinstance(layer, ImageLayer) and not is_helper(layer)]

    def image_in_view(self) -> ImageLayer | None:
        """Find the selected image, or the topmost one that is visible.

        Returns
        -------
        napari.layers.Image or None
            None where there is none.
        """
        active, images = plain(self._viewer.layers.selection.active), self.images()
        selected = [layer for layer in images if layer is active]
        return next(iter(selected + [layer for layer in reversed(images) if layer.visible]), None)

    def choose(self, name: str, colours: dict[int, str]) -> Image | None:
        """Choose the image that is previewed on.

        Parameters
        ----------
        name : str
            Of an image layer; empty for the image in view.
        colours : dict of int to str
            Of the classes.

        Returns
        -------
        Image or None
            Its plane in view; None without an image, or where it cannot be read.
        """
        named = [layer for layer in self.images() if layer.name == name]
        layer = named[-1] if named else self.image_in_view()
        if layer is None:
            return None
        try:
            source = source_of(layer, self._viewer.dims.point, self._viewer.dims.displayed)
            image: Image = source.read()
        except S3NetError:
            return None
        self._image, self._source, self._colours = layer, source, colours
        return image

    def show(self, labels: NDArray[Any]) -> None:
        """Show labels on the chosen image; once that or the preview was removed, no longer.

        Parameters
        ----------
        labels : numpy.ndarray
            (H, W), of the chosen plane.
        """
        if self._image is None or self._source is None:
            return
        if self._layer is None and self._holds(self._image):
            self._open(self._image, self._source)
        if not (self._is_open() and self._holds(self._image)):
            self.drop()
            self._image = None
        if self._layer is not None:
            self._layer.data[self._source.index] = labels
            self._layer.refresh(extent=False)

    def _open(self, image: ImageLayer, source: Source) -> None:
        """Add the layer, of the image's shape so that it lies in its plane; what is selected stays so."""
        table: dict[Any, Any] = {None: CLEAR, 0: CLEAR, **self._colours}
        place = {**transform_of(image), "scale": level_scale(image, source.shape)}
        empty = np.zeros(source.shape, np.uint8)
        about = {KEY: {HELPER: "preview"}}
        self._layer = Labels(empty, name=NAME, opacity=0.4, colormap=colormap_of(table), metadata=about, **place)
        selection = self._viewer.layers.selection
        active = plain(selection.active)
        self._viewer.add_layer(self._layer)
        selection.active = active

    def drop(self) -> None:
        """Take the layer away, where it is still there."""
        if self._is_open():
            self._viewer.layers.remove(self._layer)
        self._layer = None

    def _is_open(self) -> bool:
        return self._layer is not None and self._holds(self._layer)

    def _holds(self, layer: Any) -> bool:
        return any(plain(one) is layer for one in self._viewer.layers)
