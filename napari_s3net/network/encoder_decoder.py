"""The network that synthetic images teach: an encoder and decoder of I-LKA blocks at four scales, with two heads.

The blocks are those of Karimijafarbigloo et al. 2023 (`attention.py`, `deformable.py`); encoder, decoder and the
connections between them follow U-Net (Ronneberger, Fischer and Brox 2015).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_s3net.network.attention import AttentionBlock
from napari_s3net.network.deformable import DeformableConv3x3
from napari_s3net.network.depthwise import Pointwise
from napari_s3net.network.precision import full_precision

#: Channels that are normalised together.
GROUP = 8


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Base of the shapes of networks, which stand in the headers of their weight files."""

    def to_dict(self) -> dict[str, Any]:
        """Convert to numbers, words and lists, such as JSON holds.

        Returns
        -------
        dict
            By the names of the fields; tuples become lists.
        """
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave.

        Parameters
        ----------
        values : mapping of str to object
            By the names of the fields.

        Returns
        -------
        Self
            The same shape.
        """
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


@dataclass(frozen=True, kw_only=True)
class EncoderDecoderConfig(NetworkConfig):
    """The shape of the network; with the weights it is all that is needed to build it again.

    Attributes
    ----------
    in_channels : int
        C of the input: 3 for photographs, 1 for CT.
    widths : tuple of int
        Channels at each scale, multiples of eight; the first lies at half the input's size, each further one at half of
        the one before.
    blocks : tuple of int
        I-LKA blocks of the encoder at each scale; the decoder has one at each.
    clusters : int
        K, the channels of the cluster head.
    attention : bool
        False puts plain 3 × 3 convolutions in the place of the attention (ablation).
    deformable : bool
        False puts a plain 3 × 3 convolution where the border is drawn (ablation).
    """

    in_channels: int = 3
    widths: tuple[int, ...] = (24, 48, 96, 160)
    blocks: tuple[int, ...] = (1, 2, 2, 2)
    clusters: int = 8
    attention: bool = True
    deformable: bool = True


class EncoderDecoder(nn.Module):
    """Which pixels are object, and which cluster each belongs to.

    Four scales of attention blocks see the image from its texture to its whole; on the way back to half the image's
    size each scale is joined with what the encoder saw there. A deformable convolution draws the border, and two
    pointwise heads read it. Group normalisation does not depend on the batch, so that one image alone gives the same as
    it gave in training.
    """

    def __init__(self, config: EncoderDecoderConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        first = widths[0]
        self.stem, self.encoder, self.down = attention_encoder(
            config.in_channels, widths, config.blocks, attention=config.attention
        )
        self.join, self.decoder, self.border, self.border_norm = attention_decoder(
            widths, attention=config.attention, deformable=config.deformable
        )
        self.object_head = Pointwise(first, 1)
        self.cluster_head = Pointwise(first, config.clusters)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Say of each pixel whether it is object, and which cluster it belongs to.

        Parameters
        ----------
        x : torch.Tensor
            (N, C, H, W), normalised, of any size from 2 × 2 on.

        Returns
        -------
        logits, cluster_logits : torch.Tensor
            (N, 1, H, W) of the object, whose sigmoid is its probability; and (N, K, H, W) of the clusters; float32.
        """
        features = self.features(x)
        size = (x.shape[2], x.shape[3])
        logits, clusters = (
            F.interpolate(head(features).float(), size, mode="bilinear", align_corners=False)
            for head in (self.object_head, self.cluster_head)
        )
        return logits, clusters

    def features(self, x: Tensor) -> Tensor:
        """Compute what both heads read.

        Parameters
        ----------
        x : torch.Tensor
            (N, C, H, W), normalised.

        Returns
        -------
        torch.Tensor
            (N, widths[0], ⌈H / 2⌉, ⌈W / 2⌉), float32.
        """
        y = self.stem(x)
        skips: list[Tensor] = []  # what the decoder joins again at each scale
        for i, stage in enumerate(self.encoder):
            y = stage(y if i == 0 else self.down[i - 1](y))
            skips.append(y)
        return decode(skips, self.join, self.decoder, self.border, self.border_norm)


def attention_encoder(
    in_channels: int, widths: tuple[int, ...], blocks: tuple[int, ...], *, attention: bool = True, factor: int = 1
) -> tuple[nn.Sequential, nn.ModuleList, nn.ModuleList]:
    """Make the parts of an encoder of attention blocks, whose first scale lies at half the input's size.

    Parameters
    ----------
    in_channels : int
        C of the input.
    widths, blocks : tuple of int
        Channels, and attention blocks, at each scale.
    attention : bool
        False puts plain convolutions in the attention's place.
    factor : int
        How many times a scale's width is handed to the next scale: 2 where something is joined to its features.

    Returns
    -------
    stem : torch.nn.Sequential
        From the input to the first scale.
    stages : torch.nn.ModuleList
        The blocks of each scale.
    down : torch.nn.ModuleList
        From each scale to the next.
    """
    stem = nn.Sequential(
        nn.Conv2d(in_channels, widths[0], 3, stride=2, padding=1), normalise_groups(widths[0]), nn.GELU()
    )
    stages = nn.ModuleList(stage_of_blocks(w, n, attention=attention) for w, n in zip(widths, blocks, strict=True))
    down = nn.ModuleList(
        nn.Sequential(nn.Conv2d(factor * fine, coarse, 3, stride=2, padding=1), normalise_groups(coarse))
        for fine, coarse in pairwise(widths)
    )
    return stem, stages, down


def attention_decoder(
    widths: tuple[int, ...], *, attention: bool = True, deformable: bool = True, factor: int = 1
) -> tuple[nn.ModuleList, nn.ModuleList, nn.Module, nn.GroupNorm]:
    """Make the parts of the decoder that follows `attention_encoder`.

    Parameters
    ----------
    widths : tuple of int
        Channels at each scale.
    attention, deformable : bool
        False puts plain convolutions in their place.
    factor : int
        How many times a scale's width is handed to the decoder, as in `attention_encoder`.

    Returns
    -------
    join : torch.nn.ModuleList
        From what comes of the coarser scale, and what the encoder saw, to a scale's width.
    stages : torch.nn.ModuleList
        The blocks of each scale but the last.
    border : torch.nn.Module
        Draws the border at the finest scale.
    border_norm : torch.nn.GroupNorm
        What follows it.
    """
    first = widths[0]
    join = nn.ModuleList(
        nn.Sequential(Pointwise(coarse + factor * fine, fine), normalise_groups(fine))
        for fine, coarse in pairwise(widths)
    )
    stages = nn.ModuleList(stage_of_blocks(width, 1, attention=attention) for width in widths[:-1])
    border = DeformableConv3x3(first, first) if deformable else nn.Conv2d(first, first, 3, padding=1)
    return join, stages, border, normalise_groups(first)


def decode(
    skips: list[Tensor], join: nn.ModuleList, stages: nn.ModuleList, border: nn.Module, border_norm: nn.Module
) -> Tensor:
    """Go back from the features of the coarsest scale to those of the finest, from which classes are read.

    Parameters
    ----------
    skips : list of torch.Tensor
        What the encoder saw at each scale, from fine to coarse.
    join, stages, border, border_norm
        From `attention_decoder`.

    Returns
    -------
    torch.Tensor
        (N, widths[0], H, W) of the finest scale.
    """
    y = skips[-1]
    for i in reversed(range(len(stages))):
        wide = F.interpolate(y, (skips[i].shape[2], skips[i].shape[3]), mode="bilinear", align_corners=False)
        y = stages[i](join[i](torch.cat([wide, skips[i]], dim=1)))
    with full_precision(y.device):  # places between pixels need more than eight bits
        drawn = border(y.float())
    features: Tensor = F.gelu(border_norm(y + drawn))
    return features


def normalise_groups(channels: int) -> nn.GroupNorm:
    """Make a group normalisation, with `GROUP` channels a group.

    Parameters
    ----------
    channels : int
        A multiple of `GROUP`, or fewer: then they are one group.

    Returns
    -------
    torch.nn.GroupNorm
        Of the given number of channels.
    """
    return nn.GroupNorm(max(1, channels // GROUP), channels)


def stage_of_blocks(width: int, blocks: int, *, attention: bool) -> nn.Sequential:
    """Make attention blocks at one scale, each followed by its normalisation.

    Parameters
    ----------
    width : int
        Channels.
    blocks : int
        How many.
    attention : bool
        False puts plain convolutions in its place.

    Returns
    -------
    torch.nn.Sequential
        (N, width, H, W) in and out.
    """
    layers = [
        layer for _ in range(blocks) for layer in (AttentionBlock(width, attention=attention), normalise_groups(width))
    ]
    return nn.Sequential(*layers)
