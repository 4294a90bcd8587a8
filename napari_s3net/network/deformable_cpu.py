"""The deformable convolution on the CPU: the results of `grid_sample`, several times faster and in less memory.

torch's backward pass of `grid_sample` works channel by channel on the CPU. Here the samples are a sparse matrix times
the pixels, all channels at once: a row of the matrix holds the four bilinear weights of one sample. The gradient of the
pixels is the transposed matrix times the gradient of the samples. The image is worked on in bands of rows, so that the
samples of a band stay in the processor's cache, and those of the whole image are never in memory at once.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy import sparse
from torch import Tensor
from torch.autograd.function import once_differentiable

TAPS = 9
#: Samples that a band of rows has, about.
SAMPLES = 32768
#: Pixels of zeros around the image. A sample outside is moved into them, where its derivative is zero as well.
MARGIN = 2


def deform_on_cpu(x: Tensor, rows: Tensor, columns: Tensor, modulation: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Compute the deformable convolution; it can be differentiated once.

    Parameters
    ----------
    x : torch.Tensor
        (N, C, H, W), on the CPU.
    rows, columns : torch.Tensor
        (N, H, W, 9): where each tap reads x, in pixels from 0; between pixels x is interpolated, outside it is 0.
    modulation : torch.Tensor
        (N, H, W, 9), the factor of each tap.
    weight, bias : torch.Tensor
        (D, C, 3, 3) and (D,), or the same with a first axis N.

    Returns
    -------
    torch.Tensor
        (N, D, H, W), as from `deform_by_grid_sample`.
    """
    N, D = len(x), bias.shape[-1]
    if weight.ndim == 4:
        kernels, biases = [weight.flatten(2).permute(2, 1, 0).reshape(-1, D)] * N, [bias] * N  # (9C, D) each
    else:
        kernels, biases = list(weight.flatten(3).permute(0, 3, 2, 1).reshape(N, -1, D)), list(bias)
    pixels = F.pad(x.permute(0, 2, 3, 1), (0, 0, MARGIN, MARGIN, MARGIN, MARGIN))
    images = zip(pixels, rows, columns, modulation, kernels, biases, strict=True)
    one_by_one = [_DeformConv.apply(*image) for image in images]  # type: ignore[no-untyped-call]
    return torch.stack(one_by_one).permute(0, 3, 1, 2)


class _DeformConv(torch.autograd.Function):
    """One image: pixels (H + 4, W + 4, C); rows, columns, modulation (H, W, 9); kernel (9C, D); bias (D,)."""

    @staticmethod
    def forward(
        ctx: Any, pixels: Tensor, rows: Tensor, columns: Tensor, modulation: Tensor, kernel: Tensor, bias: Tensor
    ) -> Tensor:
        ctx.save_for_backward(pixels, modulation, kernel)
        ctx.bands = [(band, *_corners(rows[band], columns[band], rows.shape)) for band in _bands(rows)]
        flat = pixels.reshape(-1, pixels.shape[2])
        out = pixels.new_empty(*rows.shape[:2], kernel.shape[1])
        for band, index, down, right in ctx.bands:
            samples = _gather(flat, index, _weights(down, right, modulation[band].reshape(-1)))
            out[band] = torch.addmm(bias, samples.view(-1, kernel.shape[0]), kernel).view_as(out[band])
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        pixels, modulation, kernel = ctx.saved_tensors
        C = pixels.shape[2]
        flat = pixels.reshape(-1, C)
        grad_flat, grad_kernel = torch.zeros_like(flat), torch.zeros_like(kernel)
        grad_rows, grad_columns, grad_modulation = (torch.empty_like(modulation) for _ in range(3))
        for band, index, down, right in ctx.bands:
            factor = modulation[band].reshape(-1)
            weights = _weights(down, right, factor)
            out = grad[band].reshape(-1, kernel.shape[1])
            grad_samples = (out @ kernel.T).view(-1, C)
            grad_kernel.addmm_(_gather(flat, index, weights).view(-1, kernel.shape[0]).T, out)
            _scatter(grad_flat, grad_samples, index, weights)
            nw, ne, sw, se = _products(grad_samples, flat, index, weights).T
            grad_rows[band] = torch.lerp(sw - nw, se - ne, right).mul_(factor).view_as(grad_rows[band])
            grad_columns[band] = torch.lerp(ne - nw, se - sw, down).mul_(factor).view_as(grad_columns[band])
            above, below = torch.lerp(nw, ne, right), torch.lerp(sw, se, right)
            grad_modulation[band] = torch.lerp(above, below, down).view_as(grad_modulation[band])
        return grad_flat.view_as(pixels), grad_rows, grad_columns, grad_modulation, grad_kernel, grad.sum(dim=(0, 1))


def _bands(rows: Tensor) -> Iterator[slice]:
    """Slices of whole image rows with about `SAMPLES` samples each."""
    step = max(1, SAMPLES // (rows.shape[1] * TAPS))
    return (slice(start, start + step) for start in range(0, len(rows), step))


def _corners(rows: Tensor, columns: Tensor, size: torch.Size) -> tuple[Tensor, Tensor, Tensor]:
    """The four pixels around each sample: their indices (M, 4) in the padded image, flattened.

    And the sample's distances below and right of the first of them, (M,) each, from 0 to 1.
    """
    H, W, _ = size
    y, z = rows.clamp(-MARGIN, H).reshape(-1), columns.clamp(-MARGIN, W).reshape(-1)
    top, left = y.floor(), z.floor()
    wide = W + 2 * MARGIN
    first = ((top + MARGIN) * wide + (left + MARGIN)).to(torch.int32)
    return _columns(first, first + 1, first + wide, first + wide + 1), y - top, z - left


def _weights(down: Tensor, right: Tensor, factor: Tensor) -> Tensor:
    """Bilinear weights of the four corners times a factor, (M, 4)."""
    low, back = down * factor, right * factor
    both = low * right
    return _columns(factor - low - back + both, back - both, low - both, both)


def _columns(*columns: Tensor) -> Tensor:
    """Four vectors side by side, (M, 4); `torch.stack` along the last axis takes four times as long."""
    out = np.empty((len(columns[0]), len(columns)), columns[0].numpy().dtype)
    for i, column in enumerate(columns):
        out[:, i] = column.numpy()
    return torch.from_numpy(out)


def _gather(flat: Tensor, index: Tensor, weights: Tensor) -> Tensor:
    """Weighted sums of pixels: (M, C) for index and weights (M, 4)."""
    return F.embedding_bag(index, flat, per_sample_weights=weights, mode="sum")


def _products(samples: Tensor, flat: Tensor, index: Tensor, like: Tensor) -> Tensor:
    """Product of each sample (M, C) with each of its four pixels, (M, 4)."""
    _take_beta_warning()
    pattern = torch.sparse_csr_tensor(
        _row_pointers(len(index)), index.view(-1), like.view(-1), (len(index), len(flat)), check_invariants=False
    )
    products: Tensor = torch.sparse.sampled_addmm(pattern, samples, flat.T, beta=0.0)
    return products.values().view(-1, 4)


def _scatter(out: Tensor, grad: Tensor, index: Tensor, weights: Tensor) -> None:
    """Add the transpose of `_gather`, applied to grad (M, C), to out (pixels, C), between its first and last index."""
    first, last = int(index.min()), int(index.max()) + 1
    entries = (weights.view(-1).numpy(), (index.view(-1) - first).numpy(), _row_pointers(len(index)).numpy())
    by_pixel = sparse.csr_array(entries, shape=(len(index), last - first)).tocsc()
    sums = F.embedding_bag(
        torch.from_numpy(by_pixel.indices),
        grad,
        torch.from_numpy(by_pixel.indptr[:-1]),
        per_sample_weights=torch.from_numpy(by_pixel.data),
        mode="sum",
    )
    out[first:last] += sums


@lru_cache(maxsize=8)
def _row_pointers(samples: int) -> Tensor:
    """Row pointers of a sparse matrix with four entries a row; cached, so it must not be written to."""
    return torch.arange(0, 4 * samples + 1, 4, dtype=torch.int32)


@lru_cache(maxsize=1)
def _take_beta_warning() -> None:
    """Make the first sparse matrix of this process, and ignore torch's one warning that they are in beta state."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        torch.sparse_csr_tensor([0, 0], [], [], (1, 1))
