"""The labels in view, in the Correct dock: selected for painting, merging and tools, renamed, and locked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qtpy.QtCore import QModelIndex, QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QAbstractItemView, QLineEdit, QListWidget, QListWidgetItem, QStyledItemDelegate, QWidget

from napari_s3net.plugin.widgets.parts import button, caption, column, fold, row
from napari_s3net.plugin.widgets.text import share_text

#: In an item: the label's number, and its name without number and lock.
LABEL, NAME = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
#: Labels that are in view at once; the others by the list's scroll bar.
MOST = 5
#: Of a label's line, in pixels.
LEAST_HEIGHT = 16


class _NameEditor(QStyledItemDelegate):
    """Edits a label's name alone."""

    named = Signal(int, str)

    def setEditorData(self, editor: QWidget | None, index: QModelIndex) -> None:
        """For Qt: the field begins with the name."""
        if isinstance(editor, QLineEdit):
            editor.setText(index.data(NAME))

    def setModelData(self, editor: QWidget | None, model: Any, index: QModelIndex) -> None:
        """For Qt: what was typed; the list is made anew from the labels."""
        if isinstance(editor, QLineEdit) and (name := editor.text().strip()) and name != index.data(NAME):
            self.named.emit(index.data(LABEL), name)


class LabelList(QWidget):
    """The labels in view: selected for painting, merging and tools, renamed, and locked.

    Signals
    -------
    asked(str)
        "merge" or "lock" what is selected.
    picked()
        The selection is another one.
    renamed(int, str)
        The label of that number gets another name.
    """

    asked = Signal(str)
    picked = Signal()
    renamed = Signal(int, str)

    def __init__(self) -> None:
        super().__init__()
        self.list = QListWidget()
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setAccessibleName("Labels in view")
        self.list.setToolTip("A click selects a label, with Ctrl or Shift several; F2 or a double click renames it.")
        triggers = QAbstractItemView.EditTrigger
        self.list.setEditTriggers(triggers.EditKeyPressed | triggers.DoubleClicked)
        editor = _NameEditor(self.list)
        editor.named.connect(self.renamed)
        self.list.setItemDelegate(editor)
        self._shown: object = None
        self.list.setIconSize(QSize(12, 12))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemSelectionChanged.connect(self.picked)
        self.merge = button("Merge", "Make one label of those selected: that of the lowest number.")
        self.lock = button("Lock", "Keep the selected labels as they are, bit for bit; or unlock them.")
        self.merge.clicked.connect(lambda: self.asked.emit("merge"))
        self.lock.clicked.connect(lambda: self.asked.emit("lock"))
        self.locked_parts = caption()
        self.locked_parts.hide()
        self.fold = fold(
            "Labels", "Every label in view: to paint, merge or lock one of them.", self.list, row(self.merge, self.lock)
        )
        column(self, self.fold, self.locked_parts)

    @property
    def selected(self) -> list[int]:
        """The selected labels, in ascending order."""
        return sorted(item.data(LABEL) for item in self.list.selectedItems())

    def show_labels(self, rows: Iterable[tuple[int, str, str]], locked: Iterable[int]) -> None:
        """List the labels; what was selected stays so.

        Parameters
        ----------
        rows : iterable of tuple
            Id, name, and colour as "#rrggbb".
        locked : iterable of int
            Which of them are locked.
        """
        rows, held = list(rows), set(locked)
        if (rows, held) == self._shown:  # a name may be typed just now
            return
        self._shown = rows, held
        selected = set(self.selected)
        self.list.blockSignals(True)
        self.list.clear()
        for label, name, colour in rows:
            square = QPixmap(12, 12)
            square.fill(QColor(colour))
            item = QListWidgetItem(QIcon(square), f"{label}  {name}" + ("  (locked)" if label in held else ""))
            item.setData(LABEL, label)
            item.setData(NAME, name)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            self.list.addItem(item)
            item.setSelected(label in selected)
        self.list.blockSignals(False)
        height = max(1, min(MOST, self.list.count())) * max(LEAST_HEIGHT, self.list.sizeHintForRow(0))
        self.list.setFixedHeight(height + 2 * self.list.frameWidth() + 2)

    def show_locked_parts(self, share: float) -> None:
        """Say which share of the image, 0 to 1, lies in locked parts, if any does.

        Parameters
        ----------
        share : float
            0 to 1; nothing is said where it is 0.
        """
        self.locked_parts.setText(f"Locked parts: {share_text(share)} of the image. Lock part and a click unlock one.")
        self.locked_parts.setVisible(share > 0)

    def select(self, label: int) -> None:
        """Select one label.

        Parameters
        ----------
        label : int
            The label's number; one that is not listed is left.
        """
        for i in range(self.list.count()):
            self.list.item(i).setSelected(self.list.item(i).data(LABEL) == label)
