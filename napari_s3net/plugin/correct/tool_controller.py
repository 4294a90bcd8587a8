"""The tools of the Correct dock: buttons that call the label tools, and three that ask for clicks in the view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from napari.utils.notifications import show_error

from napari_s3net.errors import InvalidImageError, S3NetError
from napari_s3net.labels.edit import component_at
from napari_s3net.plugin.correct import label_tools, tools
from napari_s3net.plugin.correct.label_editor import LabelEditor
from napari_s3net.plugin.correct.label_list import LabelList
from napari_s3net.plugin.correct.panels import ToolsPanel
from napari_s3net.plugin.correct.tools import Scope
from napari_s3net.plugin.widgets.clicks import Clicks, Point

#: How many clicks a tool needs, and what the dock says meanwhile.
CLICKS = {
    "cut": (2, "Click two places in one part: it is cut between them."),
    "assign": (1, "Click the part to give to the selected label."),
    "lock_part": (1, "Click the part to lock, or to unlock."),
}


class ToolController:
    """Uses a tool on the labels that are corrected, and says what came of it.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the labels are, and where clicks are made.
    editor : LabelEditor
        Knows the labels.
    panel : ToolsPanel
        What the tools act on, and how far.
    labels : LabelList
        Which labels are selected.
    on_change : callable
        Called after each tool.
    """

    def __init__(
        self, viewer: Any, editor: LabelEditor, panel: ToolsPanel, labels: LabelList, on_change: Callable[[], None]
    ) -> None:
        self._viewer, self._editor, self._panel, self._labels = viewer, editor, panel, labels
        self._on_change = on_change
        self.clicks = Clicks(viewer)

    def use(self, name: str) -> None:
        """Use a tool by its name.

        Parameters
        ----------
        name : str
            As on its button.

        Raises
        ------
        InvalidImageError
            If there is nothing to use it on.
        """
        self.release()
        self._panel.show_hint("")
        if name in CLICKS:
            self._ask_for_clicks(name)
            return
        if not self._tools()[name](self._viewer, self._editor.layer):
            self._panel.show_hint(label_tools.UNCHANGED)
        self._on_change()

    def release(self) -> None:
        """Stop waiting for clicks."""
        self.clicks.drop()

    def hush(self) -> None:
        """Something else is done: what came of the last tool is said no more; what is to be clicked stays."""
        if not self.clicks.is_asking:
            self._panel.show_hint("")

    def region(self) -> list[int]:
        """List the labels that the tools act on, taken together.

        Returns
        -------
        list of int
            In ascending order.
        """
        return sorted({label for ids in self._editor.plane.regions(self._scope) for label in ids})

    @property
    def _scope(self) -> Scope:
        scope = self._panel.scope
        return self._labels.selected if scope == "selected" else scope

    def _tools(self) -> dict[str, Callable[..., bool]]:
        """What each button calls with viewer and layer."""
        scope, selected, pixels = self._scope, self._labels.selected, int(self._panel.pixels.value)
        in_3d, smallest = self._panel.is_in_3d, self._panel.smallest.value
        return {
            "smooth": partial(label_tools.smooth, scope=scope),
            "fill_holes": partial(label_tools.fill_holes, scope=scope, in_3d=in_3d),
            "keep_largest": partial(label_tools.keep_largest, scope=scope, in_3d=in_3d),
            "remove_small": partial(label_tools.remove_small, scope=scope, smallest=smallest, in_3d=in_3d),
            "grow": partial(label_tools.dilate, scope=scope, pixels=pixels),
            "shrink": partial(label_tools.dilate, scope=scope, pixels=-pixels),
            "merge": partial(label_tools.merge, ids=selected),
            "split_parts": partial(label_tools.split_parts, ids=selected),
            "swap_sides": label_tools.swap_sides,
        }

    def _ask_for_clicks(self, name: str) -> None:
        layer, key = self._editor.layer, self._editor.key
        if layer is None or key is None:
            return
        if name == "assign" and len(self._labels.selected) != 1:
            raise InvalidImageError("Select one label in the list first: the part is given to it.")
        wanted, words = CLICKS[name]
        self._panel.show_hint(words)
        self.clicks.ask(layer, key.index, wanted, partial(self._use_clicks, name))

    def _use_clicks(self, name: str, points: Sequence[Point]) -> None:
        self._panel.show_hint("")
        try:
            self._panel.show_hint(self._at(name, points))
        except S3NetError as error:
            self._panel.show_hint(str(error))
            show_error(str(error))
        self._on_change()

    def _at(self, name: str, points: Sequence[Point]) -> str:
        """Use a tool on the part under the clicks; what came of it, where that is not seen."""
        editor, first, last = self._editor, points[0], points[-1]
        if name == "lock_part":
            return "Locked as it is." if editor.toggle_lock(component_at(editor.plane.labels, first)) else "Unlocked."
        if name == "cut":
            changed = editor.change(lambda plane, locked: tools.split_between(plane, first, last, locked))
        else:
            changed = editor.change(lambda plane, locked: tools.assign(plane, first, self._labels.selected[0], locked))
        return "" if changed else label_tools.UNCHANGED
