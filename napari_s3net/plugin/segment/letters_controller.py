"""How the patient lies in the view: letters at its edges, and head or front at the top in each plane."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QWidget

from napari_s3net.plugin.layers.axis_letters import AxisLetters, axis_letters
from napari_s3net.plugin.layers.source import Source
from napari_s3net.plugin.layers.view import camera_of, grid_of
from napari_s3net.plugin.widgets.edge_letters import EdgeLetters


class LettersController:
    """Shows the letters, and turns a view that comes head down.

    Parameters
    ----------
    viewer : napari.Viewer
        Its camera is turned.
    dock : QWidget
        Somewhere in napari's window.
    """

    def __init__(self, viewer: Any, dock: QWidget) -> None:
        self._viewer, self.edges = viewer, EdgeLetters(dock)
        #: Layer and axes that were turned last: once each, so that who turns a view back keeps it so.
        self._turned: tuple[Any, tuple[int, ...]] | None = None
        self._usual: Any = None
        viewer.dims.events.ndisplay.connect(self._on_ndisplay)

    def follow(self, layer: Any, source: Source | None) -> None:
        """Show how the patient lies in the view; with several images beside each other, nothing.

        Parameters
        ----------
        layer : napari.layers.Image
            The image in view.
        source : Source or None
            Its plane; None without an image.
        """
        letters = self._letters(layer, source)
        if letters is None:
            self._turn_back()
        elif (layer, self._viewer.dims.displayed) != self._turned:
            self._turned = layer, self._viewer.dims.displayed
            if letters.top in ("I", "P"):
                self._turn()
                letters = self._letters(layer, source)
        self.edges.show_letters(letters)

    def release(self) -> None:
        """Take the letters away, and leave the camera as it was found."""
        self._viewer.dims.events.ndisplay.disconnect(self._on_ndisplay)
        self._turn_back()
        self.edges.release()

    def _on_ndisplay(self, event: Any = None) -> None:
        if self._viewer.dims.ndisplay == 3:
            self._turn_back()

    def _letters(self, layer: Any, source: Source | None) -> AxisLetters | None:
        if source is None or grid_of(self._viewer).enabled:
            return None
        return axis_letters(layer, source, self._viewer.dims.displayed, camera_of(self._viewer))

    def _turn(self) -> None:
        camera = camera_of(self._viewer)
        down, right = camera.orientation2d
        if self._usual is None:
            self._usual = camera.orientation2d
        camera.orientation2d = ("down" if str(down) == "up" else "up", str(right))

    def _turn_back(self) -> None:
        """As it was; in three dimensions a turned axis would show the patient's left as right."""
        if self._usual is not None:
            camera_of(self._viewer).orientation2d = self._usual
        self._usual = self._turned = None
