"""The object's measurements in the Segment dock: read, copied, added to a table."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_s3net.plugin.widgets.copy_table import copy_table
from napari_s3net.plugin.widgets.parts import button, caption, column, fold, row
from napari_s3net.plugin.widgets.remembered import recall, remember
from napari_s3net.plugin.widgets.text import NARROW, area_text, mean_text

NOTE = "Measured, not judged: this is no diagnosis."


class MeasuresPanel(QWidget):
    """Folded at first; asks to be filled when it is opened.

    Signals
    -------
    opened()
        The user wants to see the measurements.
    """

    opened = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._name, self._values = "", dict[str, Any]()
        self.lines, self.note = caption(), caption(NOTE)
        self.copy = button("Copy", "Put the measurements on the clipboard, for a spreadsheet.")
        self.csv = button("Add to CSV…", "Write a row of a table; a table of the same columns gets one more.")
        self.copy.clicked.connect(self._copy)
        self.csv.clicked.connect(self._add)
        self.fold = fold(
            "Measurements",
            "Size, border, symmetry and colours of the object in view; of CT its Hounsfield units.",
            self.lines,
            self.note,
            row(self.copy, self.csv),
        )
        self.fold.toggled.connect(self._tell)
        column(self, self.fold)

    @property
    def is_open(self) -> bool:
        """Whether the measurements are in view."""
        return bool(self.fold.isExpanded())

    def show_values(self, name: str, values: Mapping[str, Any]) -> None:
        """Show what was measured.

        Parameters
        ----------
        name : str
            Of the image.
        values : mapping of str to Any
            From `labels.object_measures.measure_object`.
        """
        self._name, self._values = name, dict(values)
        self.lines.setText("\n".join(measures_lines(values)) or "There is no object in view.")
        self.note.setVisible("colours" in values)  # of a photograph: what dermoscopy counts is measured
        for made in (self.copy, self.csv):
            made.setEnabled(bool(values))

    def add_to(self, path: Path) -> None:
        """Write the measurements as a row of a table.

        Parameters
        ----------
        path : Path
            A table of other columns is replaced; one of the same gets one more row.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        from napari_s3net.batch.tables import safe_cells

        values = safe_cells(self._row)
        known = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        goes_on = bool(known) and next(csv.reader(known[:1]), []) == list(values)
        with path.open("a" if goes_on else "w", encoding="utf-8", newline="") as stream:
            table = csv.DictWriter(stream, list(values))
            if not goes_on:
                table.writeheader()
            table.writerow(values)

    @property
    def _row(self) -> dict[str, Any]:
        return {"image": self._name, **self._values}

    def _tell(self, is_open: bool) -> None:
        if is_open:
            self.opened.emit()

    def _copy(self, _: bool = False) -> None:
        copy_table([self._row])
        show_info("Copied to the clipboard.")

    def _add(self, _: bool = False) -> None:
        place = recall("measures", "measurements.csv")
        asked = QFileDialog.getSaveFileName(
            self, "Add to a table", place, "CSV (*.csv)", options=QFileDialog.Option.DontConfirmOverwrite
        )
        if not asked[0]:
            return
        path = Path(asked[0]).with_suffix(".csv")
        try:
            self.add_to(path)
        except (OSError, UnicodeDecodeError) as error:
            show_error(f"Cannot write {path.name}: {error}")
            return
        remember("measures", str(path))
        show_info(f"Added to {path.name}")


def measures_lines(values: Mapping[str, Any]) -> list[str]:
    """Say what was measured, one thing a line.

    Parameters
    ----------
    values : mapping of str to Any
        From `labels.object_measures.measure_object`.

    Returns
    -------
    list of str
        Such as "Longest diameter 8.1 mm"; empty where there is no object.
    """
    lines = []
    if "area_px" in values:
        metric = "area_mm2" in values
        lines.append("Area " + area_text(values["area_mm2" if metric else "area_px"], "mm²" if metric else "px"))
    names = {"longest_diameter": "Longest diameter", "equivalent_diameter": "Equivalent diameter"}
    for name, words in names.items():
        known = (unit for unit in ("mm", "px") if f"{name}_{unit}" in values)
        lines.extend(f"{words} {values[f'{name}_{unit}']:.3g}{NARROW}{unit}" for unit in known)
    if "border_irregularity" in values:
        lines.append(f"Border irregularity {values['border_irregularity']:.2f} (a disc has 1)")
    if "asymmetry" in values:
        lines.append(f"Asymmetry {values['asymmetry']:.2f} (none is 0)")
    if "colours" in values:
        lines.append(f"Colours: {values['colours'] or 'none of the six'}")
    for unit, kind in (("hu", "ct"), ("grey", None)):
        if f"mean_{unit}" in values:
            lines.append(f"Mean {mean_text(values[f'mean_{unit}'], values[f'sd_{unit}'], kind)}")
            low, high = (f"{values[f'{p}_{unit}']:.4g}".replace("-", "−") for p in ("p5", "p95"))
            lines.append(f"Middle {values[f'p50_{unit}']:.4g}, nine of ten from {low} to {high}".replace("-", "−"))
    return lines
