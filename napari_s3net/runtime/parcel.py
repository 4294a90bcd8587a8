"""Many tensors to a graphics card, or back from it, in one copy."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

#: Each tensor begins at a multiple of this number of bytes, where every kernel of a graphics card can read it.
ALIGNMENT = 128


def send(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Bring tensors to another device, all in one copy.

    Parameters
    ----------
    tensors : sequence of torch.Tensor
        On one device, of any types and shapes.
    device : torch.device
        Where they are to lie.

    Returns
    -------
    list of torch.Tensor
        In the same order. Where they lie there already they come back themselves; else they are contiguous parts of
        one block of memory.
    """
    if all(tensor.device.type == device.type for tensor in tensors):
        return list(tensors)
    parts = [part for tensor in tensors for part in (_bytes(tensor), _padding(tensor))]
    block = torch.cat(parts).to(device)
    received, start = [], 0
    for tensor in tensors:
        taken = block[start : start + _size(tensor)]
        received.append(taken.view(tensor.dtype).view(tensor.shape))
        start += -(-_size(tensor) // ALIGNMENT) * ALIGNMENT
    return received


def fetch(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Bring tensors to the CPU, all in one copy; this waits for what computes them.

    Parameters
    ----------
    tensors : sequence of torch.Tensor
        On one device.

    Returns
    -------
    list of torch.Tensor
        As from `send`, without a gradient.
    """
    return send([tensor.detach() for tensor in tensors], torch.device("cpu"))


def _size(tensor: Tensor) -> int:
    """Bytes of a tensor."""
    return tensor.numel() * tensor.element_size()


def _bytes(tensor: Tensor) -> Tensor:
    """A tensor's values as bytes, row by row."""
    return tensor.detach().contiguous().view(-1).view(torch.uint8)


def _padding(tensor: Tensor) -> Tensor:
    """The bytes up to where the next tensor may begin."""
    return torch.zeros(-_size(tensor) % ALIGNMENT, dtype=torch.uint8, device=tensor.device)
