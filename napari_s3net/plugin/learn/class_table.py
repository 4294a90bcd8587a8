"""The classes that are learned, as a table: colour, value and name of each. Shows and tells; decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QColorDialog, QHeaderView, QTableWidget, QTableWidgetItem

from napari_s3net.learning.files import default_names
from napari_s3net.plugin.layers.palette import class_colour

COLUMNS = ("", "Value", "Class")
COLOUR, VALUE, NAME = range(3)
#: More rows than this scroll.
MOST_ROWS = 4


class ClassTable(QTableWidget):
    """Rows of classes; a double click changes a name or a colour."""

    def __init__(self) -> None:
        super().__init__(0, len(COLUMNS))
        #: What was typed and chosen, and what was shown before that.
        self._own_names: dict[int, str] = {}
        self._own_colours: dict[int, str] = {}
        self._shown_names: dict[int, str] = {}
        self._shown_colours: dict[int, str] = {}
        self.setHorizontalHeaderLabels(COLUMNS)
        self.setAccessibleName("Classes")
        self.setToolTip("The classes of the labels. Double-click a name or a colour to change it.")
        self.verticalHeader().hide()
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        self.cellDoubleClicked.connect(self._ask_colour)
        self.hide()

    def show_classes(self, values: Iterable[int], names: Mapping[int, str], colours: Mapping[int, str]) -> None:
        """Show one row a class; what was typed or chosen for a class before stays.

        Parameters
        ----------
        values : iterable of int
            Those of the labels' files.
        names, colours : mapping
            As a model knows them, by value; colours as "#rrggbb".
        """
        ordered = sorted(values)
        self._own_names |= _others(self.names(), self._shown_names)
        self._own_colours |= _others(self.colours(), self._shown_colours)
        names = {**default_names(ordered), **names, **self._own_names}
        colours = {**colours, **self._own_colours}
        self.setRowCount(len(ordered))
        for place, value in enumerate(ordered):
            swatch, number, name = QTableWidgetItem(), QTableWidgetItem(str(value)), QTableWidgetItem(names[value])
            swatch.setBackground(QColor(colours.get(value) or class_colour(place + 1)))
            for item in (swatch, number):
                item.setFlags(Qt.ItemFlag.ItemIsEnabled)
            for column, item in enumerate((swatch, number, name)):
                self.setItem(place, column, item)
        self._shown_names, self._shown_colours = self.names(), self.colours()
        shown = min(len(ordered), MOST_ROWS)
        rows = shown * self.verticalHeader().defaultSectionSize()
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + rows + 2 * self.frameWidth())
        self.setVisible(bool(ordered))

    def forget(self) -> None:
        """Forget the classes, and what was typed and chosen for them: others are about to come."""
        self.setRowCount(0)
        for known in (self._own_names, self._own_colours, self._shown_names, self._shown_colours):
            known.clear()
        self.hide()

    def names(self) -> dict[int, str]:
        """The names as they stand there.

        Returns
        -------
        dict of int to str
            By value; a class whose name was emptied is left out.
        """
        rows = range(self.rowCount())
        found = {int(self.item(row, VALUE).text()): self.item(row, NAME).text().strip() for row in rows}
        return {value: name for value, name in found.items() if name}

    def colours(self) -> dict[int, str]:
        """The colours as they are shown.

        Returns
        -------
        dict of int to str
            "#rrggbb" by value.
        """
        rows = range(self.rowCount())
        return {int(self.item(row, VALUE).text()): self.item(row, COLOUR).background().color().name() for row in rows}

    def set_colour(self, row: int, colour: QColor) -> None:
        """Give a class another colour.

        Parameters
        ----------
        row : int
            Of the class.
        colour : QColor
            One that is not valid, as a dialog that was left gives, changes nothing.
        """
        if colour.isValid():
            self.item(row, COLOUR).setBackground(colour)

    def _ask_colour(self, row: int, column: int) -> None:
        if column == COLOUR:
            before = self.item(row, COLOUR).background().color()
            self.set_colour(row, QColorDialog.getColor(before, self, "Colour of the class"))


def _others(now: Mapping[int, str], before: Mapping[int, str]) -> dict[int, str]:
    """What is not as it was before."""
    return {value: one for value, one in now.items() if one != before.get(value)}
