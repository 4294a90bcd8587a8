"""A network's weights as plain arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from napari_s3net.errors import InvalidSettingsError


def state_of(network: nn.Module) -> dict[str, NDArray[Any]]:
    """Copy a network's parameters and buffers into plain arrays.

    Parameters
    ----------
    network : torch.nn.Module
        Left as it is.

    Returns
    -------
    dict of str to numpy.ndarray
        By the names of the parameters and buffers; `load_state` takes it back.
    """
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in network.state_dict().items()}


def load_state(network: nn.Module, state: Mapping[str, NDArray[Any]]) -> None:
    """Give a network the parameters and buffers that `state_of` copied.

    Parameters
    ----------
    network : torch.nn.Module
        Changed in place, and then on the CPU. It may have been built on torch's "meta" device, which draws no first
        weights.
    state : mapping of str to numpy.ndarray
        By the names of the parameters and buffers.

    Raises
    ------
    InvalidSettingsError
        If they belong to a network of another kind or size.
    """
    try:
        network.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in state.items()}, assign=True)
    except RuntimeError as error:
        raise InvalidSettingsError("The kept weights do not fit these settings. Segment the image anew.") from error
