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
    """Image, method and seed of a row."""
    return tuple(row[name] for name in KEY)


def read_rows(path: Path) -> list[BenchmarkRow]:
    """Rows of a `results.csv`, the last of each image, method and seed; a line that was cut off is left out."""
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
    """Write `results.csv` anew, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".partial")
    with temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    temporary.replace(path)
