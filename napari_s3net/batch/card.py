"""A graphics card that many workers share: one process trains what they bring, many images at once.

Workers read, prepare and write; only the training goes through here, as arrays, over a local connection that is open to
nobody else. A worker waits for its image, so no more images wait than there are workers.
"""

from __future__ import annotations

import atexit
import itertools
import json
import os
import secrets
import subprocess
import threading
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_s3net.errors import DivergedError, OutOfMemoryError, S3NetError
from napari_s3net.runtime.child_process import ONE_THREAD, python_module
from napari_s3net.runtime.machine import cores, free_memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from napari_s3net.batch.plan import Plan
    from napari_s3net.settings import Settings
    from napari_s3net.training.loop import TrainedClusters

#: Where NVIDIA's driver lists the cards of a Linux machine.
DRIVER = Path("/proc/driver/nvidia/gpus")
#: Name of the variable with the secret that opens the connection.
KEY = "NAPARI_S3NET_CARD_KEY"
#: Memory that a worker takes: its libraries and a photograph of ordinary size.
WORKER_BYTES = 700 * 2**20

#: In a worker: how to reach the card's process in the job that it does; empty where it trains by itself.
address = ""

_lock = threading.Lock()
_processes: dict[str, CardProcess] = {}
_turn = itertools.count()


class CardLostError(S3NetError):
    """The process that owns the card does not answer: the card is busy with others, gone, or its driver failed."""


class CardProcess:
    """The process that owns a device; it ends with this one.

    Parameters
    ----------
    device : str
        "cuda:0", …; "cpu" for tests.

    Raises
    ------
    CardLostError
        If it does not come up, with what it said.
    """

    def __init__(self, device: str) -> None:
        key = secrets.token_hex(16)
        self._process = subprocess.Popen(
            (*python_module("napari_s3net.batch.card_server"), device),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ONE_THREAD, KEY: key},
        )
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        said = self._process.stdout.readline().decode(errors="replace").strip()
        if not said.startswith("{"):
            self.close()
            raise CardLostError(said or f"The process for {device} did not start.")
        #: What a worker needs to reach it.
        self.address = json.dumps([json.loads(said)["address"], key])

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def cards_for(device: str) -> list[str]:
    """List the cards that a batch computes on; the network library is not needed to know them.

    Parameters
    ----------
    device : str
        As in `Plan`.

    Returns
    -------
    list of str
        "cuda:0", …: the one that was asked for, or for "auto" all of this machine that `CUDA_VISIBLE_DEVICES` leaves;
        empty where there is none.
    """
    if device.startswith("cuda"):
        return ["cuda:0" if device == "cuda" else device]
    if device != "auto" or not DRIVER.is_dir():
        return []
    cards = len(list(DRIVER.iterdir()))
    if (shown := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:  # so a worker of a cluster is given its own
        cards = min(cards, sum(part.strip() not in ("", "-1") for part in shown.split(",")))
    return [f"cuda:{i}" for i in range(cards)]


def jobs_for(plan: Plan) -> int:
    """Choose how many files are worked on at once where nobody says it.

    Parameters
    ----------
    plan : Plan
        Its device, and whether it uses a model.

    Returns
    -------
    int
        1, or where each image is trained on by a card two for each core, as far as the memory that is free goes: while
        the card trains for some workers the others read, prepare and write, and the more wait, the more are trained on
        side by side.
    """
    if plan.model is not None or plan.fit != "image" or not cards_for(plan.device):
        return 1
    return max(1, min(2 * cores(), free_memory() // WORKER_BYTES))


def address_of(device: str) -> str:
    """Find the process that owns a card, or start it; of several cards each in its turn.

    Parameters
    ----------
    device : str
        As in `Plan`.

    Returns
    -------
    str
        For `train_there`; empty where there is no card, or it cannot be used.
    """
    cards = cards_for(device)
    if not cards:
        return ""
    card = cards[next(_turn) % len(cards)]
    with _lock:
        known = _processes.get(card)
        if known is None or not known.is_alive:
            try:
                known = _processes[card] = CardProcess(card)
            except CardLostError:
                return ""
        return known.address


@atexit.register
def close_cards() -> None:
    """End the processes that own cards; the next job starts them again."""
    with _lock:
        for process in _processes.values():
            process.close()
        _processes.clear()


def train_there(
    where: str, features: NDArray[np.float32], settings: Settings, squares: Sequence[Tensor] = ()
) -> tuple[TrainedClusters, str]:
    """Have the card's process train on an image and show it to taught networks, and wait.

    Parameters
    ----------
    where : str
        From `address_of`.
    features : numpy.ndarray
        (h, w, C) in [0, 1].
    settings : Settings
        Of the training.
    squares : sequence of torch.Tensor
        What taught networks are to look at, from `squares_for`.

    Returns
    -------
    trained : TrainedClusters
        Without weights; with what the networks said, one for each of the squares.
    device : str
        Where it was trained.

    Raises
    ------
    CardLostError
        If nobody answers any more.
    OutOfMemoryError, DivergedError
        As the training.
    """
    import torch

    from napari_s3net.training.loop import TrainedClusters

    place, key = json.loads(where)
    try:
        with Client(place if isinstance(place, str) else tuple(place), authkey=bytes.fromhex(key)) as connection:
            connection.send(
                {
                    "settings": settings.to_dict(),
                    "features": features,
                    "squares": tuple(square.numpy() for square in squares),
                }
            )
            answer = connection.recv()
    except (OSError, EOFError, AuthenticationError) as error:
        raise CardLostError("The graphics card does not answer any more.") from error
    if "error" in answer:
        raise {"memory": OutOfMemoryError, "diverged": DivergedError}.get(answer["kind"], CardLostError)(
            answer["error"]
        )
    probabilities = torch.from_numpy(answer["probabilities"])
    logits = tuple(torch.from_numpy(said) for said in answer["logits"])
    trained = TrainedClusters(answer["clusters"], probabilities, tuple(answer["losses"]), False, {}, logits)
    return trained, answer["device"]


def reply(connection: Connection, answer: dict[str, Any]) -> None:
    """Answer a worker; it may be gone.

    Parameters
    ----------
    connection : multiprocessing.connection.Connection
        To the worker.
    answer : dict
        What can be pickled.
    """
    with suppress(OSError):
        connection.send(answer)
