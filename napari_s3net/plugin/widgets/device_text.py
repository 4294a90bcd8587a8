"""What the docks call the devices that a run computes on."""

from __future__ import annotations

from napari_s3net.plugin.widgets.text import plural


def device_label(name: str) -> str:
    """Name a device in the list.

    Parameters
    ----------
    name : str
        As torch calls it, such as "cuda:0".

    Returns
    -------
    str
        "Auto", "CPU", "CUDA 0", "MPS".
    """
    return {"auto": "Auto", "cpu": "CPU", "mps": "MPS"}.get(name, name.replace("cuda:", "CUDA "))


def device_text(
    choice: str, devices: tuple[str, ...], cores: int, card: str = "", *, may_have_card: bool = False
) -> str:
    """Say what a run will compute on.

    Parameters
    ----------
    choice : str
        "auto", "cpu", "cuda:0", "mps".
    devices : tuple of str
        Those of this machine, the automatic choice first; empty while they are not known.
    cores : int
        Of the CPU.
    card : str
        What the graphics card is called, where that is known.
    may_have_card : bool
        Whether the automatic choice will be a graphics card, as far as that is known before the first run.

    Returns
    -------
    str
        A sentence: "The graphics card NVIDIA H100 (cuda:0).".
    """
    cpu = f"CPU, {plural(cores, 'core')}."
    if choice == "auto" and not devices:
        return "The graphics card." if may_have_card else cpu
    used = devices[0] if choice == "auto" else choice
    if used == "cpu":
        return cpu
    if used == "mps":
        return "The graphics chip (Metal)."
    return f"The graphics card {card} ({used})." if card else f"The graphics card {used}."
