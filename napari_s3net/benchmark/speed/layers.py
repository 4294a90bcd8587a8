"""Which layers an iteration spends its time in, beside the least that each kind of them could take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from napari_s3net.benchmark.speed.clock import typical
from napari_s3net.benchmark.speed.limit import PASSES, LayerCall, Machine, calls_of, layer_work
from napari_s3net.network.deformable import DeformableConv3x3, FreeOffsetConv3x3
from napari_s3net.network.depthwise import DepthwiseConv, Pointwise
from napari_s3net.training.trainer import Trainer

#: What a layer is called; the first that fits.
KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    ((DeformableConv3x3, FreeOffsetConv3x3), "deformable"),
    (DepthwiseConv, "depthwise"),
    (Pointwise, "pointwise"),
    (nn.BatchNorm2d, "normalisation"),
    (nn.GELU, "activation"),
)


@dataclass
class LayerTime:
    """All layers of one kind in one iteration.

    Parameters
    ----------
    calls : int
        How often they are called.
    seconds : float
        Measured, forward and backward.
    least_seconds : float
        The least that the machine could take; see `Machine.least_seconds`.
    """

    calls: int = 0
    seconds: float = 0.0
    least_seconds: float = 0.0


def time_layers(
    trainer: Trainer, iteration: int, machine: Machine, device: torch.device, repeats: int
) -> dict[str, LayerTime]:
    """Time each call of a layer in one learning iteration on its own, forward and backward, and add up by kind.

    Parameters
    ----------
    trainer : Trainer
        Whose network is timed.
    iteration : int
        Which iteration, from 1; early ones work at half the size.
    machine : Machine
        For the least time.
    device : torch.device
        Where the network is.
    repeats : int
        How often each call is timed; the median counts.

    Returns
    -------
    dict of str to LayerTime
        By the names of `kind_of`.
    """
    calls = calls_of(trainer, iteration)
    inner = {id(part) for call in calls for part in call.layer.modules() if part is not call.layer}
    found: dict[str, LayerTime] = defaultdict(LayerTime)
    for call in calls:
        is_part = id(call.layer) in inner  # timed with the layer that it is a part of
        kind = found["deformable" if is_part else kind_of(call.layer)]
        kind.least_seconds += machine.least_seconds([layer_work(call.layer, call.x, call.output, PASSES)])
        if not is_part:
            kind.calls += 1
            kind.seconds += typical(_both_ways(call), device, repeats)
    return dict(found)


def kind_of(layer: nn.Module) -> str:
    """Return what a layer is called in the tables.

    Parameters
    ----------
    layer : torch.nn.Module
        Of a network.

    Returns
    -------
    str
        A name in `KINDS`; "first convolution" for any other layer.
    """
    return next((name for types, name in KINDS if isinstance(layer, types)), "first convolution")


def _both_ways(call: LayerCall) -> Callable[[], object]:
    """One call of a layer and its gradients, to be timed."""
    x = call.x.detach().requires_grad_(call.x.requires_grad)
    wanted: list[Tensor] = [*call.layer.parameters(), *([x] if x.requires_grad else [])]
    gradient = torch.ones_like(call.output)
    return lambda: torch.autograd.grad(call.layer(x), wanted, gradient)
