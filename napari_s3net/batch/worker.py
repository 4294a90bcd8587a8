"""The process that works on files, and that may die of them. Started by `napari_s3net.batch.isolated` alone.

It answers a job a line from its standard input with a line of JSON. It ends as soon as whoever started it is gone, so
that nothing is written any more when a run was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from napari_s3net.batch.plan import FileJob


def take_blame() -> None:
    """Where the system has to end a process because memory ran out, let it be this one."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def own_device(job: FileJob, slot: int) -> FileJob:
    """Give each worker of a machine with several graphics cards one of its own."""
    if job.device != "auto" or "napari_s3net.segmentation" not in sys.modules:
        return job
    from napari_s3net.runtime.device import available_devices

    cards = [name for name in available_devices() if name.startswith("cuda")]
    return replace(job, device=cards[slot % len(cards)]) if len(cards) > 1 else job


def prepare(job: FileJob) -> None:
    """Import what the job needs, from where whoever asks for it would."""
    sys.path.extend(folder for folder in job.search if folder not in sys.path)
    if job.segmenter.startswith("napari_s3net.batch.work:"):
        import torch

        import napari_s3net.segmentation  # noqa: F401 - here, so that a first image is not timed with it

        # Workers do not fight over cores; and sums of as many parts give the same bits everywhere.
        torch.set_num_threads(1)


def serve(slot: int, requests: queue.SimpleQueue[bytes], answers: BinaryIO) -> None:
    """Answer for ever."""
    from napari_s3net.batch.work import do

    while True:
        values = json.loads(requests.get())
        values.pop("seconds")
        job = FileJob(**values)
        prepare(job)
        news = partial(tell, job.file, answers)
        row, out_of_memory = do(own_device(job, slot), news)
        say(answers, row=vars(row), memory=out_of_memory)


def tell(file: str, answers: BinaryIO, index: int, total: int) -> None:
    """Which slice of a stack is worked on."""
    say(answers, news={"file": file, "slice": index, "slices": total})


def say(answers: BinaryIO, **words: Any) -> None:
    """A line of JSON."""
    answers.write(json.dumps(words, allow_nan=False).encode() + b"\n")
    answers.flush()


def listen(stream: BinaryIO, requests: queue.SimpleQueue[bytes]) -> None:
    """Pass requests on, and end this process when there will be no more."""
    for line in stream:
        requests.put(line)
    os._exit(0)


if __name__ == "__main__":
    take_blame()
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    inbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=listen, args=(sys.stdin.buffer, inbox), daemon=True).start()
    with contextlib.suppress(OSError, KeyboardInterrupt):
        serve(int(sys.argv[1]), inbox, channel)
    os._exit(0)
