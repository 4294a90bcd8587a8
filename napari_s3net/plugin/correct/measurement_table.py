"""Measurements in a form: the object and each label with area and diameter, and all columns for a spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from magicgui.widgets import Table
from qtpy.QtWidgets import QWidget

from napari_s3net.plugin.widgets.copy_table import copy_table
from napari_s3net.plugin.widgets.parts import button, caption, column
from napari_s3net.plugin.widgets.text import NARROW, area_text, plural

#: Least height of the table: the object and three labels.
HEIGHT = 150


class MeasurementTable(QWidget):
    """A narrow table; hidden until there is something to show."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[Mapping[str, Any]] = ()
        self.table = Table()
        self.table.native.setMinimumHeight(HEIGHT)
        self.copy = button("Copy all columns", "Put every measurement on the clipboard, for a spreadsheet.")
        self.copy.clicked.connect(self._copy)
        self.line = caption("All columns are also the features of the layer: napari shows them under the mouse.")
        column(self, self.table.native, self.copy, self.line)
        self.hide()

    def show_rows(self, rows: Sequence[Mapping[str, Any]] | None) -> None:
        """Show what was measured.

        Parameters
        ----------
        rows : sequence of mapping
            By columns as in `napari_s3net.labels.regions`; where there are none, what is shown stays.
        """
        if rows:
            self._rows = rows
            self.table.value = {
                "index": [_name(row) for row in rows],
                "columns": ["Area", "Diameter"],
                "data": [[_area(row), _diameter(row)] for row in rows],
            }
            self.table.read_only = True
            self.table.native.resizeColumnsToContents()
            self.show()

    def _copy(self, _: bool = False) -> None:
        columns = copy_table(self._rows)
        self.line.setText(f"Copied: {plural(len(self._rows), 'row')} of {plural(len(columns), 'column')}.")


def _name(row: Mapping[str, Any]) -> str:
    return "Object" if row["label"] == "object" else f"{row['label']}  {row.get('name', '')}".strip()


def _area(row: Mapping[str, Any]) -> str:
    return area_text(row["area_mm2"], "mm²") if "area_mm2" in row else area_text(row["area_px"], "pixels")


def _diameter(row: Mapping[str, Any]) -> str:
    unit = "mm" if "longest_diameter_mm" in row else "px"
    value = row.get(f"longest_diameter_{unit}")
    return "" if value is None else f"{value:.3g}{NARROW}{unit}"
