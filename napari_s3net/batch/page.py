"""The page that sums a batch up: one HTML file that needs nothing else, failures first, then the least certain."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_s3net.batch.file_row import FileRow
from napari_s3net.batch.folder import PAGE, TABLE, inside
from napari_s3net.batch.report import BatchReport
from napari_s3net.batch.review import MEANING, Review
from napari_s3net.batch.tables import visible_text
from napari_s3net.errors import WriteError
from napari_s3net.io.write import replacing

TEMPLATE = "report.html.jinja"
#: This many rows have a picture; more would make a page that no browser likes to open.
MOST_PICTURES = 1000
#: What the words for how certain a result is mean.
WORDS = (
    "sure: an outline drawn by hand is expected to overlap by 0.9 or more (Dice). look: check the outline first. "
    "no clear object: nothing stands out. No word: the method gives no expected overlap."
)


def write_page(output: Path, report: BatchReport) -> None:
    """Write `report.html`: totals, and a row with a small picture for each file, failures first.

    Parameters
    ----------
    output : Path
        The output folder, for the pictures; the page is written there.
    report : BatchReport
        Of that folder.

    Raises
    ------
    WriteError
        If that is not possible.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    path, review = output.absolute() / PAGE, Review(output)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    # A generator: the pictures of one row are in memory at a time.
    parts = environment.get_template(TEMPLATE).generate(
        rows=_rows(path.parent, report, review),
        table=TABLE if (path.parent / TABLE).exists() else "",
        words=WORDS,
        **_totals(report, review),
    )
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace") as stream,
    ):
        stream.writelines(parts)


@dataclass
class _Counts:
    """What the rows come to."""

    states: Counter[str] = field(default_factory=Counter)
    certainties: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    reviewers: set[str] = field(default_factory=set)
    presets: Counter[str] = field(default_factory=Counter)
    devices: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    noted: int = 0
    version: str = ""

    def count(self, row: FileRow, review: Review) -> None:
        self.states[row.status] += 1
        self.seconds += row.seconds
        self.noted += bool(row.note)
        self.certainties[row.certainty] += 1
        if row.status == "done":
            self.presets.update([row.preset] if row.preset else [])
            self.devices[row.device] += 1
            self.version = row.version
            if (verdict := review.verdict(row)) is not None:
                self.decisions[verdict.decision] += 1
                self.reviewers.update([verdict.reviewer] if verdict.reviewer else [])


def _totals(report: BatchReport, review: Review) -> dict[str, Any]:
    """What stands above the rows: numbers, and what it was made with."""
    counts = _Counts()
    for row in report.rows(light=True):
        counts.count(row, review)
    return {
        "totals": [{"number": number, "name": name, "kind": kind} for number, name, kind in _numbers(counts)],
        "about": [words for words in _about(counts) if words],
        "decisions": MEANING if counts.decisions else "",
    }


def _numbers(counts: _Counts) -> list[tuple[int | str, str, str]]:
    """Each number with its name, and with its kind where that is bad."""
    states, certainties, decisions = counts.states, counts.certainties, counts.decisions
    return [
        (states.total(), "files", ""),
        (states["done"], "done", ""),
        (states["failed"], "failed", "bad" if states["failed"] else ""),
        (certainties["sure"], "sure", ""),
        (certainties["look"], "to look at", ""),
        (certainties["no clear object"], "no clear object", ""),
        *([(counts.noted, "with a note", "")] if counts.noted else []),
        *[(number, name, "") for name, number in sorted(decisions.items())],
        *([(states["done"] - decisions.total(), "not looked at", "")] if decisions else []),
        (_time(counts.seconds), "of work", ""),
    ]


def _about(counts: _Counts) -> list[str]:
    """What the results were made with, and who has looked at them; empty where that is not known."""
    return [
        f"napari-s3net {counts.version}".strip(),
        "preset " + ", ".join(counts.presets) if counts.presets else "",
        "on " + ", ".join(counts.devices) if counts.devices else "",
        "reviewed by " + ", ".join(map(visible_text, sorted(counts.reviewers))) if counts.reviewers else "",
    ]


def _rows(output: Path, report: BatchReport, review: Review) -> Iterator[dict[str, Any]]:
    """What the template shows of each file."""
    for n, row in enumerate(report.rows(worst_first=True, light=True)):
        yield {
            "kind": _kind(row),
            "decision": visible_text(_decision(review, row)),
            "picture": _picture(output, row) if n < MOST_PICTURES else "",
            "file": visible_text(row.file),
            "error": visible_text(row.error),
            "note": visible_text(row.note),
            "share": _share(review, row),
            "certainty": row.certainty,
            "percent": None if row.confidence is None else round(100 * row.confidence),
            "time": _time(row.seconds),
        }


def _kind(row: FileRow) -> str:
    """What the rows are filtered by."""
    if row.status == "failed":
        return "failed"
    return "look" if row.certainty in ("look", "no clear object") else "done"


def _decision(review: Review, row: FileRow) -> str:
    """What a person thinks of a result: "accepted by B. Lange, 2026-11-27"; empty where nobody has looked."""
    verdict = review.verdict(row)
    if verdict is None or row.status != "done":
        return ""
    by = f" by {verdict.reviewer}" if verdict.reviewer else ""
    return f"{verdict.decision}{by}{f', {verdict.when[:10]}' if verdict.when else ''}"


def _share(review: Review, row: FileRow) -> str:
    """How much of the image is object, of the labels as a person left them: "12.3 %"."""
    corrected = review.corrected_share(row)
    share = row.share if corrected is None else corrected
    return "" if share is None else f"{100 * share:.1f} %"


def _picture(output: Path, row: FileRow) -> str:
    """The bytes of the picture in base64, as part of the page; nothing where it has gone."""
    try:
        data = inside(output, row.outputs.get("thumbnails", "thumbnails/")).read_bytes()
    except (OSError, WriteError):
        return ""
    return base64.b64encode(data).decode()


def _time(seconds: float) -> str:
    """A duration for a person: "0.8 s", "14 min", "3.2 h"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
