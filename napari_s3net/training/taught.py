"""Networks that were taught before, and what they say of an image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from napari_s3net.network.encoder_decoder import EncoderDecoder
from napari_s3net.training.weights import ModelCard, load_weights

#: Where the weights lie that come with the program; docs/weights.md says how they were made.
SHIPPED = Path(__file__).resolve().parents[1] / "weights"


def load_shipped(kind: str) -> tuple[EncoderDecoder, ModelCard]:
    """Read the network for a kind of image that comes with the program.

    Parameters
    ----------
    kind : str
        "skin".

    Returns
    -------
    network : EncoderDecoder
        Ready to use, on the CPU.
    card : ModelCard
        What is known of it.

    Raises
    ------
    ModelFileError
        If there is none, or its file was damaged.
    """
    return load_weights(SHIPPED / f"{kind}.safetensors")


@torch.no_grad()
def predict(
    network: EncoderDecoder, card: ModelCard, array: NDArray[Any], *, size: int | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute the probabilities of the object and of the clusters.

    Parameters
    ----------
    network : EncoderDecoder
        In evaluation or training mode alike.
    card : ModelCard
        Of the network.
    array : numpy.ndarray
        (H, W, 3) uint8 or (H, W) Hounsfield units, as the card's kind asks for.
    size : int, optional
        The image is squeezed into a square of so many pixels; that of the card where it is left out.

    Returns
    -------
    tuple of numpy.ndarray
        (H, W) float32 in [0, 1], and (K, size, size) float32 that sum to one over the K clusters.
    """
    device = next(network.parameters()).device
    pixels = torch.from_numpy(np.ascontiguousarray(array)).to(device)
    x = card.normalisation(pixels.reshape(*array.shape[:2], -1)).permute(2, 0, 1)[None]
    small = F.interpolate(x, (size or card.size,) * 2, mode="bilinear", align_corners=False, antialias=True)
    logits, clusters = network(small.contiguous(memory_format=torch.channels_last))
    full = F.interpolate(logits, tuple(array.shape[:2]), mode="bilinear", align_corners=False)
    return full[0, 0].sigmoid().cpu().numpy(), clusters[0].softmax(dim=0).cpu().numpy()
