"""The process that works on files, and that may die of them. Started by `napari_s3net.batch.isolated` alone."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from napari_s3net.batch import card
from napari_s3net.batch.plan import FileJob
from napari_s3net.runtime.child_server import Caller, serve


def do_job(request: dict[str, Any], caller: Caller) -> tuple[dict[str, Any], None]:
    """Do the job of a request, in this process.

    Parameters
    ----------
    request : dict
        `job`, the fields of a `FileJob`.
    caller : Caller
        Is told how far the job is, and asked for time.

    Returns
    -------
    reply : dict
        `row`, the fields of a `FileRow`, and `memory`, whether memory ran out.
    array : None
        No array goes back.
    """
    from napari_s3net.batch.work import do

    job = FileJob(**request["job"])
    prepare_worker(job)
    card.address = job.card
    row, out_of_memory = do(own_device(job, int(sys.argv[1])), caller)
    return {"row": vars(row), "memory": out_of_memory}, None


def prepare_worker(job: FileJob) -> None:
    """Make what the asking process can import importable here, and load the network before the first image is timed.

    Parameters
    ----------
    job : FileJob
        Its `search` is added to `sys.path`; for the segmenter of this package torch gets one thread.
    """
    sys.path.extend(folder for folder in job.search if folder not in sys.path)
    if job.segmenter.startswith("napari_s3net.batch.work:"):
        import torch

        import napari_s3net.segmentation  # noqa: F401 - here, so that a first image is not timed with it

        # Workers do not fight over cores; and sums of as many parts give the same bits everywhere.
        torch.set_num_threads(1)


def own_device(job: FileJob, slot: int) -> FileJob:
    """Give each worker of a machine with several graphics cards one of its own.

    Parameters
    ----------
    job : FileJob
        With device "auto" it may get a card; any other device stays.
    slot : int
        Number of this worker, from 0; workers take the cards in turn.

    Returns
    -------
    FileJob
        The same where there are fewer than two cards.
    """
    if job.device != "auto" or "napari_s3net.segmentation" not in sys.modules:
        return job
    from napari_s3net.runtime.device import available_devices

    cards = [name for name in available_devices() if name.startswith("cuda")]
    return replace(job, device=cards[slot % len(cards)]) if len(cards) > 1 else job


if __name__ == "__main__":
    serve(do_job)
