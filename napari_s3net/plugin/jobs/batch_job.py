"""A batch beside the window: a thread that pumps the engine and leaves what has come for a timer to collect. No Qt.

Everything that goes wrong is handed over as data. The work itself is done in child processes, so the thread mostly
waits; it ends within a moment of `stop`, and with the program.
"""

from __future__ import annotations

import threading
import traceback
from collections import deque
from dataclasses import dataclass, replace

from napari_s3net.batch import BatchExecutor, FileRow, Item, Plan, Summary, find_items, iter_batch, open_executor
from napari_s3net.batch.fit import choose
from napari_s3net.batch.report import light_rows
from napari_s3net.errors import S3NetError
from napari_s3net.runtime.generators import follow


@dataclass(frozen=True)
class Trouble:
    """Why there is no batch, in plain words; of an unexpected error also its traceback as text."""

    message: str
    details: str = ""


def trouble(error: Exception) -> Trouble:
    """Plain words for an exception."""
    if isinstance(error, S3NetError):
        return Trouble(str(error))
    words = f"The batch ended with an unexpected error: {type(error).__name__}: {error}"
    return Trouble(words, "".join(traceback.format_exception(error)))


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
    trouble : Trouble or None
        Why nothing was found.
    """

    items: tuple[Item, ...] = ()
    rows: dict[str, FileRow] | None = None
    current: int = 0
    trouble: Trouble | None = None


def look(plan: Plan) -> FolderContents:
    """Look at both folders; what is wrong with them is part of the answer."""
    rows: dict[str, FileRow] = {}
    try:
        rows = light_rows(plan.output)
        items = tuple(find_items(plan))
    except Exception as error:  # noqa: BLE001 - a folder may fail in any way, and the dock has to on_progress of it
        return FolderContents(rows=rows, trouble=trouble(error))
    digest = choose(plan.digest, items)[2] if plan.fit == "folder" else plan.digest
    known = (rows.get(item.file) for item in items)
    current = sum(row is not None and row.status == "done" and row.settings == digest for row in known)
    return FolderContents(items, rows, current)


class FolderScan:
    """`look` in a thread of its own."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.found: FolderContents | None = None
        self._thread = threading.Thread(target=self._work, name="batch look", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        self.found = look(self._plan)


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
    summary : Summary or None
        How it went.
    trouble : Trouble or None
        Why it did not.
    """

    items: tuple[Item, ...] | None = None
    rows: tuple[FileRow, ...] = ()
    link: str = ""
    over: bool = False
    summary: Summary | None = None
    trouble: Trouble | None = None


class BatchJob:
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

    def __init__(self, plan: Plan, *, jobs: int = 1, scheduler: str = "", restart: bool = False) -> None:
        self.plan = plan
        self._jobs, self._scheduler, self._restart = jobs, scheduler, restart
        self._stop, self._paused = threading.Event(), threading.Event()
        self._rows: deque[FileRow] = deque()
        self._items: tuple[Item, ...] | None = None
        self._link, self._over = "", False
        self._summary: Summary | None = None
        self._trouble: Trouble | None = None
        self._thread = threading.Thread(target=self._work, name="batch", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def pause(self, paused: bool) -> None:
        """Finish what is under way and begin nothing more; or go on."""
        (self._paused.set if paused else self._paused.clear)()

    def stop(self) -> None:
        """Ask to end now; what is finished is kept. Never waits."""
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Wait for the end, so long at most."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def collect(self) -> BatchUpdate:
        """Take what has come since the last time."""
        over = self._over
        rows = tuple(self._rows.popleft() for _ in range(len(self._rows)))
        items, self._items = self._items, None
        return BatchUpdate(
            items, rows, self._link, over, self._summary if over else None, self._trouble if over else None
        )

    def _work(self) -> None:
        """Body of the thread: nothing raised here gets out."""
        try:
            items = find_items(self.plan)
            self._items = tuple(items)
            with open_executor(self._jobs, self._scheduler) as executor:
                self._link = executor.link
                self._summary = self._follow(replace(executor, paused=self._paused), items)
        except Exception as error:  # noqa: BLE001 - whatever it is, the dock has to on_progress of it
            self._trouble = trouble(error)
        self._over = True

    def _follow(self, executor: BatchExecutor, items: list[Item]) -> Summary:
        steps = iter_batch(self.plan, items=items, executor=executor, restart=self._restart)

        def on_progress(row: FileRow | None) -> bool | None:
            if row is not None:
                self._rows.append(replace(row, regions=()))
            return self._stop.is_set() or None

        return follow(steps, on_progress)
