"""Do a job in a process of its own, so that no image can take the run down. Warm processes are kept for the next file.

What runs out of memory is tried again smaller, then on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from napari_s3net.batch.card import address_of
from napari_s3net.batch.file_row import FileRow
from napari_s3net.batch.plan import LONGEST, FileJob
from napari_s3net.batch.work import trains_planes
from napari_s3net.io.reader_process import why_unread
from napari_s3net.runtime.child_pool import ChildEndedError, ChildPool
from napari_s3net.runtime.child_process import (
    ONE_THREAD,
    ChildDiedError,
    ChildError,
    ChildStartError,
    ChildTimeoutError,
    python_module,
)
from napari_s3net.runtime.oom_retry import IN_VAIN, Attempt, attempts, finished_note

#: Takes what a worker has to tell before it is done: {"file": …, "slice": …, "slices": …}.
OnProgress = Callable[[dict[str, Any]], None]

WORKERS = ChildPool(python_module("napari_s3net.batch.worker"), environment=ONE_THREAD)


def run(job: FileJob, on_progress: OnProgress | None = None) -> FileRow:
    """Do a job in another process, whatever becomes of that process; again at a smaller size where memory runs out.

    Parameters
    ----------
    job : FileJob
        What to do.
    on_progress : callable, optional
        Takes how far the job is, {"file": …, "slice": …, "slices": …}, from the thread that called.

    Returns
    -------
    FileRow
        "done" or "failed", with the reason; also where the process died.

    Raises
    ------
    ChildEndedError
        If the run was ended meanwhile.
    """
    row, first = None, True
    for attempt in attempts(job.device):
        shared = trains_planes(job.segmenter) and not (job.model or job.learned or job.fit_on)
        card = address_of(attempt.device) if shared else ""
        changed = replace(job, shrink=attempt.shrink, device=attempt.device, card=card)
        row, out_of_memory = _once(changed, on_progress)
        if not out_of_memory:
            return row if first else _with_note(row, attempt)
        first = False
    assert row is not None  # noqa: S101 - there is more than one attempt
    return replace(row, error=f"{row.error} {IN_VAIN}")


def end(run_id: str) -> None:
    """End the processes that work for a run, at once; from any thread.

    Parameters
    ----------
    run_id : str
        The run, as its jobs name it.
    """
    WORKERS.end(run_id)


def close_idle() -> None:
    """End the processes that wait for another job."""
    WORKERS.close_idle()


def _with_note(row: FileRow, attempt: Attempt) -> FileRow:
    """Say that the result is not quite what was asked for."""
    if row.status == "done":
        return replace(row, note=f"{finished_note(attempt)} {row.note}".strip())
    return replace(row, error=f"Out of memory. Tried again {attempt.place}: {row.error}")


def _once(job: FileJob, on_progress: OnProgress | None) -> tuple[FileRow, bool]:
    """Have a process do a job; the row, and whether memory ran out."""
    reading = False

    def on_news(news: dict[str, Any]) -> None:
        nonlocal reading
        if "reading" in news:
            reading = news["reading"]
        elif on_progress is not None:
            on_progress(news)

    try:
        reply, _ = WORKERS.ask({"job": vars(job)}, LONGEST, on_news=on_news, group=job.run)
    except ChildEndedError:
        raise
    except ChildError as error:
        words = why_unread(error) if reading else _why_undone(error)
        row = FileRow(file=job.file, status="failed", settings=job.digest, error=words)
        return row, isinstance(error, ChildDiedError) and error.was_killed and not reading
    return FileRow.from_dict(reply["row"]), bool(reply["memory"])


def _why_undone(error: ChildError) -> str:
    """Why there is no result, from what became of the process that worked on it."""
    if isinstance(error, ChildDiedError) and error.was_killed:
        return "The system ended the process that worked on it, probably because memory ran out."
    if isinstance(error, ChildDiedError):
        return f"The process that worked on it died (code {error.code})."
    if isinstance(error, ChildTimeoutError):
        return f"Working on it took longer than {error.seconds / 3600:.0f} hours and was given up."
    if isinstance(error, ChildStartError):
        return f"The process that works on it could not be started: {error}."
    return f"The process that worked on it failed: {error}."
