"""The batch itself: a generator that yields a row whenever something has become of a file."""

from __future__ import annotations

import sys
import time
import uuid
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import CancelledError, Future, wait
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from napari_s3net.batch import fit
from napari_s3net.batch.card import jobs_for
from napari_s3net.batch.executor import BatchExecutor, open_executor
from napari_s3net.batch.file_row import FileRow
from napari_s3net.batch.folder import TREES, locked, remove, sweep
from napari_s3net.batch.items import Item, find_items, input_digest, stem_of
from napari_s3net.batch.plan import FileJob, Plan, left_out
from napari_s3net.batch.report import BatchReport
from napari_s3net.batch.reviewed import refuse_to_replace_reviewed
from napari_s3net.batch.work import Segmenter, segment_image
from napari_s3net.errors import InvalidImageError
from napari_s3net.runtime.generators import drain

#: The caller gets a word at least this often, so that it can stop the run.
BEAT_SECONDS = 0.2


@dataclass(frozen=True)
class Summary:
    """How a batch went.

    Parameters
    ----------
    done, failed, skipped : int
        Files of this run.
    stopped : bool
        Whether it was ended early.
    """

    done: int
    failed: int
    skipped: int
    stopped: bool


def batch(
    plan: Plan,
    *,
    jobs: int | None = None,
    scheduler: str = "",
    restart: bool = False,
    replace_reviewed: bool = False,
) -> Summary:
    """Segment every image of a folder and wait for the end.

    Parameters
    ----------
    plan : Plan
        What to do.
    jobs : int, optional
        How many files at once on this machine; by default one, or what keeps a graphics card busy.
    scheduler : str
        Address of a running Dask scheduler, whose workers are used instead; empty for this machine.
    restart : bool
        Forget everything that was done before.
    replace_reviewed : bool
        Replace results, too, that somebody has accepted or rejected.

    Returns
    -------
    Summary
        How many files are done, failed and skipped. What failed is told by the report in the output folder.

    Raises
    ------
    S3NetError
        As `iter_batch` and `open_executor`.
    """
    with open_executor(jobs_for(plan) if jobs is None else jobs, scheduler) as executor:
        return drain(iter_batch(plan, executor=executor, restart=restart, replace_reviewed=replace_reviewed))


def iter_batch(
    plan: Plan,
    *,
    items: Sequence[Item] | None = None,
    executor: BatchExecutor | None = None,
    segmenter: Segmenter = segment_image,
    restart: bool = False,
    replace_reviewed: bool = False,
) -> Generator[FileRow | None, bool | None, Summary]:
    """Segment every image of a folder.

    A file that is done with the same settings, and has not changed since, is skipped; one that failed is tried again.
    The run may be killed at any moment: started again, it ends with the same files as one that was not.

    Parameters
    ----------
    plan : Plan
        What to do.
    items : sequence of Item, optional
        As `find_items(plan)` gave them.
    executor : BatchExecutor, optional
        Who does the work, from `open_executor`; one process on this machine when left out.
    segmenter : callable
        (image, settings, device) → Segmentation; a function of a module, which workers import by its name.
    restart : bool
        Forget everything that was done before.
    replace_reviewed : bool
        Replace results, too, that somebody has accepted or rejected.

    Yields
    ------
    FileRow or None
        "running" when a file is begun; "done", "failed" or "skipped" when it is over; None where nothing has happened
        for a moment. `send(True)` ends the run at once and keeps what is finished.

    Returns
    -------
    Summary
        How it went.

    Raises
    ------
    S3NetError
        If there is nothing to read, the output cannot be used, or results would be replaced that were reviewed. What is
        wrong with one file is a row.
    """
    items = find_items(plan) if items is None else items
    with ExitStack() as stack:
        stack.enter_context(locked(plan.output))
        executor = stack.enter_context(open_executor()) if executor is None else executor
        run = _Run(plan, items, executor, segmenter, restart=restart, replace_reviewed=replace_reviewed)
        try:
            return (yield from run.follow())
        finally:
            run.end()


class _Run:
    """One run of a batch, from the first look at the output to the pages that sum it up."""

    def __init__(
        self,
        plan: Plan,
        items: Sequence[Item],
        executor: BatchExecutor,
        segmenter: Segmenter,
        *,
        restart: bool,
        replace_reviewed: bool,
    ) -> None:
        self._plan, self._executor, self._segmenter = plan, executor, segmenter
        self._output = plan.output.absolute()
        self._id = uuid.uuid4().hex
        self._left = deque(items)
        self._stems = {item.stem for item in items}
        self._digest, self._model = plan.digest, ""
        self._search = tuple(str(Path(folder).absolute()) for folder in sys.path)
        self._items = items if plan.fit == "folder" else ()
        self._futures: dict[Future[FileRow], Item] = {}
        self._over: SimpleQueue[Any] = SimpleQueue()
        executor.listen(self._id, lambda news: self._over.put(FileRow(status="running", **news)))
        self._count = {"done": 0, "failed": 0, "skipped": 0}
        sweep(self._output)
        self._report = BatchReport(self._output)
        if not replace_reviewed:
            self._keep_reviewed(items, restart=restart)
        if restart:
            self._forget()
        self._report.tidy()

    def follow(self) -> Generator[FileRow | None, bool | None, Summary]:
        """Keep the workers busy until nothing is left; a true answer ends it."""
        stop = (yield from self._fit()) if self._items else None
        while (self._left or self._futures) and not stop:
            if self._left and len(self._futures) < self._executor.room:
                stop = yield self._begin(self._left.popleft())
                continue
            stop = yield self._next()
        return Summary(**self._count, stopped=bool(stop))

    def _keep_reviewed(self, items: Sequence[Item], *, restart: bool) -> None:
        """Refuse to replace what somebody has reviewed; to begin anew replaces all that is in the report."""
        digest = fit.choose(self._digest, self._items)[2] if self._items else self._digest
        before = (self._report.row(item.file) for item in items)
        rows = self._report.rows(light=True) if restart else (row for row in before if row is not None)
        refuse_to_replace_reviewed(self._output, rows, digest, restart=restart)

    def _fit(self) -> Generator[FileRow | None, bool | None, bool | None]:
        """Fit one model on the folder, unless that was done before; with another one, every file is done again."""
        chosen, self._model, self._digest = fit.choose(self._digest, self._items)
        if (self._output / self._model).exists():
            return None
        images = tuple((str(item.path), item.series, item.files) for item in chosen)
        job = replace(self._job(chosen[0]), file=fit.FITTING, fit_on=images)
        self._submit(job, chosen[0])
        stop = yield FileRow(file=fit.FITTING, status="running")
        while not stop and self._over.empty():
            time.sleep(BEAT_SECONDS)
            stop = yield None
        if stop:
            return True
        future = self._over.get()
        del self._futures[future]
        row = future.result()
        if row.status == "failed":
            raise InvalidImageError(f"One model for the folder cannot be fitted: {row.error}")
        return None

    def end(self) -> None:
        """End what is under way, however the run ended, and bring the report and what follows from it in order."""
        if self._futures:
            self._executor.end(self._id)
            for future in self._futures:
                future.cancel()
            wait(self._futures, 10)
        self._executor.forget(self._id)
        self._report.tidy()
        summarise_batch(self._output, self._report, measurements="measurements" in self._plan.write)

    def _begin(self, item: Item) -> FileRow:
        """Skip a file that is done, or hand it to a worker."""
        before = self._report.row(item.file)
        if before is not None and self._is_done(item, before):
            self._count["skipped"] += 1
            return replace(before, status="skipped")
        self._submit(self._job(item), item)
        return FileRow(file=item.file, status="running")

    def _submit(self, job: FileJob, item: Item) -> None:
        """Hand a job to the executor; its future goes onto the queue of news when it is over."""
        future = self._executor.submit(job)
        self._futures[future] = item
        future.add_done_callback(self._over.put)

    def _next(self) -> FileRow | None:
        """What has become of a file; None where nothing has for a moment. Ctrl-C may come here: no lock is held."""
        try:
            news = self._over.get(timeout=BEAT_SECONDS)
        except Empty:
            return None
        if isinstance(news, Future):
            return self._finish(self._futures.pop(news), news)
        # From a cluster news may come late.
        return news if any(item.file == news.file for item in self._futures.values()) else None

    def _is_done(self, item: Item, row: FileRow) -> bool:
        """Whether a row still holds: same settings, same input, and its results are there whole."""
        wanted = {kind for kind in self._plan.write if kind in TREES and left_out(kind) not in row.note}
        if row.status != "done" or row.settings != self._digest or not wanted <= set(row.outputs):
            return False
        if any(stem_of(path) != item.stem for path in row.outputs.values()):
            return False  # a file of the same stem has come or gone since, and another one may take the name
        if "measurements" in self._plan.write and not row.regions:
            return False
        try:
            whole = all((self._output / path).stat().st_size == row.sizes[kind] for kind, path in row.outputs.items())
            return whole and input_digest(item.path, item.files) == row.input
        except (OSError, KeyError):
            return False

    def _job(self, item: Item) -> FileJob:
        function = self._segmenter
        return FileJob(
            run=self._id,
            file=item.file,
            path=str(item.path),
            series=item.series,
            files=item.files,
            stem=item.stem,
            output=str(self._output),
            preset=self._plan.preset,
            changes=dict(self._plan.changes),
            write=tuple(self._plan.write),
            device=self._plan.device,
            mode=self._plan.mode,
            digest=self._digest,
            model=self._model,
            learned=str(self._plan.model.absolute()) if self._plan.model is not None else "",
            segmenter=f"{function.__module__}:{function.__qualname__}",
            search=self._search,
        )

    def _finish(self, item: Item, future: Future[FileRow]) -> FileRow:
        """Put what has become of a file into the report, and remove what an earlier run had made of it."""
        try:
            row = future.result()
        except (Exception, CancelledError) as error:  # noqa: BLE001 - a cluster may fail in any way
            words = " ".join(f"{type(error).__name__}: {error}".split())
            row = FileRow(file=item.file, status="failed", settings=self._digest, error=f"The worker failed. {words}")
        before = self._report.row(item.file)
        if before is not None:
            stale = set(before.outputs.values()) - set(row.outputs.values())
            remove(self._output, [path for path in stale if stem_of(path) not in self._stems - {item.stem}])
        self._report.append(row)
        self._count[row.status] += 1
        return row

    def _forget(self) -> None:
        """Begin anew: no results, no report."""
        for row in self._report.rows():
            remove(self._output, row.outputs.values())
        self._report.clear()


def summarise_batch(output: Path, report: BatchReport, *, measurements: bool) -> None:
    """Write what follows from the report: the table of measurements, and the page to look at.

    Parameters
    ----------
    output : Path
        The output folder.
    report : BatchReport
        Of that folder.
    measurements : bool
        Whether the table is wanted.

    Raises
    ------
    WriteError
        If the folder cannot be written.
    """
    from napari_s3net.batch.page import write_page
    from napari_s3net.batch.tables import write_table

    if measurements:
        write_table(output, report)
    write_page(output, report)
