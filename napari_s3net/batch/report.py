"""The report: one line a file, appended as files are done. Everything else in the output follows from it.

What is held in memory is a few numbers a file; rows are read again where they are needed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from napari_s3net.batch.file_row import FileRow
from napari_s3net.errors import WriteError
from napari_s3net.io.write import replacing
from napari_s3net.learning.files import REPORT

#: Seconds between two writes to the disk: a power cut costs their rows, and those files are done again.
SYNC_SECONDS = 1.0


class Entry(NamedTuple):
    """Where a row is in the report, and what it is sorted by."""

    start: int
    length: int
    status: str
    confidence: float


class BatchReport:
    """`report.jsonl` of an output folder; of several rows of a file the last one counts.

    Parameters
    ----------
    output : Path
        The folder.

    Raises
    ------
    WriteError
        If it cannot be read.
    """

    def __init__(self, output: Path) -> None:
        self.path = output.absolute() / REPORT
        self.entries: dict[str, Entry] = {}
        self._waiting: list[FileRow] = []
        self._synced = time.monotonic()
        try:
            for start, length, row in _light_rows(self.path):
                self._note(start, length, row)
        except OSError as error:
            raise WriteError(f"Cannot read {self.path}: {error.strerror or error}.") from error

    def __len__(self) -> int:
        return len(self.entries)

    def row(self, file: str) -> FileRow | None:
        """Return the row of a file, read from the report.

        Parameters
        ----------
        file : str
            Its name in the report.

        Returns
        -------
        FileRow or None
            None where the file has no row.
        """
        return next(self._read([file]), None) if file in self.entries else None

    def rows(self, *, worst_first: bool = False, light: bool = False) -> Iterator[FileRow]:
        """Go through all rows, read one after another from the report.

        Parameters
        ----------
        worst_first : bool
            Failures first and then the least certain; else by name.
        light : bool
            Leave out the measurements of regions, which is much faster.

        Returns
        -------
        iterator of FileRow
            One row a file.
        """
        return self._read(self._order(worst_first=worst_first), light=light)

    def append(self, row: FileRow) -> None:
        """Add a row. If it cannot be written, as on a full disk, it waits and is written with the next one.

        Parameters
        ----------
        row : FileRow
            What became of a file.
        """
        self._waiting.append(row)
        self.flush()

    def flush(self) -> bool:
        """Write the rows that wait, and return whether all could be written.

        Returns
        -------
        bool
            False where some still wait.
        """
        while self._waiting:
            row = self._waiting[0]
            if not self._write(row):
                return False
            self._waiting.pop(0)
        return True

    def tidy(self) -> None:
        """Write the report anew: one row a file, by name.

        Raises
        ------
        WriteError
            If rows that wait cannot be written, or the report cannot be replaced.
        """
        if not self.flush():
            raise WriteError(f"Cannot write {self.path}: {len(self._waiting)} rows are missing. Is the disk full?")
        entries: dict[str, Entry] = {}
        with replacing(self.path) as temporary, self.path.open("rb") as old, temporary.open("wb") as new:
            for file in self._order():
                entry = self.entries[file]
                old.seek(entry.start)
                entries[file] = entry._replace(start=new.tell())
                new.write(old.read(entry.length))
            new.flush()
            os.fsync(new.fileno())
        self.entries = entries

    def clear(self) -> None:
        """Forget every row."""
        with replacing(self.path) as temporary:
            temporary.touch()
        self.entries = {}

    def _read(self, files: Sequence[str], *, light: bool = False) -> Iterator[FileRow]:
        with self.path.open("rb") as stream:
            for file in files:
                entry = self.entries[file]
                stream.seek(entry.start)
                yield FileRow.from_line(stream.read(entry.length), light=light)

    def _write(self, row: FileRow) -> bool:
        """Append a whole line or nothing."""
        line, start = row.to_line(), -1
        try:
            with self.path.open("ab") as stream:
                start = stream.tell()
                stream.write(line)
                stream.flush()
                if time.monotonic() - self._synced > SYNC_SECONDS:
                    os.fsync(stream.fileno())
                    self._synced = time.monotonic()
        except OSError:
            if start >= 0:
                os.truncate(self.path, start)
            return False
        self._note(start, len(line), row)
        return True

    def _note(self, start: int, length: int, row: FileRow) -> None:
        """Remember where a row is."""
        certain = -1.0 if row.confidence is None else row.confidence
        self.entries[row.file] = Entry(start, length, row.status, certain)

    def _order(self, *, worst_first: bool = False) -> list[str]:
        if not worst_first:
            return sorted(self.entries)
        return sorted(self.entries, key=lambda f: (self.entries[f].status != "failed", self.entries[f].confidence, f))


def light_rows(output: Path) -> dict[str, FileRow]:
    """Read the rows of a report without measurements.

    Parameters
    ----------
    output : Path
        The output folder.

    Returns
    -------
    dict of str to FileRow
        The last row of each file, by its name; empty where there is no report.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    path = output / REPORT
    return {row.file: row for _, _, row in _light_rows(path)} if path.is_file() else {}


def _light_rows(path: Path) -> Iterator[tuple[int, int, FileRow]]:
    """Where each row begins, its length, and the row; half a line, or one that is no row, is left out."""
    start = 0
    with path.open("rb") as stream:
        for line in stream:
            with suppress(ValueError):
                if line.endswith(b"\n"):
                    yield start, len(line), FileRow.from_line(line, light=True)
            start += len(line)
