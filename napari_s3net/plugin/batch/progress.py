"""How far a batch is: files that are over, slices of volumes under way, and the time that the rest takes."""

from __future__ import annotations

import time
from collections.abc import Callable

from napari_s3net.batch import FileRow
from napari_s3net.plugin.widgets.progress_text import batch_text
from napari_s3net.plugin.widgets.time_left import TimeLeft


class BatchProgress:
    """Counts what has become of the files; knows no widget.

    Parameters
    ----------
    clock : callable
        Seconds, from any moment on.

    Attributes
    ----------
    counts : dict of str to int
        Files that are "done", "failed", and "skipped" because they were done before.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.counts = {"done": 0, "failed": 0, "skipped": 0}
        self._within: dict[str, FileRow] = {}
        self._time_left = TimeLeft(clock)

    def take(self, row: FileRow) -> None:
        """Count what has become of a file.

        Parameters
        ----------
        row : FileRow
            Of a file that is over, or of one under way.
        """
        self._within.pop(row.file, None)
        if row.is_final:
            self.counts[row.status] += 1
        elif row.slices:
            self._within[row.file] = row

    def forget_pace(self) -> None:
        """There was a pause, or there will be one."""
        self._time_left.restart()

    @property
    def files(self) -> float:
        """How many files are over, with the shares of those under way."""
        return sum(self.counts.values()) + self._part

    @property
    def _part(self) -> float:
        return sum((one.slice - 1) / one.slices for one in self._within.values())

    def text(self, total: int, *, paused: bool) -> str:
        """Say how far it is.

        Parameters
        ----------
        total : int
            How many files there are.
        paused : bool
            Whether the batch waits.

        Returns
        -------
        str
            "412 of 1,204 · 3 failed · about 27 min left".
        """
        worked = self.counts["done"] + self.counts["failed"] + self._part  # what was done before took no time
        left = self._time_left.after(worked, total - self.files)
        within = ", ".join(f"slice {one.slice} of {one.slices}" for one in list(self._within.values())[:2])
        over = sum(self.counts.values())
        return batch_text(over, total, self.counts["failed"], None if paused else left, paused=paused, within=within)
