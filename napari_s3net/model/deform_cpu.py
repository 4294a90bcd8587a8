"""The deformable convolution on the CPU: the sums of `grid_sample`, several times faster and in little memory.

PyTorch's backward pass of `grid_sample` on the CPU goes channel by channel. Here every sample is a row of a sparse
matrix with four entries (its bilinear weights) times the pixels, all channels at once; the gradient of the pixels is
the transposed matrix times the gradient of the samples. A band of rows is done at a time, so that what lies between
stays in the cache and is never held for the whole image.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy import sparse
from torch import Tensor
from torch.autograd.function import once_differentiable

TAPS = 9
#: Samples that are worked on at a time.
SAMPLES = 32768
#: Two pixels of zeros around the image: a sample outside is moved there, and its derivative is zero.
MARGIN = 2


def deform_on_cpu(x: Tensor, rows: Tensor, columns: Tensor, modulation: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolve x (N, C, H, W) with weight (D, C, 3, 3) at (rows, columns), both (N, H, W, 9), times modulation."""
    kernel = weight.flatten(2).permute(2, 1, 0).reshape(-1, len(weight))  # (9C, D)
    pixels = F.pad(x.permute(0, 2, 3, 1), (0, 0, MARGIN, MARGIN, MARGIN, MARGIN))
    one_by_one = [_DeformConv.apply(*one, kernel, bias) for one in zip(pixels, rows, columns, modulation, strict=True)]  # type: ignore[no-untyped-call]
    return torch.stack(one_by_one).permute(0, 3, 1, 2)


class _DeformConv(torch.autograd.Function):
    """One image: pixels (H + 4, W + 4, C); rows, columns, modulation (H, W, 9); kernel (9C, D); bias (D,)."""

    @staticmethod
    def forward(
        ctx: Any, pixels: Tensor, rows: Tensor, columns: Tensor, modulation: Tensor, kernel: Tensor, bias: Tensor
    ) -> Tensor:
        ctx.save_for_backward(pixels, rows, columns, modulation, kernel)
        flat = pixels.reshape(-1, pixels.shape[2])
        out = pixels.new_empty(*rows.shape[:2], kernel.shape[1])
        for band in _bands(rows):
            index, down, right = _corners(rows[band], columns[band], rows.shape)
            samples = _gather(flat, index, _weights(down, right, modulation[band].reshape(-1)))
            out[band] = torch.addmm(bias, samples.view(-1, kernel.shape[0]), kernel).view_as(out[band])
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        pixels, rows, columns, modulation, kernel = ctx.saved_tensors
        C = pixels.shape[2]
        flat = pixels.reshape(-1, C)
        of_flat, of_kernel = torch.zeros_like(flat), torch.zeros_like(kernel)
        of_rows, of_columns, of_modulation = (torch.empty_like(modulation) for _ in range(3))
        for band in _bands(rows):
            index, down, right = _corners(rows[band], columns[band], rows.shape)
            factor = modulation[band].reshape(-1)
            out = grad[band].reshape(-1, kernel.shape[1])
            of_samples = (out @ kernel.T).view(-1, C)
            _scatter(of_flat, of_samples, index, _weights(down, right, factor))
            samples = _gather(flat, index, _weights(down, right, torch.ones_like(factor)))
            of_modulation[band] = _dot(of_samples, samples).view_as(modulation[band])
            of_kernel.addmm_(samples.mul_(factor[:, None]).view(-1, kernel.shape[0]).T, out)
            for of_place, along in ((of_rows, _along_rows(right, factor)), (of_columns, _along_columns(down, factor))):
                of_place[band] = _dot(of_samples, _gather(flat, index, along)).view_as(modulation[band])
        return of_flat.view_as(pixels), of_rows, of_columns, of_modulation, of_kernel, grad.sum(dim=(0, 1))


def _bands(rows: Tensor) -> Iterator[slice]:
    """Slices of whole image rows with about `SAMPLES` samples each."""
    step = max(1, SAMPLES // (rows.shape[1] * TAPS))
    return (slice(start, start + step) for start in range(0, len(rows), step))


def _corners(rows: Tensor, columns: Tensor, size: torch.Size) -> tuple[Tensor, Tensor, Tensor]:
    """Indices (M, 4) of the pixels around each place in the padded image, and the place between them, (M,) each."""
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


def _along_rows(right: Tensor, factor: Tensor) -> Tensor:
    """Derivative of the weights along the rows, times a factor, (M, 4)."""
    back = right * factor
    rest = factor - back
    return _columns(-rest, -back, rest, back)


def _along_columns(down: Tensor, factor: Tensor) -> Tensor:
    """Derivative of the weights along the columns, times a factor, (M, 4)."""
    low = down * factor
    rest = factor - low
    return _columns(-rest, rest, -low, low)


def _columns(*columns: Tensor) -> Tensor:
    """Four vectors side by side, (M, 4); `torch.stack` along the last axis takes four times as long."""
    out = np.empty((len(columns[0]), len(columns)), columns[0].numpy().dtype)
    for i, column in enumerate(columns):
        out[:, i] = column.numpy()
    return torch.from_numpy(out)


def _gather(flat: Tensor, index: Tensor, weights: Tensor) -> Tensor:
    """Weighted sums of pixels: (M, C) for index and weights (M, 4)."""
    return F.embedding_bag(index, flat, per_sample_weights=weights, mode="sum")


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Product of each row of a with that of b."""
    return (a * b).sum(dim=1)


def _scatter(out: Tensor, grad: Tensor, index: Tensor, weights: Tensor) -> None:
    """Add the transpose of `_gather` of grad (M, C) to out (pixels, C); only the stretch that is met is touched."""
    first, last = int(index.min()), int(index.max()) + 1
    ends = np.arange(0, index.numel() + 1, 4, dtype=np.int32)
    entries = (weights.reshape(-1).numpy(), (index - first).reshape(-1).numpy(), ends)
    matrix = sparse.csr_array(entries, shape=(len(index), last - first))
    out[first:last] += torch.from_numpy(matrix.T @ grad.numpy())
