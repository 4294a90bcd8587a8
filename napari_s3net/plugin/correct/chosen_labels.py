"""The labels that are corrected: which layer, on which image, and which plane of them is in view."""

from __future__ import annotations

from typing import Any

from napari.layers import Image as ImageLayer
from napari.layers import Labels

from napari_s3net.errors import InvalidImageError
from napari_s3net.labels.ids import ids_in
from napari_s3net.plugin.layers.plane_key import PlaneKey, key_in_view
from napari_s3net.plugin.layers.proxy import holds, plain
from napari_s3net.plugin.layers.result_layer import is_result_of, why_not_writable
from napari_s3net.plugin.layers.source import Source, finest_level, source_of
from napari_s3net.plugin.layers.stroke_layer import is_helper
from napari_s3net.plugin.layers.target import why_not_final


class ChosenLabels:
    """One label layer at a time, in the plane that is in view; changes nothing.

    Parameters
    ----------
    viewer : napari.Viewer
        Its layers and sliders.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self.layer: Labels | None = None

    def candidates(self) -> list[Labels]:
        """The label layers that can be corrected.

        Returns
        -------
        list of napari.layers.Labels
            Those on an image of their size, in the order of the layer list; no strokes, no masks of a result.
        """
        layers = [layer for layer in map(plain, self._viewer.layers) if isinstance(layer, Labels)]
        return [one for one in layers if not is_helper(one) and self._image_of(one) is not None]

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
    def key(self) -> PlaneKey | None:
        """Which plane that is."""
        image = self.image
        if image is None:
            return None
        return key_in_view(image, finest_level(image)[1], self._viewer.dims.point, self._viewer.dims.order[-2:])

    @property
    def problem(self) -> str:
        """Why the chosen labels cannot be corrected, in words; empty where they can, and where none are chosen."""
        if self.layer is None:
            return ""
        if reason := why_not_writable(self.layer):
            return f"{self.layer.name} cannot be corrected: {reason}. Duplicate it as ordinary labels and choose these."
        return why_not_final(self.layer)

    @property
    def is_there(self) -> bool:
        """Whether the layer is still in the viewer, with its image, and can be corrected."""
        return holds(self._viewer, self.layer) and not self.problem and self.image is not None

    def _image_of(self, labels: Labels) -> ImageLayer | None:
        """The image that labels belong to: the one they were made from, else the uppermost of their size."""
        images = [layer for layer in map(plain, self._viewer.layers) if isinstance(layer, ImageLayer)]
        images = [one for one in images if not is_helper(one) and one.ndim == labels.ndim]
        fitting = [one for one in images if finest_level(one)[1] == finest_level(labels)[1]]
        made_from = [one for one in fitting if is_result_of(labels, one)]
        return (made_from or fitting[::-1] or [None])[0]

    @property
    def ids(self) -> list[int]:
        """Labels in view, above 0."""
        layer, key = self.in_view()
        return ids_in(layer.data[key.index])

    def in_view(self) -> tuple[Labels, PlaneKey]:
        """The layer that is corrected, and which plane of it is in view.

        Returns
        -------
        layer : napari.layers.Labels
        key : PlaneKey
            The plane.

        Raises
        ------
        InvalidImageError
            If no labels are chosen, they lie on no image, they cannot be written to, or a run previews in them.
        """
        key, problem = self.key, self.problem
        if problem or self.layer is None or key is None:
            raise InvalidImageError(problem or "There are no labels on an image to correct.")
        return self.layer, key

    def target(self) -> tuple[Labels, Source]:
        """The layer that is corrected, and the plane of the image below; to look at its geometry takes a millisecond.

        Returns
        -------
        layer : napari.layers.Labels
        source : Source
            The plane in view.

        Raises
        ------
        InvalidImageError
            As `in_view`.
        """
        (layer, _), source = self.in_view(), self.source
        assert source is not None  # noqa: S101 - the labels lie on an image
        return layer, source

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
