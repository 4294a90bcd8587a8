"""What the brush paints: object, background or a label, or that it erases; taken by button, key or list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.utils.notifications import show_info
from qtpy.QtCore import QObject

from napari_s3net.correction.constraints import BACKGROUND, OBJECT
from napari_s3net.plugin.correct.label_editor import LabelEditor
from napari_s3net.plugin.correct.label_list import LabelList
from napari_s3net.plugin.correct.panels import PaintPanel
from napari_s3net.plugin.layers.proxy import plain


class BrushController(QObject):
    """Between the buttons of the brush and napari's own, in the layer of strokes.

    Parameters
    ----------
    viewer : napari.Viewer
        The layer of strokes is selected in it.
    editor : LabelEditor
        Makes that layer.
    panel : PaintPanel
        Shows what is painted.
    labels : LabelList
        Says which label is painted.
    listen : callable
        Called where there may be a new layer of strokes, which somebody has to listen to.
    parent : QObject
        The dock.
    """

    def __init__(
        self,
        viewer: Any,
        editor: LabelEditor,
        panel: PaintPanel,
        labels: LabelList,
        listen: Callable[[], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._editor, self._panel, self._labels = viewer, editor, panel, labels
        self._listen = listen
        panel.brush_chosen.connect(self.take)
        labels.picked.connect(self._picked)

    def take(self, name: str) -> None:
        """Paint object, background or the selected label, or erase, in the layer of strokes.

        Parameters
        ----------
        name : str
            "object", "background", "label" or "erase". A label whose number no stroke can carry is told, not painted.
        """
        if not self._editor.is_there:
            return
        if name == "label":
            self._labels.fold.expand(animate=False)
        selected = self._labels.selected or self._editor.ids
        value = {"object": OBJECT, "background": BACKGROUND}.get(name, selected[0] if selected else OBJECT)
        if name == "label" and selected and value >= BACKGROUND:  # these numbers mean a side of the border
            show_info(f"Draw {value} on its own layer: strokes name labels up to {BACKGROUND - 1} alone.")
            self.show()
            return
        strokes = self._editor.strokes.make()
        self._listen()
        strokes.visible = True
        self._viewer.layers.selection.active = strokes
        if name != "erase":
            strokes.selected_label = value
        strokes.mode = "erase" if name == "erase" else "paint"
        self.show()

    def take_label(self, label: int) -> None:
        """Paint a label, if it is in view.

        Parameters
        ----------
        label : int
            Its number.
        """
        if self._editor.is_there and label in self._editor.ids:
            self._labels.select(label)
            self.take("label")

    def show(self, event: Any = None) -> None:
        """Show what napari's brush paints now.

        Parameters
        ----------
        event : object, optional
            Of napari; not looked at.
        """
        strokes, name = self._editor.strokes.layer, ""
        if strokes is not None and plain(self._viewer.layers.selection.active) is strokes:
            painted = {OBJECT: "object", BACKGROUND: "background"}.get(strokes.selected_label, "label")
            name = {"paint": painted, "fill": painted, "polygon": painted, "erase": "erase"}.get(str(strokes.mode), "")
        self._panel.show_brush(name)

    def _picked(self) -> None:
        """Another label was selected: paint that, if labels are painted."""
        if self._panel.buttons["label"].isChecked():
            self.take("label")
