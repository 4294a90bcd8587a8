"""Networks that were taught before, and what they say of an image."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from napari_s3net.network.encoder_decoder import EncoderDecoder
from napari_s3net.preprocessing.prepare import PreparedPlane
from napari_s3net.preprocessing.window import sampling_step
from napari_s3net.runtime.parcel import fetch, send
from napari_s3net.settings import Settings
from napari_s3net.training.weights import ModelCard, load_weights

#: Where the weights lie that come with the program; docs/weights.md says how they were made.
SHIPPED = Path(__file__).resolve().parents[1] / "weights"
#: Features of an image without any content are divided by this.
LEAST_SPREAD = 1e-3


@dataclass(frozen=True)
class ShippedNetwork:
    """A network that comes with the program, and how it looks at an image.

    Parameters
    ----------
    name : str
        Of its file.
    channels : int
        Of the images that it knows: 3 for photographs, 1 for slices in Hounsfield units.
    mirrored : bool
        Whether it looks at the mirror image as well.
    """

    name: str
    channels: int
    mirrored: bool = False


#: The networks that know the object of a target. Of skin there are two that were taught apart and err in ways of their
#: own; the second sees less detail and counts half as much.
VIEWERS: Mapping[str, tuple[ShippedNetwork, ...]] = {
    "lesion": (ShippedNetwork("skin", 3, mirrored=True), ShippedNetwork("skin-64", 3)),
    "lung": (ShippedNetwork("chest", 1),),
}


def load_shipped(kind: str) -> tuple[EncoderDecoder, ModelCard]:
    """Read the network for a kind of image that comes with the program.

    Parameters
    ----------
    kind : str
        "skin", "skin-64" or "chest".

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
    return load_weights(shipped_path(kind))


def shipped_path(kind: str) -> Path:
    """Say where weights lie that come with the program.

    Parameters
    ----------
    kind : str
        "skin", "skin-64" or "chest".

    Returns
    -------
    Path
        Of a safetensors file.
    """
    return SHIPPED / f"{kind}.safetensors"


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
        The image is squeezed into a square of this many pixels along each side; that of the card where it is left out.

    Returns
    -------
    tuple of numpy.ndarray
        (H, W) float32 in [0, 1], and (K, size, size) float32 that sum to one over the K clusters.
    """
    device = next(network.parameters()).device
    (pixels,) = send([torch.from_numpy(np.ascontiguousarray(array))], device)
    x = card.normalisation(pixels.reshape(*pixels.shape[:2], -1)).permute(2, 0, 1)[None]
    small = F.interpolate(x, (size or card.size,) * 2, mode="bilinear", align_corners=False, antialias=True)
    logits, clusters = network(small.contiguous(memory_format=torch.channels_last))
    wide = F.interpolate(logits, tuple(pixels.shape[:2]), mode="bilinear", align_corners=False)
    probability, shares = fetch([wide[0, 0].sigmoid(), clusters[0].softmax(dim=0)])
    return probability.numpy(), shares.numpy()


def view_object(plane: PreparedPlane, settings: Settings) -> NDArray[np.float32] | None:
    """Ask the networks that come with the program, on the CPU, where the object is.

    Parameters
    ----------
    plane : PreparedPlane
        The image with its window and its features (h, w, C).
    settings : Settings
        `target` and `start`.

    Returns
    -------
    numpy.ndarray or None
        (n, h, w) float32 in [0, 1], one map for each look of each network; None where no network knows the target in
        images of so many channels, or the start is to be random.
    """
    squares = squares_for(plane, settings)
    return views_of(object_logits(squares, settings), plane.features.shape)


def squares_for(plane: PreparedPlane, settings: Settings) -> tuple[Tensor, ...]:
    """Make what the networks look at.

    Of a photograph that is the image through its window, so that brightness and contrast do not count; what hairs were
    filled with is not looked at, since the networks have seen hairs. Of a slice in Hounsfield units it is those.

    Parameters
    ----------
    plane : PreparedPlane
        As in `view_object`.
    settings : Settings
        As in `view_object`.

    Returns
    -------
    tuple of torch.Tensor
        Of each network (n, C, S, S) in [0, 1] on the CPU: the image squeezed into the network's square and, where it
        looks at it, its mirror image. Empty where `view_object` gives None.
    """
    viewers = _viewers_of(settings, plane.features.shape[2])
    if not viewers:
        return ()
    step = sampling_step(plane.image.shape)
    squares = []
    for viewer in viewers:
        card = _on(viewer.name, torch.device("cpu"))[1]
        seen = plane.to_unit(step=step) if viewer.channels > 1 else _hounsfield(plane, card, step)
        small = _squeezed(torch.from_numpy(seen).permute(2, 0, 1)[None], card)
        squares.append(torch.cat([small, small.flip(3)]) if viewer.mirrored else small)
    return tuple(squares)


@torch.inference_mode()
def object_logits(squares: Sequence[Tensor], settings: Settings) -> tuple[Tensor, ...]:
    """Show each network its squares, where they lie.

    Parameters
    ----------
    squares : sequence of torch.Tensor
        Of each network (n, C, S, S); from `squares_for`, of one image or of several joined along n. On one device.
    settings : Settings
        As in `view_object`.

    Returns
    -------
    tuple of torch.Tensor
        Of each network (n, 1, S, S) on that device, logits of the object; empty where there are no squares.
    """
    logits = []
    for viewer, seen in zip(VIEWERS[settings.target] if squares else (), squares, strict=True):
        network, card = _on(viewer.name, seen.device)
        logits.append(network(_normalised(seen, card))[0])
    return tuple(logits)


def begin_to_look(squares: Sequence[Tensor], settings: Settings) -> Callable[[], tuple[Tensor, ...]]:
    """Show each network its squares while something else goes on: on the CPU in a thread of its own.

    Training on the image and the taught networks know nothing of each other; side by side they take two cores, and a
    photograph the time of the longer.

    Parameters
    ----------
    squares, settings
        As in `object_logits`.

    Returns
    -------
    callable
        Gives what `object_logits` gives, and waits for it where it is not there yet.
    """
    if not squares or squares[0].device.type != "cpu":
        return partial(object_logits, squares, settings)
    beside = ThreadPoolExecutor(1)
    looked = beside.submit(object_logits, squares, settings)
    beside.shutdown(wait=False)
    return looked.result


@torch.inference_mode()
def views_of(logits: Sequence[Tensor], shape: Sequence[int]) -> NDArray[np.float32] | None:
    """Bring what the networks said of one image to another size, the mirror image's turned back.

    Parameters
    ----------
    logits : sequence of torch.Tensor
        Of each network (n, 1, S, S), from `object_logits`.
    shape : sequence of int
        Rows and columns that are wanted; further numbers are ignored.

    Returns
    -------
    numpy.ndarray or None
        As from `view_object`; None where no network said anything.
    """
    if not logits:
        return None
    maps = []
    for given in logits:
        wide = F.interpolate(given, tuple(shape[:2]), mode="bilinear", align_corners=False, antialias=True)
        probability = wide.sigmoid()[:, 0]
        maps.append(torch.cat([probability[:1], probability[1:].flip(2)]))
    return torch.cat(maps).numpy()


@torch.inference_mode()
def view_features(
    unit: NDArray[np.float32], settings: Settings, shape: tuple[int, int], device: torch.device
) -> NDArray[np.float32] | None:
    """Ask the first network that comes with the program what its object head reads at each pixel of a photograph.

    Pixels that it holds for the same kind of thing lie close together.

    Parameters
    ----------
    unit : numpy.ndarray
        (H, W, C) float32 in [0, 1]: the image through its window.
    settings : Settings
        `target` and `start`.
    shape : tuple of int
        (h, w) that is wanted.
    device : torch.device
        Where to compute.

    Returns
    -------
    numpy.ndarray or None
        (h, w, 24) float32 with a mean of zero in each channel; the root mean square distance from it, over the pixels,
        is one. None in the cases of `view_object`, and of Hounsfield units, which no window leaves as they are.
    """
    viewers = _viewers_of(settings, unit.shape[2])
    if not viewers or unit.shape[2] == 1:
        return None
    network, card = _on(viewers[0].name, device)
    x = torch.from_numpy(unit).permute(2, 0, 1)[None]
    features = network.features(_normalised(_squeezed(x, card).to(device), card))
    wide = F.interpolate(features, shape, mode="bilinear", align_corners=False)[0]
    wide = wide - wide.mean(dim=(1, 2), keepdim=True)
    spread = wide.square().sum(dim=0).mean().sqrt().clamp(min=LEAST_SPREAD)
    return np.asarray((wide / spread).permute(1, 2, 0).cpu().numpy())


def _viewers_of(settings: Settings, channels: int) -> tuple[ShippedNetwork, ...]:
    """The networks to ask: none where they do not know the target in such images, or the start is random."""
    known = VIEWERS.get(settings.target, ()) if settings.start == "taught" else ()
    return tuple(viewer for viewer in known if viewer.channels == channels)


def _hounsfield(plane: PreparedPlane, card: ModelCard, step: int) -> NDArray[np.float32]:
    """The slice (h, w, 1), its Hounsfield units in [0, 1] by the range that the network knows."""
    low, high = card.normalisation.low, card.normalisation.high
    share = (plane.image.array[::step, ::step, None].astype(np.float32) - low) / (high - low)
    return np.asarray(np.clip(share, 0, 1))


def _squeezed(unit: Tensor, card: ModelCard) -> Tensor:
    """An image (1, C, H, W) as the square that a network looks at."""
    return F.interpolate(unit, (card.size, card.size), mode="bilinear", align_corners=False, antialias=True)


def _normalised(squares: Tensor, card: ModelCard) -> Tensor:
    """Squares (n, C, S, S) in [0, 1] as a network was taught to see them."""
    return replace(card.normalisation, low=0, high=1)(squares).contiguous(memory_format=torch.channels_last)


@lru_cache(maxsize=8)
def _on(name: str, device: torch.device) -> tuple[EncoderDecoder, ModelCard]:
    """A shipped network on a device, kept there for the next image."""
    network, card = load_shipped(name)
    return network.to(device=device, memory_format=torch.channels_last), card  # type: ignore[call-overload]
