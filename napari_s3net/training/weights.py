"""The one format of weight files: safetensors in half precision, with all that is needed to use them in the header.

A safetensors file holds numbers and text only, so that opening one from elsewhere runs no code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_s3net.errors import ModelFileError
from napari_s3net.network.encoder_decoder import EncoderDecoder, EncoderDecoderConfig
from napari_s3net.preprocessing.window import normalise

#: What the header of our files says; a larger version than this is not read.
FORMAT, VERSION = "napari-s3net weights", 1
#: The largest size of a file, in bytes.
LARGEST = 3_000_000


@dataclass(frozen=True, kw_only=True)
class Normalisation:
    """From the values of an image to what the network takes: (clip((v − low) / (high − low), 0, 1) − mean) / sd."""

    low: float
    high: float
    mean: float = 0.5
    sd: float = 0.25

    def __call__(self, x: Tensor) -> Tensor:
        """Normalise values of any shape; the result is float32."""
        normal: Tensor = normalise(x.float(), self.low, self.high, mean=self.mean, sd=self.sd)
        return normal


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What is known of a weight file beside the weights.

    Attributes
    ----------
    kind : str
        Which images it is for: "skin" or "chest".
    config : EncoderDecoderConfig
        Shape of the network.
    normalisation : Normalisation
        What its input has to go through.
    size : int
        Pixels along each side of the images that it was taught on.
    parts : tuple of str
        What each cluster stands for, in the order of the channels.
    taught : dict
        How it was taught: numbers and words for people, such as images, iterations, seed and program version.
    """

    kind: str
    config: EncoderDecoderConfig
    normalisation: Normalisation
    size: int
    parts: tuple[str, ...]
    taught: dict[str, Any] = field(default_factory=dict)


def save_weights(path: Path, network: EncoderDecoder, card: ModelCard) -> None:
    """Write weights and card; the file appears whole or not at all.

    Parameters
    ----------
    path : Path
        The folder is made where it is missing.
    network : EncoderDecoder
        Its weights are rounded to half precision.
    card : ModelCard
        Goes into the header as JSON.

    Raises
    ------
    ModelFileError
        If a weight is not finite in half precision, the file would be larger than `LARGEST`, or cannot be written.
    """
    tensors = to_half(path, network.state_dict())
    needed = sum(2 * value.numel() for value in tensors.values())
    if needed > LARGEST:
        raise ModelFileError(f"Weights take {needed:,} bytes; {path} may hold {LARGEST:,}. Choose smaller widths.")
    written = {
        "kind": card.kind,
        "config": card.config.to_dict(),
        "normalisation": asdict(card.normalisation),
        "size": card.size,
        "parts": list(card.parts),
        "taught": card.taught,
    }
    write_tensors(path, tensors, card_header(FORMAT, VERSION, written))


def load_weights(path: Path) -> tuple[EncoderDecoder, ModelCard]:
    """Read a network and its card.

    Parameters
    ----------
    path : Path
        A file that `save_weights` wrote.

    Returns
    -------
    network : EncoderDecoder
        In float32 and evaluation mode, on the CPU.
    card : ModelCard
        What is known of it.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, not ours, from a newer version, or its weights do not fit its card.
    """
    tensors, header = read_tensors(path)
    if header.get("format") != FORMAT:
        raise ModelFileError(f"{path} holds no weights of this program; its format is {header.get('format')!r}.")
    written = read_card(path, header, VERSION)
    try:
        card = _card(written)
        network = EncoderDecoder(card.config)
        network.load_state_dict({name: value.float() for name, value in tensors.items()})
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelFileError(f"{path}: weights and description do not fit together ({_first_line(error)}).") from None
    if not all(bool(value.isfinite().all()) for value in tensors.values()):
        raise ModelFileError(f"{path}: some weights are not finite; the file is damaged.")
    return network.eval(), card


def write_tensors(path: Path, tensors: dict[str, Tensor], header: dict[str, str]) -> None:
    """Write a safetensors file beside its place, then move it there in one step.

    Parameters
    ----------
    path : Path
        The folder is made where it is missing.
    tensors : dict of str to torch.Tensor
        On the CPU and contiguous.
    header : dict of str to str
        Is stored beside the tensors.

    Raises
    ------
    ModelFileError
        If the folder cannot be written to.
    """
    from safetensors.torch import save

    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(save(tensors, header))
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ModelFileError(f"{path} could not be written: {error.strerror or error}.") from None


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file.

    Parameters
    ----------
    path : Path
        Opening it runs no code, wherever it comes from.

    Returns
    -------
    tensors : dict of str to torch.Tensor
        On the CPU.
    header : dict of str to str
        Empty where the file has none.

    Raises
    ------
    ModelFileError
        If it is missing or not such a file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    if not path.is_file():
        raise ModelFileError(f"There is no weight file at {path}.")
    try:
        content = path.read_bytes()  # not opened by its name, which need not be UTF-8
        tensors = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        return tensors, header.get("__metadata__") or {}
    except (SafetensorError, OSError) as error:
        raise ModelFileError(
            f"{path} is no readable safetensors file ({_first_line(error)}): it is damaged, or of another kind."
        ) from None


def to_half(path: Path, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Round weights to half precision, on the CPU, for a file.

    Parameters
    ----------
    path : Path
        Where they are to be written; for the message.
    state : mapping of str to torch.Tensor
        As `state_dict` gives them.

    Returns
    -------
    dict of str to torch.Tensor
        float16, contiguous.

    Raises
    ------
    ModelFileError
        If one is not finite in half precision.
    """
    tensors = {name: value.detach().to("cpu", torch.float16).contiguous() for name, value in state.items()}
    if broken := [name for name, value in tensors.items() if not bool(value.isfinite().all())]:
        raise ModelFileError(f"{path} is not written: {broken[0]} holds numbers that are not finite.")
    return tensors


def card_header(kind: str, version: int, card: dict[str, Any]) -> dict[str, str]:
    """Make the header of a file of weights.

    Parameters
    ----------
    kind : str
        What the file is.
    version : int
        Of its format.
    card : dict
        What is known of the weights, as plain values.

    Returns
    -------
    dict of str to str
        As `write_tensors` takes it.
    """
    return {"format": kind, "version": str(version), "card": json.dumps(card)}


def read_card(path: Path, header: Mapping[str, str], newest: int, oldest: int = 1) -> dict[str, Any]:
    """Read what is known of the weights from the header of their file.

    Parameters
    ----------
    path : Path
        Of the file; for the messages.
    header : mapping of str to str
        From `read_tensors`.
    newest, oldest : int
        Files of a larger version are refused, and those of a smaller one.

    Returns
    -------
    dict
        What `card_header` was given.

    Raises
    ------
    ModelFileError
        If the file is from a newer version or one too old, or its header is no card.
    """
    version = header.get("version", "")
    if not version.isdigit() or int(version) > newest:
        raise ModelFileError(
            f"{path} is of version {version!r}; this program reads up to {newest}. Update napari-s3net to use it."
        )
    if int(version) < oldest:
        raise ModelFileError(
            f"{path} is of version {version}, whose networks computed otherwise; this program reads from {oldest} on. "
            "Learn it again from the same images and labels."
        )
    try:
        return dict(json.loads(header["card"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{path}: weights and description do not fit together ({_first_line(error)}).") from None


def _card(written: dict[str, Any]) -> ModelCard:
    """The card as it was saved."""
    return ModelCard(
        kind=str(written["kind"]),
        config=EncoderDecoderConfig.from_dict(written["config"]),
        normalisation=Normalisation(**written["normalisation"]),
        size=int(written["size"]),
        parts=tuple(written["parts"]),
        taught=dict(written["taught"]),
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
