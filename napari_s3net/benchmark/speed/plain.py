"""The layers as torch has them, in the place of our faster ones: what the published network runs on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import torch.nn.functional as F
from torch import Tensor, nn

from napari_s3net.network import deformable as deform
from napari_s3net.network.depthwise import DepthwiseConv, Pointwise


@contextmanager
def plain_layers() -> Iterator[None]:
    """Use torch's own layers in the body: plain convolutions, and `grid_sample` for the deformable layer.

    The values are the same; only the way to them is torch's own.

    Yields
    ------
    None
        While they are in the place of ours, in the whole process.
    """
    with ExitStack() as swaps:
        swaps.enter_context(patch.object(DepthwiseConv, "forward", nn.Conv2d.forward))
        swaps.enter_context(patch.object(Pointwise, "forward", _convolution))
        swaps.enter_context(patch.object(deform, "deform_on_cpu", deform.deform_by_grid_sample))
        yield


def _convolution(layer: Pointwise, x: Tensor) -> Tensor:
    return F.conv2d(x, layer.weight[:, :, None, None], layer.bias)
