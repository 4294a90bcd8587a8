"""The process that owns a card: takes images from workers, trains many at once, answers each; see `batch.card`."""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Listener
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_s3net.batch.card import KEY, reply
from napari_s3net.errors import DivergedError
from napari_s3net.runtime.device import empty_caches, is_out_of_memory, resolve_device
from napari_s3net.runtime.memory import images_at_once
from napari_s3net.settings import Settings
from napari_s3net.training.loop import TrainedClusters, train_side_by_side
from napari_s3net.training.variants import make_trainer

#: More images than this do not wait; a worker that brings another one waits until there is room.
MOST_WAITING = 512
#: Seconds that the first image of a batch waits for others.
GATHER_SECONDS = 0.005

TrainingAnswer = dict[str, Any]


@dataclass(eq=False)
class TrainingRequest:
    """An image that is to be trained on.

    Parameters
    ----------
    features : numpy.ndarray
        (h, w, C).
    settings : Settings
        Of the training.
    squares : tuple of numpy.ndarray
        What taught networks are to look at, from `squares_for`; images that go with each other have as many.
    """

    features: NDArray[np.float32]
    settings: Settings
    squares: tuple[NDArray[np.float32], ...] = ()
    answer: TrainingAnswer = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)

    def goes_with(self, other: TrainingRequest) -> bool:
        """Whether two images can be trained on side by side: of one size, with the same settings.

        Parameters
        ----------
        other : TrainingRequest
            The image beside which it would be trained.

        Returns
        -------
        bool
            True where they go together.
        """
        return self.features.shape == other.features.shape and self.settings == other.settings


def train_batch(requests: Sequence[TrainingRequest], device: torch.device) -> list[TrainingAnswer]:
    """Train on images of one size side by side; what goes wrong with all is tried with fewer, down to each alone.

    Parameters
    ----------
    requests : sequence of TrainingRequest
        That go with each other.
    device : torch.device
        Where to train.

    Returns
    -------
    list of dict
        Of each: probabilities, clusters, losses, and the logits of taught networks; or an error and its kind.
    """
    settings = requests[0].settings
    features = np.stack([request.features for request in requests]) if len(requests) > 1 else requests[0].features
    try:
        trainer = make_trainer(features, settings, device, _squares_of(requests))
        return [_answer(trained, device) for trained in train_side_by_side(trainer, settings.max_iter)]
    except (RuntimeError, MemoryError, ValueError, np.linalg.LinAlgError) as error:
        words, kind = str(error) or "Out of memory.", "memory" if is_out_of_memory(error) else "other"
    # Behind the handler the error is gone, and with it the frames that held tensors.
    empty_caches()
    if len(requests) == 1:
        return [{"error": words, "kind": kind}]
    half = len(requests) // 2
    return [*train_batch(requests[:half], device), *train_batch(requests[half:], device)]


def _squares_of(requests: Sequence[TrainingRequest]) -> list[Tensor]:
    """What each taught network looks at, of all images at once."""
    return [torch.from_numpy(np.concatenate(same)) for same in zip(*(r.squares for r in requests), strict=True)]


def _answer(trained: TrainedClusters | DivergedError, device: torch.device) -> TrainingAnswer:
    if isinstance(trained, DivergedError):
        return {"error": str(trained), "kind": "diverged"}
    return {
        "probabilities": trained.probabilities.numpy(),
        "clusters": trained.clusters,
        "losses": [dict(losses) for losses in trained.losses],
        "logits": [logits.numpy() for logits in trained.logits],
        "device": str(device),
    }


def gather(
    waiting: queue.Queue[TrainingRequest], left: list[TrainingRequest], device: torch.device
) -> list[TrainingRequest]:
    """Wait for an image, and for a moment for others that go with it.

    Parameters
    ----------
    waiting : queue.Queue of TrainingRequest
        What workers bring.
    left : list of TrainingRequest
        Taken from the queue before and not trained on yet; what does not go with the first stays here.
    device : torch.device
        Its free memory says how many at most.

    Returns
    -------
    list of TrainingRequest
        One or more that go with each other, the one that has waited longest first.
    """
    if not left:
        left.append(waiting.get())
    until = time.monotonic() + GATHER_SECONDS
    most = images_at_once(left[0].features.shape, left[0].settings, str(device))
    while sum(left[0].goes_with(request) for request in left) < most:
        try:
            left.append(waiting.get(timeout=max(0.0, until - time.monotonic())))
        except queue.Empty:
            break
    batch = [request for request in left if left[0].goes_with(request)][:most]
    taken = set(map(id, batch))
    left[:] = [request for request in left if id(request) not in taken]
    return batch


def _serve_worker(connection: Connection, waiting: queue.Queue[TrainingRequest]) -> None:
    """One image of one worker."""
    with connection:
        try:
            given = connection.recv()
        except (OSError, EOFError):
            return
        request = TrainingRequest(given["features"], Settings.from_dict(given["settings"]), given["squares"])
        waiting.put(request)
        request.done.wait()
        reply(connection, request.answer)


def _accept(listener: Listener, waiting: queue.Queue[TrainingRequest]) -> None:
    while True:
        try:
            connection = listener.accept()
        except Exception:  # noqa: BLE001, S112 - somebody without the secret, or who hung up
            continue
        threading.Thread(target=_serve_worker, args=(connection, waiting), daemon=True).start()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    """Own the device that the command line names until the standard input is closed."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries chatter on the standard output
    try:
        device = resolve_device(sys.argv[1])
        torch.zeros(1, device=device)  # a card that is there may still be in nobody's reach
    except RuntimeError as error:
        print(" ".join(str(error).split()), file=answers, flush=True)
        return
    waiting: queue.Queue[TrainingRequest] = queue.Queue(MOST_WAITING)
    listener = Listener(authkey=bytes.fromhex(os.environ[KEY]), backlog=128)
    print(json.dumps({"address": listener.address}), file=answers, flush=True)
    threading.Thread(target=_accept, args=(listener, waiting), daemon=True).start()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    left: list[TrainingRequest] = []
    while True:
        batch = gather(waiting, left, device)
        for request, answer in zip(batch, train_batch(batch, device), strict=True):
            request.answer = answer
            request.done.set()


if __name__ == "__main__":
    main()
