"""Folder mode in the benchmark: one model for all images of a set, fitted before any of them is measured."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_s3net.benchmark.methods import FOLDER, folder_settings
from napari_s3net.io import read_image
from napari_s3net.training.sampling import evenly_spaced

if TYPE_CHECKING:
    from napari_s3net.benchmark.protocol import Pair, Task
    from napari_s3net.image import Image
    from napari_s3net.training.folder import FolderModel


def fit_models(pairs: list[Pair], tasks: list[Task]) -> None:
    """Fit the models that the tasks need and that are not there: one a seed, on every image of the set, without masks.

    Raises
    ------
    S3NetError
        As `fit_folder`.
    """
    from tqdm import tqdm

    from napari_s3net.training.folder import fit_folder

    wanted = {model_path(task): task for task in tasks if task.method == FOLDER}
    for path, task in wanted.items():
        if path.exists():
            continue
        paths = [pair.image for pair in evenly_spaced(pairs)]
        settings = folder_settings(task.request, read_image(paths[0]), task.seed)
        with tqdm(total=len(paths), unit="image", desc="fitting", disable=None) as bar:
            fit_folder(_counted((read_image(path) for path in paths), bar), settings).save(path)


def _counted(images: Iterator[Image], bar: Any) -> Iterator[Image]:
    for image in images:
        yield image
        bar.update()


def load_model(task: Task) -> FolderModel:
    """The model of a task, kept in memory for the next."""
    return _load(model_path(task))


def model_path(task: Task) -> Path:
    """Where the model that fits a task lies: another for other settings, source or seed."""
    return task.output / f"folder-{task.settings}-{task.version.rpartition('+')[2]}-seed{task.seed}.safetensors"


@lru_cache(maxsize=2)
def _load(path: Path) -> FolderModel:
    from napari_s3net.training.folder import load_folder_model

    return load_folder_model(path)
