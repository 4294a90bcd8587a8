"""Which image layer the Segment dock works on, as layers come, go, are selected and get other data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.layers import Image as ImageLayer
from qtpy.QtCore import QObject, Signal

from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.renewal import renewals_of
from napari_s3net.plugin.layers.result_layer import is_result_of


class ChosenImage(QObject):
    """One image layer at a time: the active one, that of an active result, or the one that the user takes.

    Signals
    -------
    chosen()
        Another image, or none; or the same layer, which has begun anew.
    listed()
        The layer list has changed, or another image was chosen: comes after `chosen`.
    replaced()
        The layer has got other data.
    leaving()
        The layer is about to begin anew.

    Parameters
    ----------
    viewer : napari.Viewer
        Holds the layers.
    parent : QObject
        The dock.
    is_busy : callable
        Whether a run goes on; the image stays the same meanwhile, whichever layer is active.
    """

    chosen = Signal()
    listed = Signal()
    replaced = Signal()
    leaving = Signal()

    def __init__(self, viewer: Any, parent: QObject, is_busy: Callable[[], bool]) -> None:
        super().__init__(parent)
        self._viewer, self._is_busy = viewer, is_busy
        self.layer: ImageLayer | None = None
        #: The layer that was active when it was last followed; not during a run.
        self._active = plain(viewer.layers.selection.active)

    def viewer_events(self) -> list[tuple[Any, Callable[..., None]]]:
        """List what is to be heard of the viewer.

        Returns
        -------
        list of tuple
            Events, and who hears them.
        """
        layers, renewals = self._viewer.layers.events, renewals_of(self._viewer)
        return [
            *((getattr(layers, name), self.look) for name in ("inserted", "removed", "reordered", "renamed")),
            (self._viewer.layers.selection.events.active, self._follow),
            (renewals.renewing, self._leave),
            (renewals.renewed, self._renewed),
        ]

    def layers(self) -> list[ImageLayer]:
        """List the images to choose from.

        Returns
        -------
        list of napari.layers.Image
            In the order of the layer list.
        """
        return [layer for layer in map(plain, self._viewer.layers) if isinstance(layer, ImageLayer) and layer.ndim >= 2]

    def look(self, event: Any = None) -> None:
        """Keep up with the layer list: new, removed, moved and renamed layers.

        Parameters
        ----------
        event : object
            Of the viewer; not looked at.
        """
        images = self.layers()
        if self.layer not in images:
            active = plain(self._viewer.layers.selection.active)
            self._choose(active if active in images else images[-1] if images else None)
        self.listed.emit()

    def choose_nth(self, n: int) -> None:
        """Take an image of the list.

        Parameters
        ----------
        n : int
            Its place in `layers`.
        """
        self._choose(self.layers()[n])
        self.listed.emit()

    def catch_up(self) -> None:
        """After a run: take the image that became active meanwhile."""
        if plain(self._viewer.layers.selection.active) is not self._active:
            self._follow()

    def release(self) -> None:
        """Let go of the layer."""
        self._unfollow()
        self.layer = self._active = None

    def _follow(self, event: Any = None) -> None:
        """Choose the image layer that became active, or the one that an active result belongs to."""
        if self._is_busy():
            return
        self._active = active = plain(self._viewer.layers.selection.active)
        image = next((image for image in self.layers() if is_result_of(active, image)), active)
        if isinstance(image, ImageLayer) and image is not self.layer:
            self._choose(image)
            self.look()

    def _choose(self, layer: ImageLayer | None) -> None:
        self._unfollow()
        self.layer = layer
        if layer is not None:
            layer.events.data.connect(self._replaced)
        self.chosen.emit()

    def _unfollow(self) -> None:
        if self.layer is not None:
            self.layer.events.data.disconnect(self._replaced)

    def _replaced(self, event: Any = None) -> None:
        self.replaced.emit()

    def _leave(self, event: Any) -> None:
        """Layers are about to get another image."""
        if self.layer in event.layers:
            self._unfollow()
            self.leaving.emit()

    def _renewed(self, event: Any) -> None:
        """They have it: they are looked at as new ones."""
        if self.layer in event.layers:
            self._choose(self.layer)
