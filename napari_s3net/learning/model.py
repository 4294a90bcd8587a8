"""The one file of a learned model: weights, and in the header all that is needed to use them and to know them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from napari_s3net.errors import ModelFileError
from napari_s3net.learning.planes import InputNormalisation
from napari_s3net.learning.settings import LearnSettings
from napari_s3net.network.unet import ClassNetwork, ClassNetworkConfig
from napari_s3net.segments import Colour, colour_of_hex, hex_of_colour
from napari_s3net.training.weights import FORMAT as TAUGHT_FORMAT
from napari_s3net.training.weights import card_header, read_card, read_tensors, to_half, write_tensors

#: What the header of our files says; no version before the third is read: in version 1 the U-Net was normalised by
#: groups, in version 2 planes were filled up to squares. Since version 4 there may be a second network.
FORMAT, VERSION, OLDEST = "napari-s3net model", 4, 3
#: What the names of the second network's weights begin with.
CLOSER = "closer."


@dataclass(frozen=True, kw_only=True)
class LearnedCard:
    """What is known of a learned model beside its weights.

    Attributes
    ----------
    config : ClassNetworkConfig
        Shape of the network.
    settings : LearnSettings
        How it was learned.
    classes : dict of int to str
        The value of each class in label files, in the order of the channels from 1 on, and its name; empty where only
        the encoder was pre-trained.
    normalisation : InputNormalisation
        What images go through.
    record : dict
        How it was made, for people: images, steps, Dice on those set aside, program version.
    colours : dict of int to tuple of int
        Red, green and blue, 0 to 255, of each class that was given a colour, by its value.
    """

    config: ClassNetworkConfig
    settings: LearnSettings
    classes: dict[int, str]
    normalisation: InputNormalisation
    record: dict[str, Any] = field(default_factory=dict)
    colours: dict[int, Colour] = field(default_factory=dict)

    @property
    def is_pretrained_only(self) -> bool:
        """Whether no class was learned yet."""
        return not self.classes


@dataclass(frozen=True, eq=False)
class LearnedModel:
    """A network with its card.

    Attributes
    ----------
    network : ClassNetwork
        In float32; of a pre-trained model only the encoder has learned.
    card : LearnedCard
        What is known of it.
    closer : ClassNetwork or None
        Of the same shape; sees the part of a volume where the first one has found the object.
    """

    network: ClassNetwork
    card: LearnedCard
    closer: ClassNetwork | None = None

    def digest(self) -> str:
        """Compute a check sum of the weights in half precision, as they are written.

        Returns
        -------
        str
            Twelve hexadecimal digits.
        """
        total = hashlib.sha256()
        for name, value in sorted(self.weights().items()):
            total.update(name.encode())
            total.update(value.detach().to("cpu", torch.float16).contiguous().numpy().tobytes())
        return total.hexdigest()[:12]

    def to(self, device: torch.device) -> None:
        """Move the networks.

        Parameters
        ----------
        device : torch.device
            Where to.
        """
        for network in filter(None, (self.network, self.closer)):
            network.to(device)

    def weights(self) -> dict[str, torch.Tensor]:
        """Give the weights of both networks.

        Returns
        -------
        dict
            By their names, those of the second with `CLOSER` before them.
        """
        second = {} if self.closer is None else self.closer.state_dict()
        return {**self.network.state_dict(), **{f"{CLOSER}{name}": value for name, value in second.items()}}


def save_model(path: Path, model: LearnedModel) -> None:
    """Write a model in half precision; the file appears whole or not at all.

    Parameters
    ----------
    path : Path
        The folder is made where it is missing.
    model : LearnedModel
        Of a pre-trained one only the encoder is written.

    Raises
    ------
    ModelFileError
        If a weight is not finite in half precision, or the file cannot be written.
    """
    card = model.card
    state = model.weights()
    kept = [name for name in state if name.startswith("encoder.") or not card.is_pretrained_only]
    written = {
        "config": card.config.to_dict(),
        "settings": card.settings.to_dict(),
        "classes": {str(value): name for value, name in card.classes.items()},
        "normalisation": card.normalisation.to_dict(),
        "record": card.record,
        "colours": {str(value): hex_of_colour(colour) for value, colour in card.colours.items()},
    }
    tensors = to_half(path, {name: state[name] for name in kept})
    write_tensors(path, tensors, card_header(FORMAT, VERSION, written))


def load_model(path: Path) -> LearnedModel:
    """Read a model that `save_model` wrote.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    LearnedModel
        On the CPU, in evaluation mode.

    Raises
    ------
    ModelFileError
        If it is missing, damaged, not ours, or from another version.
    """
    tensors, header = read_tensors(path)
    if header.get("format") != FORMAT:
        what = (
            "was taught on synthetic images" if header.get("format") == TAUGHT_FORMAT else "is no model of this program"
        )
        raise ModelFileError(f"{path} {what}. Expected a file that `napari-s3net learn` or `pretrain` wrote.")
    written = read_card(path, header, VERSION, oldest=OLDEST)
    try:
        card = _card(written)
        second = {name.removeprefix(CLOSER): tensors.pop(name) for name in [*tensors] if name.startswith(CLOSER)}
        network, closer = ClassNetwork(card.config), ClassNetwork(card.config) if second else None
        missing, unknown = network.load_state_dict({k: v.float() for k, v in tensors.items()}, strict=False)
        if closer is not None:
            closer.load_state_dict({k: v.float() for k, v in second.items()})
    except Exception as error:  # noqa: BLE001 - a header from elsewhere may hold anything
        raise ModelFileError(f"{path}: weights and description do not fit together ({error!s:.200}).") from None
    wanted = [name for name in missing if name.startswith("encoder.") or not card.is_pretrained_only]
    finite = all(bool(value.isfinite().all()) for value in (*tensors.values(), *second.values()))
    if wanted or unknown or not finite:
        raise ModelFileError(f"{path} is damaged: weights are missing, too many, or not finite.")
    return LearnedModel(network.eval(), card, None if closer is None else closer.eval())


def start_from(network: torch.nn.Module, path: Path) -> int:
    """Take over the weights that fit from a file: a learned or pre-trained model, or weights that `teach` wrote.

    Parameters
    ----------
    network : torch.nn.Module
        Of the same backbone; its parameters are changed in place.
    path : Path
        The file.

    Returns
    -------
    int
        How many tensors were taken over.

    Raises
    ------
    ModelFileError
        If the file is missing or not ours, or nothing of it fits.
    """
    tensors, header = read_tensors(path)
    if header.get("format") == TAUGHT_FORMAT:
        tensors = _as_classes(tensors, network)
    elif header.get("format") != FORMAT:
        raise ModelFileError(f"{path} is no model of this program to start from.")
    state = network.state_dict()
    fitting = {k: v.float() for k, v in tensors.items() if k in state and state[k].shape == v.shape}
    if not fitting:
        raise ModelFileError(f"Nothing in {path} fits this network; its backbone, widths or channels are others.")
    with torch.no_grad():
        for name, value in fitting.items():
            state[name].copy_(value)
    return len(fitting)


def _as_classes(taught: dict[str, torch.Tensor], network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Weights that `teach` wrote, by the names of a network of classes; its object becomes the one class."""
    parts = {}
    for name, value in taught.items():
        is_decoder = name.split(".")[0] in ("join", "decoder", "border", "border_norm")
        parts[f"{'decoders.0' if is_decoder else 'encoder'}.{name}"] = value
    head = network.state_dict().get("decoders.0.head.weight")
    if head is not None and len(head) == 2:
        for name in ("weight", "bias"):
            of_object = taught[f"object_head.{name}"]
            parts[f"decoders.0.head.{name}"] = torch.cat([torch.zeros_like(of_object), of_object])
    return parts


def _card(written: dict[str, Any]) -> LearnedCard:
    """The card as it was saved; colours were once among the record."""
    record = dict(written["record"])
    colours = {**record.pop("colours", {}), **written.get("colours", {})}
    return LearnedCard(
        config=ClassNetworkConfig.from_dict(written["config"]),
        settings=LearnSettings(**written["settings"]),
        classes={int(value): str(name) for value, name in written["classes"].items()},
        normalisation=InputNormalisation(**written["normalisation"]),
        record=record,
        colours={int(value): colour_of_hex(text) for value, text in colours.items()},
    )
