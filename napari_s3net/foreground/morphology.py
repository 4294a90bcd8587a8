"""Morphology of many masks at once: what scipy and scikit-image do for one, without a call for each.

Every function takes masks of shape (n, h, w); outside the image all is False.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_s3net.foreground.run_length import frame_of, runs_of

#: What a border pixel adds to the perimeter, by the code of its neighbourhood (Benkrid and Crookes 2000).
_STEPS = np.zeros(50)
_STEPS[[5, 7, 15, 17, 25, 27]] = 1
_STEPS[[21, 33]] = np.sqrt(2)
_STEPS[[13, 23]] = (1 + np.sqrt(2)) / 2


@lru_cache(maxsize=8)
def centre_weight(shape: tuple[int, int], width: float = 0.35) -> NDArray[np.float64]:
    """A Gaussian around the middle of the image, `width` of its height and width; not to be written to."""
    y, x = np.ogrid[-0.5 : 0.5 : shape[0] * 1j, -0.5 : 0.5 : shape[1] * 1j]
    weight = np.asarray(np.exp(-((y / width) ** 2) - (x / width) ** 2))
    weight.flags.writeable = False
    return weight


def grow(masks: NDArray[np.bool_], steps: int = 1) -> NDArray[np.bool_]:
    """Grow each mask by as many steps up, down, left and right."""
    frame = frame_of(masks)
    flat = frame.lay(masks)
    for _ in range(steps):
        before = flat.copy()
        for away in (1, frame.wide):  # in the flat array a step is a shift
            flat[away:] |= before[:-away]
            flat[:-away] |= before[away:]
        frame.clear(flat)
    return frame.planes(flat)


def opened(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Drop what is thinner than a cross of five pixels."""
    frame = frame_of(masks)
    flat = frame.lay(masks)
    kept, wide = flat.copy(), frame.wide
    kept[1:] &= flat[:-1]
    kept[:-1] &= flat[1:]
    kept[wide:] &= flat[:-wide]
    kept[:-wide] &= flat[wide:]
    return grow(frame.planes(kept))


def perimeters(masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Length of each mask's border in pixels, (n,), as `skimage.measure.perimeter` with 8 neighbours counts it."""
    frame = frame_of(masks)
    flat, wide = frame.lay(masks), frame.wide
    across = flat.copy()
    across[1:-1] &= flat[:-2] & flat[2:]
    inner = across.copy()
    inner[wide:-wide] &= across[: -2 * wide] & across[2 * wide :]
    border = flat & ~inner
    frame.clear(border)
    at, border = np.flatnonzero(border), border.view(np.uint8)
    sides = border[at - 1] + border[at + 1] + border[at - wide] + border[at + wide]
    corners = border[at - wide - 1] + border[at - wide + 1] + border[at + wide - 1] + border[at + wide + 1]
    lengths = np.bincount(at // frame.size, _STEPS[1 + 2 * sides + 10 * corners], minlength=len(masks))
    return lengths.astype(np.float64)  # without a border pixel at all they would be whole numbers


def central_parts(masks: NDArray[np.bool_], weight: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Of each mask the connected part that gathers the most weight (h, w), without holes; nothing of an empty one."""
    runs = runs_of(masks)
    parts = runs.parts()
    sums = np.bincount(parts, runs.sums(weight))
    mask_of = np.zeros(len(sums), int)
    mask_of[parts] = runs.masks()
    order = np.lexsort((sums, mask_of))
    best = np.zeros(len(sums), bool)
    best[order[np.diff(mask_of[order], append=len(masks)) > 0]] = True  # the last of each mask
    return runs.only(best[parts]).filled()
