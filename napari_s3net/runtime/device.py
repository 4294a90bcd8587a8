"""Find the device that a run uses, recognise that memory ran out, and say so in plain words."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import torch

from napari_s3net.errors import DeviceError, OutOfMemoryError

#: Python's last generation of objects; to collect it is to collect all.
OLDEST = 2


def available_devices() -> list[str]:
    """List the devices of this machine, the fastest first.

    Returns
    -------
    list of str
        Names that `resolve_device` takes: "cuda:0", …, "mps", "cpu".
    """
    devices = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        devices.append("mps")
    return [*devices, "cpu"]


def resolve_device(name: str | torch.device = "auto") -> torch.device:
    """Turn a name into a device of this machine.

    Parameters
    ----------
    name : str or torch.device
        "auto" (the fastest), "cpu", "cuda", "cuda:1" or "mps". A `torch.device` is returned as it is, without a check.

    Returns
    -------
    torch.device
        Where tensors go.

    Raises
    ------
    DeviceError
        If it is not at hand; the message lists what is.
    """
    if isinstance(name, torch.device):
        return name
    devices = available_devices()
    wanted = devices[0] if name == "auto" else "cuda:0" if name == "cuda" else name
    if wanted not in devices:
        raise DeviceError(f"Device {name!r} is not at hand on this machine; choose one of: auto, {', '.join(devices)}.")
    return torch.device(wanted)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out; on the CPU and MPS, torch raises a plain RuntimeError for it.

    Parameters
    ----------
    error : BaseException
        As it was raised.

    Returns
    -------
    bool
        Whether less memory might help.
    """
    words = str(error).lower()
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        isinstance(error, RuntimeError) and ("out of memory" in words or "can't allocate memory" in words)
    )


def is_device_lost(error: BaseException) -> bool:
    """Whether an error means that a graphics card is gone, taken by another program, or failed; not that it is full.

    Parameters
    ----------
    error : BaseException
        As it was raised.

    Returns
    -------
    bool
        Whether another device is needed.
    """
    words = str(error).lower()
    signs = ("cuda error", "cuda driver", "cudnn", "cublas", "no cuda gpus", "nvidia driver", "mps backend")
    return isinstance(error, RuntimeError) and not is_out_of_memory(error) and any(sign in words for sign in signs)


def empty_caches() -> None:
    """Give memory that is not used any more back to the system and to other programs on the graphics card.

    Beside the main thread only what is young is looked at, as what has just failed is: a full collection would also end
    objects of a window that nobody needs any more, in a thread that is not theirs, which ended a test in PySide6.
    """
    is_main = threading.current_thread() is threading.main_thread()
    gc.collect(OLDEST if is_main else OLDEST - 1)
    with suppress(RuntimeError):  # of a card that has failed nothing can be had back
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        elif torch.backends.mps.is_available():
            torch.mps.empty_cache()


@contextmanager
def memory_errors(device: torch.device, needed_mib: float) -> Iterator[None]:
    """Turn every form of running out of memory in the body into one error that says what to try.

    Parameters
    ----------
    device : torch.device
        Where the body computes, for the message.
    needed_mib : float
        Estimate of the memory that it needs, in MiB, for the message.

    Yields
    ------
    None
        Other errors pass unchanged.

    Raises
    ------
    OutOfMemoryError
        If memory ran out in the body.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        free = f" and {torch.cuda.mem_get_info(device)[0] / 2**20:,.0f} MiB are free" if device.type == "cuda" else ""
        raise OutOfMemoryError(
            f"Out of memory on {device}: this run needs about {needed_mib:,.0f} MiB{free}. "
            "Choose a smaller working size, fewer feature channels, or the CPU."
        ) from None
