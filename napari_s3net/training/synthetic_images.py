"""Synthetic images to learn from, painted by several processes into a folder, where they are kept for the next run."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import InvalidSettingsError
from napari_s3net.phantom.chest_patient import CHEST_PARTS
from napari_s3net.phantom.synthetic_chest import synthetic_chest
from napari_s3net.phantom.synthetic_skin import SKIN_PARTS, synthetic_skin

#: Which images there are to learn from.
SyntheticKind = Literal["skin", "chest"]
KINDS: tuple[SyntheticKind, ...] = get_args(SyntheticKind)
#: Hounsfield units that the darkest and the brightest value of a painted slice stand for.
LOW_HU, HIGH_HU = -1024, 500
#: Images that one process paints at a time.
CHUNK = 32


@dataclass(frozen=True, kw_only=True)
class PaintSource:
    """How the images of one kind are painted and read.

    Attributes
    ----------
    paint : callable
        (seed, size) to an image (S, S, C) uint8, a mask (S, S) and a map of parts (S, S).
    channels : int
        C.
    parts : tuple of str
        What the map of parts counts.
    low, high : float
        The values of a real image that 0 and 255 stand for.
    """

    paint: Callable[[int, int], tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.uint8]]]
    channels: int
    parts: tuple[str, ...]
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class SyntheticSet:
    """Painted images: `images` (N, S, S, C), `masks` (N, S, S) and `parts` (N, S, S), all uint8."""

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    parts: NDArray[np.uint8]

    def __len__(self) -> int:
        """N."""
        return len(self.images)

    def first(self, n: int) -> SyntheticSet:
        """Take the first images with their masks and parts.

        Parameters
        ----------
        n : int
            How many; all where there are fewer.

        Returns
        -------
        SyntheticSet
            Views, no copies.
        """
        return SyntheticSet(self.images[:n], self.masks[:n], self.parts[:n])


def paint_source_of(kind: str) -> PaintSource:
    """Look up how images of a kind are painted.

    Parameters
    ----------
    kind : str
        One of `KINDS`.

    Returns
    -------
    PaintSource
        Painter, channels, parts and range of values.

    Raises
    ------
    InvalidSettingsError
        If there is no such kind.
    """
    if kind not in _SOURCES:
        raise InvalidSettingsError(f"There are synthetic images of {', '.join(_SOURCES)}; got {kind!r}.")
    return _SOURCES[kind]


def iter_paint(
    kind: str, n: int, size: int, folder: Path, *, seed: int = 0, workers: int = 1
) -> Generator[int, bool | None, SyntheticSet]:
    """Paint n images into a folder, or take up where an earlier run was ended.

    Image i has the seed `seed` + i, whichever process paints it.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    n, size : int
        How many, and pixels along each side.
    folder : Path
        Is made; holds `images.npy`, `masks.npy`, `parts.npy`, and `done.npy`, which says what is finished.
    seed : int
        Of the first image.
    workers : int
        Processes; 1 paints in this one.

    Yields
    ------
    int
        How many are finished, from the start without a gap. Answer True to end there.

    Returns
    -------
    SyntheticSet
        Those that are finished.
    """
    source = paint_source_of(kind)
    arrays = _open(folder, {"kind": kind, "n": n, "size": size, "seed": seed}, source.channels)
    done = arrays["done"]
    starts = [start for start in range(0, n, CHUNK) if not done[start : start + CHUNK].all()]
    tasks = [(kind, seed, start, min(CHUNK, n - start), size) for start in starts]
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn")) if workers > 1 else None
    try:
        for task, painted in zip(tasks, (pool.map if pool else map)(_paint_chunk, tasks), strict=True):
            here = slice(task[2], task[2] + task[3])
            arrays["images"][here], arrays["masks"][here], arrays["parts"][here] = painted
            done[here] = True
            if (yield _unbroken(done)):
                break
    finally:
        if pool:
            pool.shutdown(cancel_futures=True)
    return SyntheticSet(arrays["images"], arrays["masks"], arrays["parts"]).first(_unbroken(done))


def _paint_chunk(task: tuple[str, int, int, int, int]) -> tuple[NDArray[np.uint8], ...]:
    """Images, masks and parts of one chunk, painted in a worker process."""
    kind, seed, start, n, size = task
    painted = [paint_source_of(kind).paint(seed + start + i, size) for i in range(n)]
    images, masks, parts = zip(*painted, strict=True)
    return np.stack(images), np.stack(masks).astype(np.uint8), np.stack(parts)


def _open(folder: Path, asked: dict[str, Any], channels: int) -> dict[str, NDArray[Any]]:
    """Arrays on disk for what is asked for: those of an earlier run for the same, or new ones."""
    folder.mkdir(parents=True, exist_ok=True)
    about = folder / "about.json"
    same = about.is_file() and json.loads(about.read_text(encoding="utf-8")) == asked
    n, size = asked["n"], asked["size"]
    shapes = {"images": (n, size, size, channels), "masks": (n, size, size), "parts": (n, size, size), "done": (n,)}
    mode: Literal["r+", "w+"] = "r+" if same else "w+"
    arrays: dict[str, NDArray[Any]] = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", mode, None if same else np.uint8, shape)
        for name, shape in shapes.items()
    }
    about.write_text(json.dumps(asked), encoding="utf-8")
    return arrays


def _unbroken(done: NDArray[Any]) -> int:
    """How many are finished before the first that is not."""
    return len(done) if done.all() else int(np.argmin(done))


def _skin(seed: int, size: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.uint8]]:
    painted = synthetic_skin(seed, size)
    return painted.array, painted.mask, painted.parts


def _chest(seed: int, size: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.uint8]]:
    painted = synthetic_chest(seed, size)
    share = np.clip((painted.array[..., None] - LOW_HU) / (HIGH_HU - LOW_HU), 0, 1)
    return np.round(255 * share).astype(np.uint8), painted.mask, painted.parts


_SOURCES = {
    "skin": PaintSource(paint=_skin, channels=3, parts=SKIN_PARTS, low=0, high=255),
    "chest": PaintSource(paint=_chest, channels=1, parts=CHEST_PARTS, low=LOW_HU, high=HIGH_HU),
}
