"""The rows of `results.csv`: one an image, method and seed."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

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
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        lines = [line for line in file if line.endswith("\n")]
    rows = {}
    for text in csv.DictReader(lines):
        if set(text) != set(COLUMNS) or None in text.values():
            continue
        row: BenchmarkRow = {**text, "seed": int(text["seed"]), "labels": int(text["labels"])}
        row |= {name: float(text[name]) for name in NUMBERS}
        rows[key(row)] = row
    return list(rows.values())


def write_rows(path: Path, rows: Iterable[BenchmarkRow]) -> None:
    """Write `results.csv` anew, whole or not at all.

    Parameters
    ----------
    path : Path
        The file; its folder is made where missing.
    rows : iterable of dict
        By `COLUMNS`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".partial")
    with temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    temporary.replace(path)
