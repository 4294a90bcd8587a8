"""A network that gives each pixel a class: an encoder, one decoder or two, and keypoints between them where asked for.

The plain encoder is that of U-Net (Ronneberger, Fischer and Brox 2015), as IDEAL (Basak et al. 2023) and KAF (Yang et
al. 2023) use it; the other one consists of the project's own I-LKA blocks. All are normalised within an image, so that
what is said of it does not depend on the images that it is computed with.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_s3net.network.depthwise import Pointwise
from napari_s3net.network.encoder_decoder import NetworkConfig, attention_decoder, attention_encoder, decode
from napari_s3net.network.keypoint_fusion import KeypointBatch, KeypointFusion


@dataclass(frozen=True, kw_only=True)
class Perturbation:
    """How the features that each of two decoders gets are perturbed while training.

    Parameters
    ----------
    dropped : float
        Share of the channels that are set to zero; set by hand, not tuned.
    noise : float
        Features are multiplied by 1 + u with u uniform in ±`noise`: "F-Noise" of Ouali, Hudelot and Tami,
        "Semi-Supervised Semantic Segmentation with Cross-Consistency Training", CVPR 2020.
    """

    dropped: float = 0.3
    noise: float = 0.3


PERTURBATION = Perturbation()


@dataclass(frozen=True, kw_only=True)
class ClassNetworkConfig(NetworkConfig):
    """The shape of the network; with the weights it is all that is needed to build it again.

    Attributes
    ----------
    in_channels, classes : int
        Channels of the input, and classes with the background as the first.
    backbone : str
        "unet": two 3 × 3 convolutions a scale; "ilka": attention blocks, the first scale at half the input's size.
    widths : tuple of int
        Channels at each scale, multiples of eight.
    decoders : int
        1, by transposed convolutions or attention blocks, as the backbone is; or 2, the second by bilinear enlargement.
    keypoints : bool
        Whether a keypoint layer follows each scale of the encoder but the last.
    keypoint_width, keypoint_blocks : int
        Width of the keypoints' features, a multiple of four, and number of self-attention blocks.
    """

    in_channels: int = 1
    classes: int = 2
    backbone: str = "unet"
    widths: tuple[int, ...] = (16, 32, 64, 128, 256)
    decoders: int = 1
    keypoints: bool = False
    keypoint_width: int = 256
    keypoint_blocks: int = 6


class Encoder(nn.Module):
    """Features of an image at several scales, each half as large as the one before.

    Parameters
    ----------
    config : ClassNetworkConfig
        Backbone, widths and keypoints.
    """

    def __init__(self, config: ClassNetworkConfig) -> None:
        super().__init__()
        widths, factor = config.widths, 2 if config.keypoints else 1
        self.stem: nn.Module
        if config.backbone == "ilka":
            blocks = (1, *(2,) * (len(widths) - 1))
            self.stem, self.encoder, self.down = attention_encoder(config.in_channels, widths, blocks, factor=factor)
        else:
            inputs = (config.in_channels, *(factor * width for width in widths[:-1]))
            self.stem = nn.Identity()
            self.encoder = nn.ModuleList(two_convolutions(i, o) for i, o in zip(inputs, widths, strict=True))
            self.down = nn.ModuleList(nn.MaxPool2d(2, ceil_mode=True) for _ in widths[1:])
        first = 1 if config.backbone == "ilka" else 0
        self.fusion = nn.ModuleList(
            KeypointFusion(width, 2 ** (first + scale), width=config.keypoint_width, blocks=config.keypoint_blocks)
            for scale, width in enumerate(widths[:-1])
            if config.keypoints
        )
        # Instance normalisation takes five times as long where channels lie beside each other; attention is faster so.
        self.order = torch.channels_last if config.backbone == "ilka" else torch.contiguous_format
        self.to(memory_format=self.order)  # type: ignore[call-overload]

    def forward(self, x: Tensor, points: KeypointBatch | None = None) -> tuple[list[Tensor], list[Tensor]]:
        """Compute the features at every scale.

        Parameters
        ----------
        x : torch.Tensor
            (N, C, H, W).
        points : KeypointBatch, optional
            Keypoints of the images; where the network has keypoint layers and gets none, the images have none.

        Returns
        -------
        features : list of torch.Tensor
            From fine to coarse; with keypoint layers all but the last have twice the scale's width.
        at_points : list of torch.Tensor
            (N, P, keypoint_width) of each keypoint layer; empty without such layers.
        """
        y, features, at_points = self.stem(x.contiguous(memory_format=self.order)), list[Tensor](), list[Tensor]()
        if len(self.fusion) and points is None:
            points = KeypointBatch.none(len(x), x.device)
        for scale, stage in enumerate(self.encoder):
            y = stage(y if scale == 0 else self.down[scale - 1](y))
            if scale < len(self.fusion):
                y, described = self.fusion[scale](y, points)
                at_points.append(described)
            features.append(y)
        return features, at_points


class Decoder(nn.Module):
    """From features at several scales to the classes of each pixel.

    Parameters
    ----------
    config : ClassNetworkConfig
        Of the encoder that it follows.
    bilinear : bool
        Enlarge bilinearly and convolve, instead of by a transposed convolution.
    """

    def __init__(self, config: ClassNetworkConfig, *, bilinear: bool = False) -> None:
        super().__init__()
        factor = 2 if config.keypoints else 1
        self.bilinear = bilinear
        steps = list(pairwise(config.widths))
        self.up = nn.ModuleList(
            nn.Conv2d(coarse, fine, 3, padding=1) if bilinear else nn.ConvTranspose2d(coarse, fine, 2, stride=2)
            for fine, coarse in steps
        )
        self.join = nn.ModuleList(two_convolutions((1 + factor) * fine, fine) for fine, _ in steps)
        self.head = nn.Conv2d(config.widths[0], config.classes, 1)

    def forward(self, features: list[Tensor], size: tuple[int, int]) -> Tensor:
        """Compute the logits.

        Parameters
        ----------
        features : list of torch.Tensor
            From the encoder, fine to coarse.
        size : tuple of int
            (H, W) of the input.

        Returns
        -------
        torch.Tensor
            (N, classes, H, W) float32.
        """
        y = features[-1]
        for scale in reversed(range(len(self.join))):
            skip = features[scale]
            if self.bilinear:
                y = self.up[scale](_to_size(y, (skip.shape[2], skip.shape[3])))
            else:
                y = _to_size(self.up[scale](y), (skip.shape[2], skip.shape[3]))
            y = self.join[scale](torch.cat([y, skip], dim=1))
        return _to_size(self.head(y).float(), size)


class AttentionDecoder(nn.Module):
    """The decoder of the network that `teach` teaches, with a channel for each class.

    Parameters
    ----------
    config : ClassNetworkConfig
        Of the encoder that it follows, whose backbone is "ilka".
    """

    def __init__(self, config: ClassNetworkConfig) -> None:
        super().__init__()
        self.join, self.decoder, self.border, self.border_norm = attention_decoder(
            config.widths, factor=2 if config.keypoints else 1
        )
        self.head = Pointwise(config.widths[0], config.classes)

    def forward(self, features: list[Tensor], size: tuple[int, int]) -> Tensor:
        """Compute the logits.

        Parameters
        ----------
        features, size
            As of `Decoder`.

        Returns
        -------
        torch.Tensor
            (N, classes, H, W) float32.
        """
        y = decode(features, self.join, self.decoder, self.border, self.border_norm)
        return _to_size(self.head(y).float(), size)


class ClassNetwork(nn.Module):
    """Encoder and decoders. Shapes: (N, C, H, W) to (N, classes, H, W).

    Parameters
    ----------
    config : ClassNetworkConfig
        Of both.
    """

    def __init__(self, config: ClassNetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        first = AttentionDecoder(config) if config.backbone == "ilka" else Decoder(config)
        others = [Decoder(config, bilinear=True) for _ in range(config.decoders - 1)]
        self.decoders = nn.ModuleList([first, *others])

    def forward(self, x: Tensor, points: KeypointBatch | None = None) -> Tensor:
        """Compute the logits; those of two decoders are averaged.

        Parameters
        ----------
        x : torch.Tensor
            (N, C, H, W), normalised.
        points : KeypointBatch, optional
            Keypoints, where the network uses them.

        Returns
        -------
        torch.Tensor
            (N, classes, H, W) float32.
        """
        features, _ = self.encoder(x, points)
        return torch.stack(self.decode(features, (x.shape[2], x.shape[3]))).mean(dim=0)

    def decode(
        self, features: list[Tensor], size: tuple[int, int], generator: torch.Generator | None = None
    ) -> list[Tensor]:
        """Compute the logits of each decoder from the encoder's features.

        Parameters
        ----------
        features : list of torch.Tensor
            From the encoder.
        size : tuple of int
            (H, W) of the input.
        generator : torch.Generator, optional
            Of the CPU: the features that each decoder gets are perturbed by draws from it.

        Returns
        -------
        list of torch.Tensor
            (N, classes, H, W) float32 of each decoder.
        """
        if generator is None:
            return [decoder(features, size) for decoder in self.decoders]
        return [decoder([perturb(f, generator) for f in features], size) for decoder in self.decoders]


def perturb(features: Tensor, generator: torch.Generator) -> Tensor:
    """Multiply features by noise around one, and set whole channels to zero while the others grow by as much.

    Parameters
    ----------
    features : torch.Tensor
        (N, C, H, W).
    generator : torch.Generator
        Of the CPU; N · C · (1 + H · W) numbers are drawn from it.

    Returns
    -------
    torch.Tensor
        Of the same shape and the same expected value.
    """
    kept = torch.rand(*features.shape[:2], 1, 1, generator=generator) >= PERTURBATION.dropped
    noise = 1 + PERTURBATION.noise * (2 * torch.rand(features.shape, generator=generator) - 1)
    return features * (noise * kept / (1 - PERTURBATION.dropped)).to(features)


def two_convolutions(inputs: int, outputs: int) -> nn.Sequential:
    """Make two 3 × 3 convolutions, each with LeakyReLU, and each channel normalised by itself (instance normalisation).

    On ACDC with two labelled patients (96 pixels, width 8, 250 steps of 8, learning rate 0.005) the training loss fell
    to 0.64 so, to 0.70 with batch normalisation, and to 0.91 with groups of eight channels, where two of the three
    classes were never found.

    Parameters
    ----------
    inputs, outputs : int
        Channels.

    Returns
    -------
    torch.nn.Sequential
        The size of the image stays.
    """
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [
            nn.Conv2d(channels, outputs, 3, padding=1, bias=False),
            nn.GroupNorm(outputs, outputs),
            nn.LeakyReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


def _to_size(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinearly at another size; as it is where it has that size."""
    return x if tuple(x.shape[2:]) == size else F.interpolate(x, size, mode="bilinear", align_corners=False)
