"""Run methods over a folder with `images/` and `masks/`, one row an image, method and seed. Resumable."""

from __future__ import annotations

import csv
import hashlib
import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_s3net.benchmark.baselines import Proposal
from napari_s3net.benchmark.folder_fit import load_model
from napari_s3net.benchmark.memory import peak_mib, reset_peak
from napari_s3net.benchmark.methods import FOLDER, Request, chosen, digest, predict, seeds_of, version
from napari_s3net.benchmark.results import COLUMNS, KEY, Row, key, read_rows, write_rows
from napari_s3net.errors import DeviceError, InvalidImageError, InvalidSettingsError, ReadError, S3NetError
from napari_s3net.image import Image
from napari_s3net.io import read_image, write_labels
from napari_s3net.labels.metrics import (
    best_clusters,
    dice,
    hammoude,
    mean_boundary_distance,
    published_clipping,
    xor_ratio,
)

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
class Task:
    """One row to fill."""

    pair: Pair
    method: str
    seed: int
    request: Request
    output: Path
    settings: str
    version: str

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells its row from others."""
        return self.pair.name, self.method, self.seed


def stem(path: Path) -> str:
    """A file's name without its suffix; .nii.gz is one suffix."""
    return path.name[:-7] if path.name.lower().endswith(".nii.gz") else path.stem


def find_pairs(folder: Path, *, half: Half | None = None, limit: int | None = None) -> list[Pair]:
    """Images with their masks, by name.

    Parameters
    ----------
    folder : Path
        With `images/` and `masks/`; a mask has its image's stem, or that and "_mask", "_segmentation" or "_lesion".
    half : {"a", "b"}, optional
        Only one half of the set.
    limit : int, optional
        Only the first so many.

    Raises
    ------
    ReadError
        If a folder is missing or empty, or an image has no mask.
    """
    for name in ("images", "masks"):
        if not (folder / name).is_dir():
            raise ReadError(f"Expected a folder with images/ and masks/; there is no {name}/ in {folder}.")
    masks = {stem(path): path for path in _files(folder / "masks")}
    pairs = []
    for image in _files(folder / "images"):
        mask = next((masks[stem(image) + end] for end in MASK_ENDINGS if stem(image) + end in masks), None)
        if mask is None:
            raise ReadError(f"{image.name} has no mask: expected a file {stem(image)}.* in {folder / 'masks'}.")
        pairs.append(Pair(stem(image), image, mask))
    pairs = [pair for pair in pairs if half in (None, pair.half)][:limit]
    if not pairs:
        raise ReadError(f"There are no images to run in {folder / 'images'}.")
    return pairs


def plan(
    pairs: list[Pair], methods: Iterable[str], request: Request, output: Path, *, seeds: int = 1
) -> tuple[list[Task], list[Row]]:
    """What is still to do, and the rows that stay as they are.

    Rows of other methods stay; those of the methods asked for stay when settings and version are the same. The file
    `results.csv` is written anew without the others.
    """
    names = chosen(methods, read_image(pairs[0].image).kind)
    current = {name: (digest(name, request), version(name)) for name in names}
    rows = [row for row in read_rows(output / "results.csv") if _stays(row, current)]
    done = {key(row) for row in rows}
    tasks = [
        Task(pair, name, seed, request, output, *current[name])
        for name in names
        for seed in seeds_of(name, seeds)
        for pair in pairs
    ]
    write_rows(output / "results.csv", rows)
    return [task for task in tasks if task.key not in done], rows


def _stays(row: Row, current: Mapping[str, tuple[str, str]]) -> bool:
    """Whether a row needs no new run."""
    made = (row["settings"], row["version"])
    return not row["error"] and current.get(row["method"], made) == made


def iter_rows(tasks: list[Task], *, jobs: int = 1) -> Iterator[Row]:
    """Do the tasks, here or in several processes, and give each row once it is in `results.csv`.

    Parameters
    ----------
    tasks : list of Task
        From `plan`.
    jobs : int
        Processes; they share the cores.

    Raises
    ------
    S3NetError
        If an image or its mask cannot be read, or the device is not there. A method that fails on an image has a row of
        its own, with the reason.
    """
    if not tasks:
        return
    with (tasks[0].output / "results.csv").open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        for row in map(run_task, tasks) if jobs <= 1 else _in_processes(tasks, jobs):
            writer.writerow(row)
            file.flush()
            yield row


def run_task(task: Task) -> Row:
    """Segment one image with one method, write the mask, and measure."""
    image, mask = read_image(task.pair.image), read_mask(task.pair.mask)
    if image.is_stack or image.shape != mask.shape:
        raise InvalidImageError(
            f"{task.pair.name}: expected a plane and a mask of its size; got {image.shape} and {mask.shape}."
        )
    labels, prediction, error = np.zeros(mask.shape, np.int32), np.zeros(mask.shape, bool), ""
    reset_peak()
    started = time.perf_counter()
    try:
        if task.method == FOLDER:
            result = load_model(task).segment(image)
            proposal = Proposal(result.labels, result.mask)
        else:
            proposal = predict(task.method, image, task.seed, task.request)
        labels, prediction = proposal.labels, proposal.mask
    except (DeviceError, InvalidSettingsError):  # wrong for every image
        raise
    except S3NetError as failure:
        error = " ".join(str(failure).split())
    seconds, memory = time.perf_counter() - started, peak_mib()
    write_labels(mask_path(task.output, *task.key), prediction, image.geometry, mask=True)
    return {
        **dict(zip(KEY, task.key, strict=True)),
        "half": task.pair.half,
        "settings": task.settings,
        "version": task.version,
        "unit": image.geometry.unit,
        "labels": len(np.unique(labels)),
        "error": error,
        "seconds": seconds,
        "peak_mib": memory,
        **score(labels, prediction, mask, image),
    }


def score(
    labels: NDArray[np.int32], prediction: NDArray[np.bool_], mask: NDArray[np.bool_], image: Image
) -> dict[str, float]:
    """Every score of every view, by names like "label_free_dice". Clipping takes the object as one cluster."""
    spacing = image.geometry.spacing
    clipped, small = published_clipping(np.where(prediction, labels.max() + 1, labels), mask)
    shrunk = tuple(s * n / m for s, n, m in zip(spacing, mask.shape, small.shape, strict=True))
    views = {
        "label_free": (prediction, mask, spacing),
        "best_clusters": (np.isin(labels, best_clusters(labels, mask)), mask, spacing),
        "clipped": (clipped, small, shrunk),
    }
    measures = {"dice": dice, "hammoude": hammoude, "xor": xor_ratio}
    scores = {
        f"{view}_{name}": measure(a, b) for view, (a, b, _) in views.items() for name, measure in measures.items()
    }
    return scores | {f"{view}_boundary": mean_boundary_distance(a, b, at) for view, (a, b, at) in views.items()}


def read_mask(path: Path) -> NDArray[np.bool_]:
    """A mask file as bool: everything that is not 0; of colours the first."""
    image = read_image(path)
    array = image.array[..., 0] if image.kind == "rgb" else image.array
    return np.asarray(array > 0)


def mask_path(output: Path, name: str, method: str, seed: int) -> Path:
    """Where the mask that a method proposes is written."""
    return output / "masks" / method.replace(":", "_") / f"seed{seed}" / f"{name}.png"


def _in_processes(tasks: list[Task], jobs: int) -> Iterator[Row]:
    """Rows as they come from several processes."""
    threads = max(1, (os.cpu_count() or 1) // jobs)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _limit_threads, (threads,)) as pool:
        try:
            for future in as_completed([pool.submit(run_task, task) for task in tasks]):
                yield future.result()
        except BrokenProcessPool:
            raise S3NetError(
                "A process ended by itself, perhaps for want of memory. Use fewer --jobs; what is done stays."
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _limit_threads(threads: int) -> None:
    """Leave the other processes their cores; torch reads this when it is first imported."""
    os.environ["OMP_NUM_THREADS"] = str(threads)


def _files(folder: Path) -> list[Path]:
    """The files of a folder by name, without hidden ones."""
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
