"""Estimate how much memory a run takes, compare it with what is free, and advise where it does not suffice."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from napari_s3net.errors import OutOfMemoryError
from napari_s3net.runtime.machine import free_memory
from napari_s3net.settings import Settings

#: Bytes that a run takes at its peak, measured on the CPU (see `docs/speed.md`): for each pixel of the working size,
#: for each of its feature channels and of its clusters; and for each pixel of the image. The last one was measured on
#: generated images of 2 to 16 megapixels: 17 to 23 with most presets, up to 40 with ct-lung.
PIXEL_BYTES, CHANNEL_BYTES, CLUSTER_BYTES, FULL_BYTES = 100.0, 290.0, 80.0, 40.0
#: What a run takes however small the image, in MiB; and what the network library does before its first run.
LEAST_MIB, LIBRARY_MIB = 25.0, 250.0
#: This share of the free memory may be planned with; other programs want some, too.
SHARE = 0.9
#: More images than this are not trained on at once: larger batches were not faster on the card that was measured.
MOST_AT_ONCE = 64
#: The size and the channels of the published network, which follow no setting.
RELEASED_SIZE, RELEASED_CHANNELS = 256, 64


def estimate_mib(shape: tuple[int, ...], settings: Settings) -> float:
    """Estimate the memory that a run on a plane takes at its peak, beyond what libraries take.

    It is that of a run with enough iterations to learn at the full working size; one that only looks there, as with the
    presets' number of iterations, takes about half.

    Parameters
    ----------
    shape : tuple of int
        Of the image; the last two are its height and width.
    settings : Settings
        Working size, channels, clusters and variant of the run.

    Returns
    -------
    float
        In MiB; linear in the constants at the top of this module, which were measured.
    """
    if settings.variant == "released":
        pixels, channels, clusters = RELEASED_SIZE**2, RELEASED_CHANNELS, RELEASED_CHANNELS
    else:
        rows, columns = settings.working_shape(shape[-2:])
        pixels, channels, clusters = rows * columns, settings.channels, settings.clusters
    working = pixels * (PIXEL_BYTES + CHANNEL_BYTES * channels + CLUSTER_BYTES * clusters)
    return LEAST_MIB + (working + shape[-2] * shape[-1] * FULL_BYTES) / 2**20


def images_at_once(shape: tuple[int, ...], settings: Settings, device: str) -> int:
    """Say how many images can be trained on side by side.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns at the working size come first.
    settings : Settings
        Channels and clusters of the run.
    device : str
        Name of the device, whose free memory counts; see `free_mib`.

    Returns
    -------
    int
        From 1 to `MOST_AT_ONCE`.
    """
    each = estimate_mib(shape[:2], settings.replace(working_size=max(32, *shape[:2])))
    return int(min(MOST_AT_ONCE, max(1, SHARE * free_mib(device) // each)))


def card_name(device: str) -> str:
    """Return what a graphics card is called.

    Parameters
    ----------
    device : str
        "cuda:0", …

    Returns
    -------
    str
        "NVIDIA H100 80GB HBM3"; empty for other devices, and for a card that does not answer.
    """
    if not device.startswith("cuda"):
        return ""
    import torch

    try:
        return str(torch.cuda.get_device_name(device))
    except (RuntimeError, AssertionError):
        return ""


def free_mib(device: str = "cpu") -> float:
    """Return the memory that a run may still take.

    Parameters
    ----------
    device : str
        "cuda:0" asks a graphics card, memory that torch holds and does not use included; others ask this computer or
        container.

    Returns
    -------
    float
        In MiB; 0 of a card that does not answer.
    """
    if device.startswith("cuda"):
        import torch

        try:
            kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
            return float(int(torch.cuda.mem_get_info(device)[0]) + kept) / 2**20
        except (RuntimeError, AssertionError):
            return 0.0
    return free_memory() / 2**20


@dataclass(frozen=True)
class Advice:
    """Whether a run fits into memory, and what would fit instead.

    Parameters
    ----------
    device : str
        "cpu", "cuda:0", …
    needed, free : float
        In MiB.
    working_size : int or None
        The largest one that fits, where the one that was asked for does not and a smaller one does.
    cpu : bool
        Whether the run would fit as it is on the CPU, where it does not on the graphics card.
    """

    device: str
    needed: float
    free: float
    working_size: int | None = None
    cpu: bool = False

    @property
    def fits(self) -> bool:
        """Whether the run fits: it needs at most `SHARE` of the free memory."""
        return self.needed <= SHARE * self.free


def advise(shape: tuple[int, ...], settings: Settings, device: str = "cpu") -> Advice:
    """Compare what a run on a plane takes with what is free, and look for what fits instead.

    Parameters
    ----------
    shape : tuple of int
        Of the image; the last two are its height and width.
    settings : Settings
        What was asked for.
    device : str
        Name of the device; see `free_mib`.

    Returns
    -------
    Advice
        Needed and free memory, and where the run does not fit what would.
    """
    free = free_mib(device)
    advice = Advice(device, _needed(shape, settings), free)
    if advice.fits:
        return advice
    on_cpu = device.startswith("cuda") and _needed(shape, settings) <= SHARE * free_mib()
    sizes = (size for size in _smaller_sizes(shape, settings) if _fits(shape, settings, size, free))
    return Advice(device, advice.needed, free, next(sizes, None), on_cpu)


def require_memory(shape: tuple[int, ...], settings: Settings, device: str = "cpu") -> Advice:
    """Check that a run fits into memory, for the command line: the error names its flags.

    Parameters
    ----------
    shape : tuple of int
        Of the image; the last two are its height and width.
    settings : Settings
        What was asked for.
    device : str
        Name of the device; see `free_mib`.

    Returns
    -------
    Advice
        Of a run that fits.

    Raises
    ------
    OutOfMemoryError
        If the run does not fit, with the flags with which it would.
    """
    advice = advise(shape, settings, device)
    if advice.fits:
        return advice
    flags = [f"--set working_size={advice.working_size}"] if advice.working_size else []
    flags += ["--device cpu"] if advice.cpu else []
    then = f"Try {' or '.join(flags)}." if flags else "Close other programs, or use a computer with more memory."
    raise OutOfMemoryError(f"{too_much(advice)} {then}")


def require_label_memory(shape: tuple[int, ...]) -> None:
    """Check that the labels of a volume fit into memory, before anything of it is read.

    Parameters
    ----------
    shape : tuple of int
        (Z, H, W).

    Raises
    ------
    OutOfMemoryError
        If they do not: four bytes a voxel, and as many again to show or to write them.
    """
    needed, free = 2 * 4 * prod(shape) / 2**20, SHARE * free_mib()
    if needed > free:
        what = f"{shape[0]:,} slices of {shape[1]:,} × {shape[2]:,} pixels"
        raise OutOfMemoryError(
            f"The labels of {what} take {mib_text(needed)} of memory, and about {mib_text(free)} can be "
            "used. Segment fewer slices at a time, or smaller ones."
        )


def too_much(advice: Advice) -> str:
    """Say that a run does not fit.

    Parameters
    ----------
    advice : Advice
        Of that run.

    Returns
    -------
    str
        "This run takes about 3.1 GB of memory, and about 1.8 GB can be used."
    """
    where = f" on {advice.device}" if advice.device.startswith("cuda") else ""
    usable = mib_text(SHARE * advice.free)
    return f"This run takes about {mib_text(advice.needed)} of memory, and about {usable} can be used{where}."


def mib_text(mib: float) -> str:
    """Say an amount of memory to a person.

    Parameters
    ----------
    mib : float
        In MiB, of 2²⁰ bytes.

    Returns
    -------
    str
        In MB or GB, of 10⁶ and 10⁹ bytes: "310 MB", "3.1 GB".
    """
    megabytes = mib * 2**20 / 10**6
    return f"{megabytes / 1000:,.1f} GB" if megabytes >= 999.5 else f"{megabytes:.0f} MB"


def _needed(shape: tuple[int, ...], settings: Settings) -> float:
    """What this process will take more than now."""
    return estimate_mib(shape, settings) + (0.0 if "torch" in sys.modules else LIBRARY_MIB)


def _smaller_sizes(shape: tuple[int, ...], settings: Settings) -> Iterator[int]:
    """Working sizes below the one in effect, largest first."""
    if settings.variant == "released":  # its size follows no setting
        return
    row = next(row for row in Settings.describe() if row["name"] == "working_size")
    low, step = int(row["low"]), int(row["step"])
    now = min(settings.working_size, max(shape[-2:]))
    yield from range((now - 1) // step * step, low - 1, -step)


def _fits(shape: tuple[int, ...], settings: Settings, size: int, free: float) -> bool:
    return _needed(shape, settings.replace(working_size=size)) <= SHARE * free
