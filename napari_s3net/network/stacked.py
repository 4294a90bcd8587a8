"""Many networks of one kind as one, each for its own image: every weight has a first axis more, of as many networks.

The layers of S³-Net look at the number of axes of their weights. With one more than usual, weights n are for image n of
the batch; all are computed at once, as grouped convolutions and batched matrix products.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def stack_network(network: nn.Module, n: int) -> None:
    """Turn a network into n copies of itself, which are then trained apart.

    Parameters
    ----------
    network : torch.nn.Module
        Changed in place: each parameter and buffer gets a first axis of length n. All of its layers with weights must
        be able to read them; those of `S3Net` are.
    n : int
        How many images a batch has from then on.
    """
    for module in network.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            setattr(module, name, nn.Parameter(_repeated(parameter.detach(), n)))
        for name, buffer in list(module.named_buffers(recurse=False)):
            setattr(module, name, _repeated(buffer, n))


def _repeated(tensor: Tensor, n: int) -> Tensor:
    return tensor.expand(n, *tensor.shape).clone(memory_format=torch.contiguous_format)


class Conv3x3(nn.Conv2d):
    """A 3×3 convolution that keeps the image's size, as `nn.Conv2d` computes it; stacked, one for each image.

    Shapes: (N, C, H, W) to (N, D, H, W).

    Parameters
    ----------
    in_channels, out_channels : int
        C and D.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve x.

        Parameters
        ----------
        x : torch.Tensor
            (N, C, H, W).

        Returns
        -------
        torch.Tensor
            (N, D, H, W) for x (N, C, H, W).
        """
        if self.weight.ndim == 4:
            return super().forward(x)
        columns = F.unfold(x, 3, padding=1)  # (N, 9C, H·W)
        y = torch.baddbmm(cast("Tensor", self.bias)[..., None], self.weight.flatten(2), columns)
        return y.view(len(x), -1, *x.shape[2:])


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation by the mean and variance of what is given; stacked, each image is normalised on its own.

    A network that is trained on one image is used on that image alone, so no running means are kept. Shapes:
    (N, C, H, W) in and out.

    Parameters
    ----------
    channels : int
        C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, track_running_stats=False)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each channel of x.

        Parameters
        ----------
        x : torch.Tensor
            (N, C, H, W).

        Returns
        -------
        torch.Tensor
            (N, C, H, W), as x.
        """
        if self.weight.ndim == 1:
            return super().forward(x)
        apart = x.reshape(1, -1, *x.shape[2:])
        weight, bias = self.weight.reshape(-1), self.bias.reshape(-1)
        return F.batch_norm(apart, None, None, weight, bias, training=True, eps=self.eps).view(x.shape)
