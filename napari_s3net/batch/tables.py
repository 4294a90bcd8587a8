"""The table of measurements: a row a region, made from the report. It is safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_s3net.batch.folder import TABLE
from napari_s3net.batch.report import BatchReport
from napari_s3net.batch.review import Review
from napari_s3net.io.write import replacing
from napari_s3net.labels.regions import COLUMNS

#: What is measured are the batch's own labels: "corrected" in the last column says that a person changed them since.
HEADER = ("file", *COLUMNS, "review")
#: A spreadsheet takes a cell that begins so for a formula, and may run what it names; numbers are left alone.
_FORMULA, _NUMBER = re.compile(r"[=+\-@\t\r]"), re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?")
#: Control characters, halves of characters, separators of lines; and what turns the direction of writing around.
_INVISIBLE, _TURNING = {"Cc", "Cs", "Zl", "Zp"}, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def write_table(output: Path, report: BatchReport) -> None:
    """Write `measurements.csv`: UTF-8, a comma between columns, units in the header, empty where nothing applies.

    Parameters
    ----------
    output : Path
        The output folder.
    report : BatchReport
        Of that folder; each region of each row becomes a line, with what was decided about the result.

    Raises
    ------
    WriteError
        If that is not possible.
    """
    path, review = output.absolute() / TABLE, Review(output)
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, HEADER, restval="")
        table.writeheader()
        for row in report.rows():
            own = {"file": row.file, "review": review.decision(row) or ""}
            table.writerows(safe_cells({**own, **region}) for region in row.regions)


def safe_cells(row: Mapping[str, Any]) -> dict[str, Any]:
    r"""Return a row whose texts no spreadsheet runs and no terminal obeys.

    Parameters
    ----------
    row : mapping
        Cells by their column.

    Returns
    -------
    dict
        Numbers as they are. A text that begins like a formula has an apostrophe before it, which spreadsheets take for
        "this is text"; invisible characters are written as escapes, such as \x1b.
    """
    return {column: safe_text(cell) if isinstance(cell, str) else cell for column, cell in row.items()}


def safe_text(text: str) -> str:
    """Return a text that no spreadsheet runs and no terminal obeys.

    Parameters
    ----------
    text : str
        Of one cell.

    Returns
    -------
    str
        As `safe_cells` describes it.
    """
    formula = "'" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else ""
    return formula + visible_text(text)


def visible_text(text: str) -> str:
    r"""Return a text whose invisible characters are written as escapes, such as \x1b.

    Parameters
    ----------
    text : str
        Of any origin, such as a file's name.

    Returns
    -------
    str
        It does not move a terminal's cursor, and is read in the order in which it is written.
    """
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in _INVISIBLE or c in _TURNING else c
        for c in text
    )
