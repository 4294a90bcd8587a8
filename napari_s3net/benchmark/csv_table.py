"""Tables of figures as CSV files with a header."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_s3net.io.write import replacing


def read_table(path: Path) -> list[dict[str, str]]:
    """Read a table.

    Parameters
    ----------
    path : Path
        The file; a line that was cut off is left out.

    Returns
    -------
    list of dict
        Rows by the columns of the header; empty where there is no file.
    """
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        lines = [line for line in file if line.endswith("\n")]
    return [row for row in csv.DictReader(lines) if None not in row.values()]


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a table anew, whole or not at all.

    Parameters
    ----------
    path : Path
        The file; its folder is made where missing.
    columns : sequence of str
        In their order.
    rows : iterable of mapping
        By the columns.

    Raises
    ------
    WriteError
        If the place cannot be written.
    """
    with replacing(path.absolute()) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
