"""The table of measurements: a row a region, made from the report."""

from __future__ import annotations

import csv
from pathlib import Path

from napari_s3net.batch.folder import TABLE
from napari_s3net.batch.report import BatchReport
from napari_s3net.io.write import replacing
from napari_s3net.labels.regions import COLUMNS

HEADER = ("file", *COLUMNS)


def write_table(output: Path, report: BatchReport) -> None:
    """Write `measurements.csv`; UTF-8, a comma between columns, units in the header, empty where nothing applies.

    Raises
    ------
    WriteError
        If that is not possible.
    """
    path = output.absolute() / TABLE
    # A name that is no text (bytes on Linux) is written with its bytes escaped.
    with (
        replacing(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="backslashreplace") as stream,
    ):
        table = csv.DictWriter(stream, HEADER, restval="")
        table.writeheader()
        for row in report.rows():
            table.writerows({"file": row.file, **region} for region in row.regions)
