"""The network of the last run, built again from its weights, to ask it at a small size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray

from napari_s3net.image import Image
from napari_s3net.network.s3net import S3Net
from napari_s3net.network.state import load_state
from napari_s3net.preprocessing.prepare import to_features
from napari_s3net.settings import Settings
from napari_s3net.training.image import make_network
from napari_s3net.training.view import View, make_view

#: Longer side, in pixels, at which it is asked.
NETWORK_SIZE = 96


def small_view(image: Image, settings: Settings, device: torch.device) -> View:
    """Prepare the image as the network is shown it.

    Parameters
    ----------
    image : Image
        One plane, as it was opened.
    settings : Settings
        With which the result was made.
    device : torch.device
        Where the tensors are to lie.

    Returns
    -------
    View
        With a longer side of at most `NETWORK_SIZE` pixels.
    """
    small = settings.replace(working_size=min(settings.working_size, NETWORK_SIZE), variant="s3net")
    return make_view(to_features(image, small), settings.clusters, device)


def restore_network(state: Mapping[str, NDArray[Any]], view: View, settings: Settings) -> S3Net:
    """Build the network of a result from its weights.

    Parameters
    ----------
    state : mapping of str to numpy.ndarray
        The weights, as `Segmentation.state` holds them.
    view : View
        What it is to look at; the network goes to the device of the view.
    settings : Settings
        With which the weights were trained.

    Returns
    -------
    S3Net
        With these weights.

    Raises
    ------
    InvalidSettingsError
        If the weights do not fit the settings.
    """
    with torch.device("meta"):  # without weights of its own
        network = make_network(view.x.shape[1], view.size, settings)
    load_state(network, state)
    placed: S3Net = network.to(device=view.x.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return placed
