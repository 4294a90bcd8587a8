"""What is taught on synthetic images: a network, its moving average and its optimiser; and their checkpoint."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from napari_s3net.errors import ModelFileError
from napari_s3net.network.depthwise import DepthwiseConv
from napari_s3net.network.encoder_decoder import EncoderDecoder, EncoderDecoderConfig
from napari_s3net.training.adam import Adam
from napari_s3net.training.weights import read_tensors, write_tensors

_CHECKPOINT = "napari-s3net checkpoint 1"


@dataclass(frozen=True, kw_only=True)
class TeachSettings:
    """How a network is taught.

    Attributes
    ----------
    kind : str
        "skin" or "chest".
    iterations, batch : int
        Updates, and images in each.
    learning_rate : float
        The highest.
    weight_clusters, weight_transformation, weight_spatial : float
        Of the cluster head's cross-entropy and of the two consistency terms, beside the object's, which has 1.
    transformed : float
        Share of each batch that is seen a second time, transformed.
    memory : float
        Decay of the moving average of the weights.
    seed : int
        Of the first weights and of every draw.
    half : bool
        On a card, compute in bfloat16.
    matrices : bool
        On a card, convolve depthwise by matrix products.
    report : int
        Iterations from one `TeachStep` to the next.
    """

    kind: str = "skin"
    iterations: int = 3000
    batch: int = 16
    learning_rate: float = 2e-3
    weight_clusters: float = 0.3
    weight_transformation: float = 0.3
    weight_spatial: float = 0.5
    transformed: float = 0.25
    memory: float = 0.998
    seed: int = 0
    half: bool = True
    matrices: bool = True
    report: int = 20


class Pupil:
    """A network, its moving average (the teacher), its optimiser, and how far it has come."""

    def __init__(self, config: EncoderDecoderConfig, settings: TeachSettings, device: torch.device) -> None:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(settings.seed)
            network = EncoderDecoder(config)
        for layer in network.modules():
            if isinstance(layer, DepthwiseConv):
                layer.by_matrices = settings.matrices
        self.network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.teacher: EncoderDecoder = copy.deepcopy(self.network).requires_grad_(False)
        self.optimiser = Adam(self.network.parameters(), settings.learning_rate)
        self.iteration = 0

    @torch.no_grad()
    def remember(self, memory: float) -> None:
        """Move the teacher's weights towards the network's; quickly at first.

        Parameters
        ----------
        memory : float
            0 to 1, the decay of the moving average: what stays of the teacher's weights. After i iterations at most
            i / (i + 10).
        """
        share = 1 - min(memory, self.iteration / (self.iteration + 10))
        torch._foreach_lerp_(list(self.teacher.parameters()), list(self.network.parameters()), share)

    def save(self, path: Path, settings: TeachSettings) -> None:
        """Write a checkpoint: weights, the optimiser's means, the teacher and the iteration.

        Parameters
        ----------
        path : Path
            A safetensors file; it appears whole or not at all.
        settings : TeachSettings
            Of this run; `load` asks for the same ones.
        """
        tensors = {"values": self.optimiser.values, "first": self.optimiser.first, "second": self.optimiser.second}
        tensors |= {f"teacher.{name}": value for name, value in self.teacher.state_dict().items()}
        header = {"format": _CHECKPOINT, "iteration": str(self.iteration), "settings": repr(asdict(settings))}
        write_tensors(path, {name: value.detach().cpu().contiguous() for name, value in tensors.items()}, header)

    def load(self, path: Path, settings: TeachSettings) -> None:
        """Go on from what `save` wrote.

        Parameters
        ----------
        path : Path
            The checkpoint.
        settings : TeachSettings
            Of this run.

        Raises
        ------
        ModelFileError
            If the file is of another kind, or was written under other settings.
        """
        tensors, header = read_tensors(path)
        if header.get("format") != _CHECKPOINT or header.get("settings") != repr(asdict(settings)):
            raise ModelFileError(f"{path} was not written by a run with these settings; remove it to start anew.")
        for name in ("values", "first", "second"):
            getattr(self.optimiser, name).copy_(tensors[name])
        self.teacher.load_state_dict({k.removeprefix("teacher."): v for k, v in tensors.items() if "teacher." in k})
        self.iteration = self.optimiser.steps = int(header["iteration"])
