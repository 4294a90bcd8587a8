"""A table put on the clipboard, as spreadsheets take it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from qtpy.QtWidgets import QApplication


def copy_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Put rows on the clipboard, with the names of their columns above; no spreadsheet takes a cell for a formula.

    Parameters
    ----------
    rows : sequence of mapping
        By columns; a row may lack some.

    Returns
    -------
    list of str
        The columns.
    """
    from napari_s3net.batch.tables import safe_cells

    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    table = csv.DictWriter(text, columns, restval="", dialect="excel-tab")
    table.writeheader()
    table.writerows(map(safe_cells, rows))
    QApplication.clipboard().setText(text.getvalue())
    return columns
