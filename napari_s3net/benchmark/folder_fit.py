"""Folder mode in the benchmark: one model for all images of a set, fitted before any of them is measured."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_s3net.benchmark.cases import BenchmarkCase, Pair
from napari_s3net.benchmark.methods import FOLDER, folder_settings
from napari_s3net.io import read_image
from napari_s3net.training.sampling import evenly_spaced

if TYPE_CHECKING:
    from napari_s3net.image import Image
    from napari_s3net.training.folder import FolderModel


def fit_models(pairs: list[Pair], cases: list[BenchmarkCase]) -> None:
    """Fit the models that the cases need and that are not there yet, without masks, and write them.

    Parameters
    ----------
    pairs : list of Pair
        The whole set; images spread evenly over it are fitted on.
    cases : list of BenchmarkCase
        Those with the method "s3net:folder" need a model, one a seed.

    Raises
    ------
    S3NetError
        As `fit_folder`.
    """
    from tqdm import tqdm

    from napari_s3net.training.folder import fit_folder

    wanted = {model_path(case): case for case in cases if case.method == FOLDER}
    for path, case in wanted.items():
        if path.exists():
            continue
        paths = [pair.image for pair in evenly_spaced(pairs)]
        settings = folder_settings(case.runs, read_image(paths[0]), case.seed)
        with tqdm(total=len(paths), unit="image", desc="fitting", disable=None) as bar:
            fit_folder(_counted((read_image(path) for path in paths), bar), settings).save(path)


def _counted(images: Iterator[Image], bar: Any) -> Iterator[Image]:
    for image in images:
        yield image
        bar.update()


def folder_model_of(case: BenchmarkCase) -> FolderModel:
    """Load the model of a case, and keep it in memory for the next.

    Parameters
    ----------
    case : BenchmarkCase
        With the method "s3net:folder".

    Returns
    -------
    FolderModel
        As `fit_models` wrote it.
    """
    return _load(model_path(case))


def model_path(case: BenchmarkCase) -> Path:
    """Return where the model of a case lies.

    Parameters
    ----------
    case : BenchmarkCase
        With the method "s3net:folder".

    Returns
    -------
    Path
        In the output folder; another name for other settings, source code or seed.
    """
    return case.output / f"folder-{case.settings}-{case.version.rpartition('+')[2]}-seed{case.seed}.safetensors"


@lru_cache(maxsize=2)
def _load(path: Path) -> FolderModel:
    from napari_s3net.training.folder import load_folder_model

    return load_folder_model(path)
