"""The cases of a benchmark: images with the masks that somebody drew for them, and one case for each row to fill."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_s3net.benchmark.methods import NetworkRuns
from napari_s3net.errors import InvalidImageError, ReadError, UnsupportedFormatError
from napari_s3net.image import Geometry, Image
from napari_s3net.io import read_image, read_labels
from napari_s3net.io.on_image import labels_on
from napari_s3net.io.validation.headers import is_readable

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
        If a folder is missing or empty, an image has no mask or several, or two images have one stem, by which results
        are told apart.
    """
    for name in ("images", "masks"):
        if not (folder / name).is_dir():
            raise ReadError(f"Expected a folder with images/ and masks/; there is no {name}/ in {folder}.")
    masks = _by_stem(_files(folder / "masks"))
    pairs = []
    for name, images in _by_stem(_files(folder / "images")).items():
        its = [mask for end in MASK_ENDINGS for mask in masks.get(name + end, ())]
        if not its:
            raise ReadError(f"{images[0].name} has no mask: expected a file {name}.* in {folder / 'masks'}.")
        for what, files in (("images", images), ("masks", its)):
            if len(files) > 1:
                named = ", ".join(path.name for path in files)
                raise ReadError(f"Expected one file of {what} called {name}; {folder / what} has {named}. Keep one.")
        pairs.append(Pair(name, images[0], its[0]))
    pairs = [pair for pair in pairs if half in (None, pair.half)][:limit]
    if not pairs:
        raise ReadError(f"There are no images to run in {folder / 'images'}.")
    return pairs


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Read a mask that a method proposed.

    Parameters
    ----------
    path : Path
        As `mask_path` has it.

    Returns
    -------
    numpy.ndarray
        (H, W) bool, True where the value is above 0.
    """
    return np.asarray(read_labels(path).array > 0)


def true_mask(pair: Pair, image: Image) -> NDArray[np.bool_]:
    """Read the mask that somebody drew, on its image.

    Parameters
    ----------
    pair : Pair
        Its file: labels of any format. Of what is an image in colours, or packed as JPEG, the first channel counts.
    image : Image
        What `pair.image` holds.

    Returns
    -------
    numpy.ndarray
        (H, W) bool, of the image's shape: True where there is a label; of an image where it has more than half of its
        largest value, for JPEG leaves small ones around a region.

    Raises
    ------
    InvalidImageError
        If it does not fit its image, see `labels_on`.
    """
    mask, geometry = _drawn(pair.mask)
    try:
        return labels_on(image, mask, geometry)
    except InvalidImageError as error:
        raise InvalidImageError(
            f"{pair.name}: expected a plane and a mask that lies on it; got {image.shape} and {mask.shape}. {error}"
        ) from error


def _drawn(path: Path) -> tuple[NDArray[np.bool_], Geometry]:
    """A mask as its file has it, and where it lies."""
    with suppress(UnsupportedFormatError):
        labels = read_labels(path)
        return labels.array > 0, labels.geometry
    image = read_image(path)
    values = image.array[..., 0] if image.kind == "rgb" else image.array
    return 2 * values.astype(float) > values.max(), image.geometry


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


def _by_stem(files: list[Path]) -> dict[str, list[Path]]:
    """The images among files by their stems; of a .hdr with its .img the header."""
    found: dict[str, list[Path]] = {}
    for path in files:
        if is_readable(path) and not (path.suffix.lower() == ".img" and path.with_suffix(".hdr").is_file()):
            found.setdefault(case_stem(path), []).append(path)
    return found


def _files(folder: Path) -> list[Path]:
    """The files of a folder by name, without hidden ones."""
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
