"""How many threads torch gets: as many as there are cores that nobody else wants at the moment.

torch's threads wait for each other after every operation, and wait by spinning. Beside another job that wants the same
cores each wait lasts until the other job has had its turn: a run of 0.2 s takes 18. With one thread there is no
waiting. `docs/busy.md` has the figures.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import cpu_count
from pathlib import Path

from napari_s3net.runtime.machine import cores

#: Where Linux tells how many threads want a core right now, and the states of those of this process.
LOAD, OWN_THREADS = Path("/proc/loadavg"), Path("/proc/self/task")
#: Of so many looks the most quiet one counts, so that a moment's work of another program costs no thread.
LOOKS = 2


def wanted_by_others() -> int:
    """Count the threads of other programs that run, or wait for a core, at this moment.

    Returns
    -------
    int
        0 or more; 0 where the system does not tell (other systems than Linux).
    """
    try:
        running = int(LOAD.read_text(encoding="ascii").split()[3].partition("/")[0])
    except (OSError, ValueError, IndexError):
        return 0
    return max(0, running - _own_running()) if running > 1 else 0


def _own_running() -> int:
    """How many threads of this process run or spin."""
    states = []
    for task in OWN_THREADS.iterdir():
        with suppress(OSError, IndexError):  # it may have ended meanwhile
            states.append((task / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0])
    return states.count("R")


class ThreadChooser:
    """Says again and again how many threads to use.

    Parameters
    ----------
    most : int
        Never more than this many.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._looks: deque[int] = deque(maxlen=LOOKS)

    def choose(self) -> int:
        """Look at what other programs want, and choose.

        Returns
        -------
        int
            From 1 to `most`: the cores of this machine less those that others wanted at the last looks.
        """
        self._looks.append(wanted_by_others())
        free = (cpu_count() or 1) - min(self._looks)  # others may use cores that this process is kept from
        return max(1, min(self.most, cores(), free))


@contextmanager
def threads_by_load() -> Iterator[ThreadChooser]:
    """Give torch as many threads as there are free cores; afterwards it has its number of threads back.

    Yields
    ------
    ThreadChooser
        For `adapt`, while the body goes on; it gives no more threads than torch had before.
    """
    import torch

    before = torch.get_num_threads()
    chooser = ThreadChooser(before)
    try:
        adapt(chooser)
        yield chooser
    finally:
        torch.set_num_threads(before)


def adapt(chooser: ThreadChooser) -> None:
    """Give torch as many threads as the chooser says now; between two operations, from the thread that computes."""
    if chooser.most > 1:
        import torch

        torch.set_num_threads(chooser.choose())
