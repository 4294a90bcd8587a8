"""The rows of `results.csv`: one an image, method and seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_s3net.benchmark.csv_table import read_table

BenchmarkRow = dict[str, Any]
#: Label-free; best clusters chosen with the mask: an upper bound; published clipping: not a score.
VIEWS = ("label_free", "best_clusters", "clipped")
SCORES = ("dice", "hammoude", "xor", "boundary")
#: What tells a row from others.
KEY = ("image", "method", "seed")
NUMBERS = ("seconds", "peak_mib", *(f"{view}_{score}" for view in VIEWS for score in SCORES))
COLUMNS = (*KEY, "half", "settings", "version", "unit", "labels", "error", *NUMBERS)


def key(row: BenchmarkRow) -> tuple[Any, ...]:
    """Return what tells a row from others.

    Parameters
    ----------
    row : dict
        Of `results.csv`.

    Returns
    -------
    tuple
        Image, method and seed.
    """
    return tuple(row[name] for name in KEY)


def read_rows(path: Path) -> list[BenchmarkRow]:
    """Read the rows of a `results.csv`.

    Parameters
    ----------
    path : Path
        The file; a line that was cut off, or has other columns, is left out.

    Returns
    -------
    list of dict
        By `COLUMNS`, the last of each image, method and seed; empty where there is no file.
    """
    rows = {}
    for text in read_table(path):
        if set(text) != set(COLUMNS):
            continue
        row: BenchmarkRow = {**text, "seed": int(text["seed"]), "labels": int(text["labels"])}
        row |= {name: float(text[name]) for name in NUMBERS}
        rows[key(row)] = row
    return list(rows.values())
