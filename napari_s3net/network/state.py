"""A network's weights from plain arrays, as results and sessions keep them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from napari_s3net.errors import InvalidSettingsError


def load_state(network: nn.Module, state: Mapping[str, NDArray[Any]]) -> None:
    """Give a network parameters and buffers that were kept of one like it.

    Parameters
    ----------
    network : torch.nn.Module
        Changed in place, and then on the CPU. It may have been built on torch's "meta" device, which draws no first
        weights.
    state : mapping of str to numpy.ndarray
        By the names of the parameters and buffers. Copied.

    Raises
    ------
    InvalidSettingsError
        If they belong to a network of another kind or size.
    """
    try:
        network.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in state.items()}, assign=True)
    except RuntimeError as error:
        raise InvalidSettingsError("The kept weights do not fit these settings. Segment the image anew.") from error
