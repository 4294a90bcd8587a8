"""Begin a run anew where it could not be ended: the same policy for every run.

Where memory ran out, at half the working size, then on the CPU; where a graphics card failed, on the CPU.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_s3net.errors import OutOfMemoryError
from napari_s3net.progress import Notice, Step
from napari_s3net.result import Segmentation
from napari_s3net.settings import Settings

if TYPE_CHECKING:
    import torch

#: The network cannot work at fewer pixels than this.
SMALLEST = 32
CARD_FAILED = "The graphics card failed, or another program has it."
IN_VAIN = "Tried again at smaller working sizes and on the CPU, in vain."
_PARTS = {1: "the same", 2: "half the", 4: "a quarter of the"}

Make = Callable[[Settings, "torch.device"], Generator[Step, bool | None, Segmentation]]


@dataclass(frozen=True)
class Attempt:
    """One try of a run.

    Parameters
    ----------
    shrink : int
        The working size is divided by this.
    device : str
        Its name, as `iter_segment` takes it.
    moved : bool
        Whether the run went to the CPU because memory ran out elsewhere.
    """

    shrink: int
    device: str
    moved: bool = False

    def settings(self, asked: Settings) -> Settings:
        """Return the settings of this try.

        Parameters
        ----------
        asked : Settings
            What was asked for.

        Returns
        -------
        Settings
            The same with the working size divided by `shrink`, but not below 32.
        """
        if self.shrink == 1:
            return asked
        return asked.replace(working_size=max(SMALLEST, asked.working_size // self.shrink))

    @property
    def place(self) -> str:
        """Words for where the try runs: "at half the working size on the CPU"."""
        return f"at {_PARTS[self.shrink]} working size{' on the CPU' if self.moved else ''}"


def attempts(device: str) -> Iterator[Attempt]:
    """Yield the tries in their order: as asked for; at half the working size; at half and at a quarter on the CPU.

    Parameters
    ----------
    device : str
        What was asked for; where that is "cpu", the third is left out.

    Yields
    ------
    Attempt
        One try after another; the caller stops asking once one succeeds.
    """
    yield Attempt(1, device)
    yield Attempt(2, device)
    if device != "cpu":
        yield Attempt(2, "cpu", moved=True)
    yield Attempt(4, "cpu", moved=device != "cpu")


def iter_retrying(
    make: Make, settings: Settings, device: str | torch.device
) -> Generator[Step | Notice, bool | None, Segmentation]:
    """Run, and begin anew, smaller or on the CPU, where memory runs out or a graphics card fails.

    Parameters
    ----------
    make : callable
        Called with settings and a `torch.device`; a generator of steps, as `iter_segment` is one.
    settings : Settings
        What was asked for.
    device : str or torch.device
        As in `segment`; resolved here, once for all attempts.

    Yields
    ------
    Step or Notice
        The steps of the run; before each new beginning a notice that says what is going on.

    Returns
    -------
    Segmentation
        Its provenance notes that it is not quite what was asked for, and holds the settings that were used.

    Raises
    ------
    OutOfMemoryError
        If memory ran out every time.
    """
    import torch

    from napari_s3net.runtime.device import empty_caches, is_device_lost, is_out_of_memory, resolve_device

    reason, failed = "", ""
    left = deque(attempts(str(resolve_device(device))))
    while left:
        attempt = left.popleft()
        if failed:
            yield Notice(f"{failed} Trying again {attempt.place}…")
        try:
            result = yield from make(attempt.settings(settings), torch.device(attempt.device))
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                failed = "Out of memory."
                reason = str(error) if isinstance(error, OutOfMemoryError) else failed
            elif attempt.device != "cpu" and is_device_lost(error):
                failed = reason = CARD_FAILED
                left = deque(replace(again, moved=True) for again in attempts("cpu"))
            else:
                raise
        else:
            if not failed:
                return result
            note = " ".join(filter(None, (finished_note(attempt, failed), result.provenance.note)))
            return result.with_provenance(note=note)
        # Only here, behind the handler, is the error gone, and with it the frames that held tensors.
        empty_caches()
    raise OutOfMemoryError(f"{reason} {IN_VAIN}")


def finished_note(attempt: Attempt, failed: str = "Out of memory.") -> str:
    """Return the note of a result that came from another try than the first.

    Parameters
    ----------
    attempt : Attempt
        The try that succeeded.
    failed : str
        What became of the one before.

    Returns
    -------
    str
        "Out of memory. Tried again at half the working size and finished there."
    """
    return f"{failed} Tried again {attempt.place} and finished there."
