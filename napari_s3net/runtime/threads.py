"""How many threads torch computes an image with: one, where the image is small; and how more than one wait.

torch's threads wait for each other after every operation, and wait by spinning. Beside another job that wants the same
cores each wait lasts until the other job has had its turn: a run of 0.2 s takes 18. With one thread there is no
waiting, and the same labels come out on every machine, whatever else it does: sums are taken in one order. Where all
cores are worth it, in larger images and in learning, threads that wait asleep lose little. `docs/busy.md` has the
figures.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

#: Pixels up to which one thread computes an image. At the working sizes of the presets a second thread saves nothing on
#: a photograph and a third on a CT slice; far above, all cores are worth their waits.
SMALL = 256 * 256


def wait_asleep() -> None:
    """Let torch's threads wait asleep instead of spinning, where torch is not loaded yet and the user says nothing.

    For the start of a program: torch reads `OMP_WAIT_POLICY` once. Child processes inherit it.
    """
    if "torch" not in sys.modules:
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")


@contextmanager
def torch_threads(number: int) -> Iterator[None]:
    """Let torch compute with so many threads; afterwards it has its number of threads back.

    Parameters
    ----------
    number : int
        1 or more.

    Yields
    ------
    None
        While the body computes.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def threads_for(shape: tuple[int, int]) -> AbstractContextManager[None]:
    """Let torch compute a small image with one thread; afterwards it has its number of threads back.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns at which the network works. Above `SMALL` pixels nothing is changed.

    Returns
    -------
    context manager
        For the body that computes.
    """
    return torch_threads(1) if shape[0] * shape[1] <= SMALL else nullcontext()
