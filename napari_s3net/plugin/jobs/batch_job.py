"""A batch beside the window: a thread that pumps the engine and leaves what has come for a timer to collect.

The work itself is done in child processes, so the thread mostly waits; it ends within a moment of `stop`, and with the
program.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

from napari_s3net.batch import (
    BatchExecutor,
    FileRow,
    Item,
    Plan,
    Summary,
    find_items,
    iter_batch,
    open_executor,
    what_is_left_out,
)
from napari_s3net.batch.fit import choose
from napari_s3net.batch.folder import TABLE
from napari_s3net.batch.report import BatchReport, light_rows
from napari_s3net.plugin.jobs.thread_job import Failure, PausableJob, failure_of
from napari_s3net.runtime.generators import follow


@dataclass(frozen=True)
class FolderContents:
    """What there is to do, and what was done before.

    Parameters
    ----------
    items : tuple of Item
        The images of the input folder.
    rows : dict of str to FileRow
        What the report of the output folder says, by file, without measurements.
    current : int
        How many of the images are done with these very settings.
    otherwise : int
        How many are done with other settings or a model, and would be done anew.
    left_out : str
        Of which formats files are left out, in words.
    failure : Failure or None
        Why nothing was found.
    digest : str
        Of the settings that are asked for, as in the rows; empty where nothing was found.
    """

    items: tuple[Item, ...] = ()
    rows: dict[str, FileRow] | None = None
    current: int = 0
    otherwise: int = 0
    left_out: str = ""
    failure: Failure | None = None
    digest: str = ""


def scan_folders(plan: Plan) -> FolderContents:
    """List the images of the input folder and the results in the output folder.

    Parameters
    ----------
    plan : Plan
        Names the folders.

    Returns
    -------
    FolderContents
        With the reason in `failure` where a folder cannot be used.
    """
    rows: dict[str, FileRow] = {}
    try:
        rows = light_rows(plan.output)
        items = tuple(find_items(plan))
        others = what_is_left_out(plan)
        digest = choose(plan.digest, items)[2] if plan.fit == "folder" else plan.digest
    except Exception as error:  # noqa: BLE001 - a folder may fail in any way, and the dock has to hear of it
        return FolderContents(rows=rows, failure=failure_of(error, BatchJob.title))
    done = [row.settings for item in items if (row := rows.get(item.file)) is not None and row.status == "done"]
    current = done.count(digest)
    return FolderContents(items, rows, current, len(done) - current, others, digest=digest)


def rewrite_page(output: Path) -> None:
    """Write the report's page and its table anew, as after a review.

    Parameters
    ----------
    output : Path
        The output folder of a batch.

    Raises
    ------
    WriteError
        If that is not possible.
    """
    from napari_s3net.batch.engine import summarise_batch

    summarise_batch(output, BatchReport(output), measurements=(output / TABLE).is_file())


@dataclass(frozen=True)
class BatchUpdate:
    """What has come of a batch since the last time.

    Parameters
    ----------
    items : tuple of Item or None
        What there is to do, once.
    rows : tuple of FileRow
        Oldest first, without measurements.
    link : str
        The address of the cluster's dashboard.
    over : bool
        Whether the thread is done.
    outcome : Summary, Failure or None
        How it went; None until it is over.
    """

    items: tuple[Item, ...] | None = None
    rows: tuple[FileRow, ...] = ()
    link: str = ""
    over: bool = False
    outcome: Summary | Failure | None = None


class BatchJob(PausableJob):
    """One batch in a thread.

    Parameters
    ----------
    plan : Plan
        What to do.
    jobs : int
        How many files at once.
    scheduler : str
        Address of the Dask cluster that does the work; this machine where it is empty.
    restart : bool
        Forget what was done before.
    """

    title = "batch"

    def __init__(self, plan: Plan, *, jobs: int = 1, scheduler: str = "", restart: bool = False) -> None:
        super().__init__()
        self.plan = plan
        self._jobs, self._scheduler, self._restart = jobs, scheduler, restart
        self._rows: deque[FileRow] = deque()
        self._items: tuple[Item, ...] | None = None
        self._link = ""

    def cancel(self) -> None:
        """As `stop`: nothing of a batch is undone."""
        self.stop()

    def collect(self) -> BatchUpdate:
        """Take what has come since the last call; each item, row and outcome is handed over once.

        Returns
        -------
        BatchUpdate
            Empty where nothing is new.
        """
        over = self.is_over
        rows = tuple(self._rows.popleft() for _ in range(len(self._rows)))
        items, self._items = self._items, None
        return BatchUpdate(items, rows, self._link, over, self.take_outcome() if over else None)

    def _do(self) -> Summary:
        items = find_items(self.plan)
        self._items = tuple(items)
        with open_executor(self._jobs, self._scheduler) as executor:
            self._link = executor.link
            return self._follow(replace(executor, paused=self._paused), items)

    def _follow(self, executor: BatchExecutor, items: list[Item]) -> Summary:
        # The dock has asked before results are replaced that somebody has reviewed.
        steps = iter_batch(self.plan, items=items, executor=executor, restart=self._restart, replace_reviewed=True)

        def on_progress(row: FileRow | None) -> bool | None:
            if row is not None:
                self._rows.append(replace(row, regions=()))
            return self._stop.is_set() or None

        return follow(steps, on_progress)
