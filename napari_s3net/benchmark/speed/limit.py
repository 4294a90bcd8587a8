"""The least time that an iteration could take on this machine.

Layers run one after another; each takes the time of its operations at the pace of a matrix product, or of its bytes at
that of a copy, whichever is longer. Counted from the shapes that pass through the layers: multiply-adds of the forward
pass, and twice that for the backward pass (gradients of the input and of the weights). A layer reads its input and its
weights and writes its output once, and three times that with the backward pass. Losses, warps and the optimiser are
left out: the limit is a low one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from napari_s3net.benchmark.speed.clock import seconds
from napari_s3net.network.deformable import DeformableConv3x3, FreeOffsetConv3x3
from napari_s3net.network.deformable_cpu import TAPS
from napari_s3net.training.trainer import Trainer

#: Forward, gradient of the input, gradient of the weights.
PASSES = 3
#: Corners of a bilinear sample.
CORNERS = 4
#: Side of the measured matrix product.
SIDE = 1024
#: Values of the large copy, which fits no cache.
LARGE = 2**24


@dataclass(frozen=True)
class LayerWork:
    """What one call of a layer needs.

    Parameters
    ----------
    operations : float
        Floating-point operations; a multiply-add is two.
    bytes : float
        Read and written.
    """

    operations: float
    bytes: float


def layer_work(layer: nn.Module, x: Tensor, output: Tensor, passes: int) -> LayerWork:
    """Count what one call of a layer needs.

    Parameters
    ----------
    layer : torch.nn.Module
        Of a network.
    x, output : torch.Tensor
        (N, C, H, W), what went in and what came out.
    passes : int
        1 for forward only, 3 with the backward pass.

    Returns
    -------
    LayerWork
        Operations and bytes.
    """
    values = x.numel() + output.numel() + sum(p.numel() for p in layer.parameters(recurse=False))
    return LayerWork(passes * 2 * multiply_adds(layer, x, output), passes * values * x.element_size())


def multiply_adds(layer: nn.Module, x: Tensor, output: Tensor) -> float:
    """Count the multiply-adds of the forward pass of one layer.

    Parameters
    ----------
    layer : torch.nn.Module
        Of a network.
    x, output : torch.Tensor
        (N, C, H, W), what went in and what came out.

    Returns
    -------
    float
        Of convolutions and linear layers by their shapes, bilinear samples included; else one for each value.
    """
    if isinstance(layer, nn.Conv2d):
        return output.numel() * x.shape[1] / layer.groups * layer.kernel_size[0] * layer.kernel_size[1]
    if isinstance(layer, nn.Linear):
        return output.numel() * layer.in_features
    if isinstance(layer, (DeformableConv3x3, FreeOffsetConv3x3)):
        places = TAPS * output.shape[0] * output.shape[2] * output.shape[3]
        return places * (CORNERS * x.shape[1] + x.shape[1] * output.shape[1])
    return output.numel()  # normalisation, activation: one for each value


@dataclass(frozen=True, eq=False)
class LayerCall:
    """One call of a layer, with what went in and what came out."""

    layer: nn.Module
    x: Tensor
    output: Tensor


def calls_of(trainer: Trainer, iteration: int) -> list[LayerCall]:
    """Record every call of a layer in one iteration, those for the transformed copy included.

    Parameters
    ----------
    trainer : Trainer
        Its forward pass is run once.
    iteration : int
        Which iteration, from 1.

    Returns
    -------
    list of LayerCall
        In the order of the calls.
    """
    found: list[LayerCall] = []
    own = (DeformableConv3x3, FreeOffsetConv3x3)
    layers = [m for m in trainer.network.modules() if isinstance(m, own) or not list(m.children())]
    hooks = [
        layer.register_forward_hook(lambda one, inputs, output: found.append(LayerCall(one, inputs[0], output)))
        for layer in layers
    ]
    try:
        trainer.forward(iteration)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def work_of(trainer: Trainer, iteration: int, passes: int = PASSES) -> list[LayerWork]:
    """Count what each call of a layer needs in one iteration.

    Parameters
    ----------
    trainer : Trainer
        Its forward pass is run once.
    iteration : int
        Which iteration, from 1.
    passes : int
        As in `layer_work`.

    Returns
    -------
    list of LayerWork
        In the order of the calls.
    """
    return [layer_work(call.layer, call.x, call.output, passes) for call in calls_of(trainer, iteration)]


@dataclass(frozen=True)
class Machine:
    """How fast a machine computes and copies.

    Parameters
    ----------
    operations : float
        Floating-point operations a second of a matrix product.
    bytes : float
        Bytes a second, read and written, of copies of a feature map's size.
    bytes_large : float
        The same of a copy that fits no cache.
    """

    operations: float
    bytes: float
    bytes_large: float

    def least_seconds(self, layers: Iterable[LayerWork]) -> float:
        """Return the least time that layers could take, one after another.

        Parameters
        ----------
        layers : iterable of LayerWork
            What each of them needs.

        Returns
        -------
        float
            Seconds: for each layer the longer of the times of its operations and of its bytes.
        """
        return sum(max(each.operations / self.operations, each.bytes / self.bytes) for each in layers)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for the summary.

        Returns
        -------
        dict
            `gflops`, `copy_gb_per_s` and `large_copy_gb_per_s`.
        """
        return {
            "gflops": self.operations / 1e9,
            "copy_gb_per_s": self.bytes / 1e9,
            "large_copy_gb_per_s": self.bytes_large / 1e9,
        }


def measure_machine(device: torch.device, values: int, repeats: int = 9) -> Machine:
    """Measure how fast a machine computes and copies: the best of some tries.

    Parameters
    ----------
    device : torch.device
        Where to compute.
    values : int
        Numbers in a feature map, which the smaller copy has too.
    repeats : int
        How many tries.

    Returns
    -------
    Machine
        Paces of single-precision numbers.
    """
    a, b = (torch.rand(SIDE, SIDE, device=device) for _ in range(2))
    product = min(seconds(lambda: a @ b, device, repeats))
    return Machine(2 * SIDE**3 / product, _copy(values, device, repeats), _copy(LARGE, device, repeats))


def _copy(values: int, device: torch.device, repeats: int) -> float:
    """Bytes a second that are read and written; small copies are repeated, so that the clock does not matter."""
    source = torch.rand(values, device=device)
    target = torch.empty_like(source)
    times = max(1, LARGE // values // 4)

    def copy() -> None:
        for _ in range(times):
            target.copy_(source)

    return 2 * values * source.element_size() * times / min(seconds(copy, device, repeats))
