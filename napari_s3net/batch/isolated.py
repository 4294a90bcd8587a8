"""Do a job in a process of its own, so that no image can take the run down. Warm processes are kept for the next file.

What runs out of memory is tried again smaller, then on the CPU; what kills its process otherwise gets a second chance.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from napari_s3net.batch.file_row import FileRow
from napari_s3net.batch.plan import FileJob
from napari_s3net.errors import ReadError
from napari_s3net.runtime.child_process import Child, DiedError
from napari_s3net.runtime.oom_retry import IN_VAIN, Attempt, attempts, finished_note

COMMAND = (sys.executable, "-W", "ignore", "-m", "napari_s3net.batch.worker")
#: One thread each, whichever library computes.
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
#: A file that takes longer than a day is given up.
LONGEST = 86_400.0
#: What the system ends a process with when memory runs out.
KILLED = (-9, 137)

#: Takes what a worker has to tell before it is done: {"file": …, "slice": …, "slices": …}.
OnProgress = Callable[[dict[str, Any]], None]

_lock = threading.Lock()
_idle: list[tuple[int, Child]] = []
_busy: dict[int, tuple[str, Child]] = {}
_ended: set[str] = set()


class EndedError(Exception):
    """The run was ended while the job was worked on."""


def run(job: FileJob, on_progress: OnProgress | None = None) -> FileRow:
    """Do a job, whatever becomes of the process that does it; `on_progress` is told how far it is, from this thread.

    Raises
    ------
    EndedError
        If the run was ended meanwhile.
    """
    row, first = None, True
    for attempt in attempts(job.device):
        row, out_of_memory = _twice(replace(job, shrink=attempt.shrink, device=attempt.device), on_progress)
        if not out_of_memory:
            return row if first else _with_note(row, attempt)
        first = False
    assert row is not None  # noqa: S101 - there is more than one attempt
    return replace(row, error=f"{row.error} {IN_VAIN}")


def end(run_id: str) -> None:
    """End whatever works for a run, at once; from any thread."""
    with _lock:
        _ended.add(run_id)
        for busy, child in _busy.values():
            if busy == run_id:
                child.kill()


def close_idle() -> None:
    """End the processes that wait for more."""
    with _lock:
        children = [child for _, child in _idle]
        _idle.clear()
    for child in children:
        child.close()


def _with_note(row: FileRow, attempt: Attempt) -> FileRow:
    """Say that the result is not quite what was asked for."""
    if row.status == "done":
        return replace(row, note=f"{finished_note(attempt)} {row.note}".strip())
    return replace(row, error=f"Out of memory. Tried again {attempt.place}: {row.error}")


def _twice(job: FileJob, on_progress: OnProgress | None) -> tuple[FileRow, bool]:
    """Do a job; once more in a fresh process where the first one died for no reason that is known."""
    died: DiedError | None = None
    for _ in range(2):
        try:
            return _once(job, on_progress)
        except DiedError as error:
            died = error
            if error.code in KILLED:
                break
        except ReadError as error:  # no process could be started, or time was up
            return _failed(job, f"Could not be worked on: {error}"), False
    assert died is not None  # noqa: S101 - or the loop had returned
    if died.code in KILLED:
        return _failed(job, "The system ended the process that worked on it, probably because memory ran out."), True
    return _failed(job, f"The process that worked on it died twice (code {died.code})."), False


def _failed(job: FileJob, words: str) -> FileRow:
    return FileRow(file=job.file, status="failed", settings=job.digest, error=words)


def _once(job: FileJob, on_progress: OnProgress | None) -> tuple[FileRow, bool]:
    """Have one process do a job, and keep it if it is still good."""
    slot, child = _take(job.run)
    try:
        reply, _ = child.ask(vars(job), LONGEST, on_progress)
    except BaseException:
        child.close()
        _give_back(slot, None)
        if job.run in _ended:
            raise EndedError from None
        raise
    _give_back(slot, child)
    return _understood(reply)


def _understood(reply: dict[str, Any]) -> tuple[FileRow, bool]:
    return FileRow.from_dict(reply["row"]), bool(reply["memory"])


def _take(run_id: str) -> tuple[int, Child]:
    """A warm process or a new one; its slot is the smallest number that no other has."""
    with _lock:
        if run_id in _ended:
            raise EndedError
        if _idle:
            slot, child = _idle.pop()
        else:
            taken = {*_busy, *(slot for slot, _ in _idle)}
            slot = next(n for n in range(len(taken) + 1) if n not in taken)
            child = Child((*COMMAND, str(slot)), THREADS)
        _busy[slot] = (run_id, child)
        return slot, child


def _give_back(slot: int, child: Child | None) -> None:
    """A process is done with its job, or dead."""
    with _lock:
        _busy.pop(slot, None)
        if child is not None:
            _idle.append((slot, child))
