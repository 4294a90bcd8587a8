"""The cases of a benchmark: images with the masks that somebody drew for them, and one case for each row to fill."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_s3net.benchmark.methods import NetworkRuns
from napari_s3net.errors import ReadError, UnsupportedFormatError
from napari_s3net.io import read_image, read_labels

Half = Literal["a", "b"]
#: Endings that a mask's name may have beside its image's.
MASK_ENDINGS = ("", "_mask", "_labels", "_segmentation", "_lesion")


@dataclass(frozen=True)
class Pair:
    """An image file and the mask that somebody drew for it; `name` is the image's stem."""

    name: str
    image: Path
    mask: Path

    @property
    def half(self) -> Half:
        """Which half of the set it belongs to, by a hash of its name: one to tune on, one to check with."""
        return "a" if hashlib.sha256(self.name.encode()).digest()[0] % 2 else "b"


@dataclass(frozen=True)
class BenchmarkCase:
    """One image, method and seed to run: a row of the results that is not there yet.

    Parameters
    ----------
    pair : Pair
        The image and its mask.
    method : str
        A name in `BASELINES` or `NETWORKS`.
    seed : int
        Of networks; plain methods do not use it.
    runs : NetworkRuns
        How networks are to run.
    output : Path
        Folder of the results.
    settings, version : str
        `digest` and `version` of the method, which tell later whether the row still holds.
    """

    pair: Pair
    method: str
    seed: int
    runs: NetworkRuns
    output: Path
    settings: str
    version: str

    @property
    def key(self) -> tuple[str, str, int]:
        """Image, method and seed, which tell its row from others."""
        return self.pair.name, self.method, self.seed


def case_stem(path: Path) -> str:
    """Return a file's name without its suffix; .nii.gz is one suffix.

    Parameters
    ----------
    path : Path
        The file; it need not exist.

    Returns
    -------
    str
        What images and masks are matched by.
    """
    return path.name[:-7] if path.name.lower().endswith(".nii.gz") else path.stem


def find_pairs(folder: Path, *, half: Half | None = None, limit: int | None = None) -> list[Pair]:
    """Find images and their masks in a folder.

    Parameters
    ----------
    folder : Path
        With `images/` and `masks/`; a mask has its image's stem, or that and one of `MASK_ENDINGS`.
    half : {"a", "b"}, optional
        Only one half of the set.
    limit : int, optional
        Only this many cases, from the first on.

    Returns
    -------
    list of Pair
        By the names of the images, at least one.

    Raises
    ------
    ReadError
        If a folder is missing or empty, or an image has no mask.
    """
    for name in ("images", "masks"):
        if not (folder / name).is_dir():
            raise ReadError(f"Expected a folder with images/ and masks/; there is no {name}/ in {folder}.")
    masks = {case_stem(path): path for path in _files(folder / "masks")}
    pairs = []
    for image in _files(folder / "images"):
        mask = next((masks[case_stem(image) + end] for end in MASK_ENDINGS if case_stem(image) + end in masks), None)
        if mask is None:
            raise ReadError(f"{image.name} has no mask: expected a file {case_stem(image)}.* in {folder / 'masks'}.")
        pairs.append(Pair(case_stem(image), image, mask))
    pairs = [pair for pair in pairs if half in (None, pair.half)][:limit]
    if not pairs:
        raise ReadError(f"There are no images to run in {folder / 'images'}.")
    return pairs


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Read a mask file.

    Parameters
    ----------
    path : Path
        Labels of any format; of what is an image in colours, or packed as JPEG, the first channel counts.

    Returns
    -------
    numpy.ndarray
        (H, W) bool, True where the value is above 0.
    """
    try:
        return np.asarray(read_labels(path).array > 0)
    except UnsupportedFormatError:
        image = read_image(path)
    return np.asarray((image.array[..., 0] if image.kind == "rgb" else image.array) > 0)


def mask_path(output: Path, name: str, method: str, seed: int) -> Path:
    """Return where the mask that a method proposes is written.

    Parameters
    ----------
    output : Path
        Folder of the results.
    name : str
        The image's stem.
    method : str
        Name of the method.
    seed : int
        Of the run.

    Returns
    -------
    Path
        `masks/METHOD/seedN/NAME.png` below the output folder; it need not exist.
    """
    return output / "masks" / method.replace(":", "_") / f"seed{seed}" / f"{name}.png"


def _files(folder: Path) -> list[Path]:
    """The files of a folder by name, without hidden ones."""
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
