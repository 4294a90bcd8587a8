"""Runs the tools on the labels in view, each as one step of undo; those that need clicks ask for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.utils.notifications import show_error

from napari_s3net.errors import InvalidImageError, S3NetError
from napari_s3net.labels.edit import component_at
from napari_s3net.plugin.correct import tools as editing
from napari_s3net.plugin.correct.controller import Correcting
from napari_s3net.plugin.correct.panels import LabelList, ToolsPanel
from napari_s3net.plugin.correct.tools import Plane
from napari_s3net.plugin.widgets.clicks import Clicks, Point

#: How many clicks a tool needs, and what the dock says meanwhile.
CLICKS = {
    "cut": (2, "Click two places in one part: it is cut between them."),
    "assign": (1, "Click the part to give to the selected label."),
    "hold": (1, "Click the part to lock, or to open again."),
}


class Tooling:
    """The tools, their clicks, and what came of them."""

    def __init__(
        self, viewer: Any, work: Correcting, panel: ToolsPanel, labels: LabelList, changed: Callable[[], None]
    ) -> None:
        self._work, self._panel, self._labels, self._changed = work, panel, labels, changed
        self.clicks = Clicks(viewer)

    def use(self, name: str) -> None:
        """Use a tool by its name.

        Raises
        ------
        InvalidImageError
            If there is nothing to use it on.
        """
        self.clicks.drop()
        self._panel.show_hint("")
        if name in CLICKS:
            self._ask_clicks(name)
            return
        new = self._made(name)
        self._work.write(self._work.guarded(new))
        self._changed()

    def release(self) -> None:
        """Wait for no more clicks."""
        self.clicks.drop()

    def _made(self, name: str) -> Plane:
        plane, locked, selected = self._work.plane, self._work.locks.labels, self._labels.selected
        if name == "merge":
            return editing.merge(plane, selected, locked)
        if name == "parts":
            return editing.split_parts(plane, selected, locked)
        if name == "swap":
            return editing.swap_sides(plane, locked)
        regions = plane.regions(self._panel.scope, selected)  # type: ignore[arg-type]
        pixels = self._panel.pixels.value
        smallest = self._panel.smallest.value / self._work.pixel_size()[0]
        amount = {"small": smallest, "grow": pixels, "shrink": -pixels}.get(name, 0.0)
        tool = {"shrink": "grow"}.get(name, name)
        return editing.shape_tool(plane, tool, regions, amount, locked)

    def _ask_clicks(self, name: str) -> None:
        layer, source = self._work.layer, self._work.source
        if layer is None or source is None:
            return
        if name == "assign" and len(self._labels.selected) != 1:
            raise InvalidImageError("Select one label in the list first: the part is given to it.")
        wanted, words = CLICKS[name]
        self._panel.show_hint(words)
        self.clicks.ask(layer, source.index, wanted, lambda points: self._clicked(name, points))

    def _clicked(self, name: str, points: list[Point]) -> None:
        self._panel.show_hint("")
        plane, locked = self._work.plane, self._work.locks.labels
        try:
            if name == "hold":
                now = self._work.toggle_hold(component_at(plane.labels, points[0]))
                self._panel.show_hint("Locked as it is." if now else "Open again.")
            elif name == "cut":
                self._work.write(self._work.guarded(editing.split_between(plane, points[0], points[1], locked)))
            else:
                to = self._labels.selected[0]
                self._work.write(self._work.guarded(editing.assign(plane, points[0], to, locked)))
        except S3NetError as error:
            self._panel.show_hint(str(error))
            show_error(str(error))
        self._changed()
