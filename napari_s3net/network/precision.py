"""Half precision where it is wanted, full precision where it is needed."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

#: Devices on which torch knows mixed precision.
MIXED = ("cpu", "cuda", "mps")


def half_precision(device: torch.device) -> AbstractContextManager[object]:
    """Let matrix products and convolutions in the body compute in bfloat16.

    Parameters
    ----------
    device : torch.device
        Where they compute.

    Returns
    -------
    context manager
        Weights stay as they are.
    """
    return torch.autocast(device.type, torch.bfloat16) if device.type in MIXED else nullcontext()


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Let the body compute in the precision of what it is given, also within `half_precision`.

    Parameters
    ----------
    device : torch.device
        Where it computes.

    Returns
    -------
    context manager
        It changes nothing where nothing was changed.
    """
    return torch.autocast(device.type, enabled=False) if device.type in MIXED else nullcontext()
