"""Run methods over a folder with `images/` and `masks/`, one row an image, method and seed. Resumable."""

from __future__ import annotations

import csv
import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_s3net.benchmark.baselines import MethodResult
from napari_s3net.benchmark.cases import BenchmarkCase, Pair, mask_path, true_mask
from napari_s3net.benchmark.csv_table import write_table
from napari_s3net.benchmark.folder_fit import folder_model_of
from napari_s3net.benchmark.memory import peak_mib, reset_peak
from napari_s3net.benchmark.methods import FOLDER, NetworkRuns, chosen, digest, run_method, seeds_of, version
from napari_s3net.benchmark.results import COLUMNS, KEY, BenchmarkRow, key, read_rows
from napari_s3net.errors import DeviceError, InvalidImageError, InvalidSettingsError, S3NetError
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


def plan(
    pairs: list[Pair], methods: Iterable[str], runs: NetworkRuns, output: Path, *, seeds: int = 1
) -> tuple[list[BenchmarkCase], list[BenchmarkRow]]:
    """Find out what is still to do, and write `results.csv` anew with the rows that still hold.

    Rows of other methods stay; those of the methods asked for stay when settings and version are the same and the run
    did not fail.

    Parameters
    ----------
    pairs : list of Pair
        The images, at least one; the first tells the kind of all.
    methods : iterable of str
        As asked for; see `chosen`.
    runs : NetworkRuns
        How networks are to run.
    output : Path
        Folder of the results.
    seeds : int
        How many seeds networks run with.

    Returns
    -------
    cases : list of BenchmarkCase
        What is to do, method by method.
    rows : list of dict
        What stays as it is.

    Raises
    ------
    InvalidSettingsError
        If there is no such method.
    """
    names = chosen(methods, read_image(pairs[0].image).kind)
    current = {name: (digest(name, runs), version(name)) for name in names}
    rows = [row for row in read_rows(output / "results.csv") if _stays(row, current)]
    done = {key(row) for row in rows}
    cases = [
        BenchmarkCase(pair, name, seed, runs, output, *current[name])
        for name in names
        for seed in seeds_of(name, seeds)
        for pair in pairs
    ]
    write_table(output / "results.csv", COLUMNS, rows)
    return [case for case in cases if case.key not in done], rows


def _stays(row: BenchmarkRow, current: Mapping[str, tuple[str, str]]) -> bool:
    """Whether a row needs no new run."""
    made = (row["settings"], row["version"])
    return not row["error"] and current.get(row["method"], made) == made


def iter_rows(cases: list[BenchmarkCase], *, jobs: int = 1) -> Iterator[BenchmarkRow]:
    """Do the cases, here or in several processes, and write each row to `results.csv`.

    Parameters
    ----------
    cases : list of BenchmarkCase
        From `plan`.
    jobs : int
        Processes; they share the cores.

    Yields
    ------
    dict
        Each row once it is in the file; with several processes in the order in which they end.

    Raises
    ------
    S3NetError
        If an image or its mask cannot be read, or the device is not there. A method that fails on an image has a row of
        its own, with the reason.
    """
    if not cases:
        return
    with (cases[0].output / "results.csv").open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        for row in map(run_case, cases) if jobs <= 1 else _in_processes(cases, jobs):
            writer.writerow(row)
            file.flush()
            yield row


def run_case(case: BenchmarkCase) -> BenchmarkRow:
    """Segment one image with one method, write the mask, and measure.

    Parameters
    ----------
    case : BenchmarkCase
        What to do.

    Returns
    -------
    dict
        A row by `COLUMNS`. A method that fails has an empty mask, its scores, and the reason in `error`.

    Raises
    ------
    InvalidImageError
        If the image is no plane, or the mask does not have its size.
    DeviceError, InvalidSettingsError
        If device or settings cannot be used, for they are the same for every image.
    """
    image = read_image(case.pair.image)
    if image.is_stack:
        raise InvalidImageError(f"{case.pair.name}: expected a plane; got {image.shape}.")
    mask = true_mask(case.pair, image)
    labels, prediction, error = np.zeros(mask.shape, np.int32), np.zeros(mask.shape, bool), ""
    reset_peak()
    started = time.perf_counter()
    try:
        if case.method == FOLDER:
            segmentation = folder_model_of(case).segment(image)
            result = MethodResult(segmentation.labels, segmentation.mask)
        else:
            result = run_method(case.method, image, case.seed, case.runs)
        labels, prediction = result.labels, result.mask
    except (DeviceError, InvalidSettingsError):  # wrong for every image
        raise
    except S3NetError as failure:
        error = " ".join(str(failure).split())
    seconds, memory = time.perf_counter() - started, peak_mib()
    write_labels(mask_path(case.output, *case.key), prediction, image.geometry, mask=True)
    return {
        **dict(zip(KEY, case.key, strict=True)),
        "half": case.pair.half,
        "settings": case.settings,
        "version": case.version,
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
    """Compute every score in each of the three views: label-free, best clusters, published clipping.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W) int32, the clusters of a method.
    prediction : numpy.ndarray
        (H, W) bool, the object that it proposes; clipping takes it as one cluster.
    mask : numpy.ndarray
        (H, W) bool, drawn by hand.
    image : Image
        Its spacing gives boundary distances in mm, or in pixels where it has none.

    Returns
    -------
    dict of str to float
        By names like "label_free_dice"; see `VIEWS` and `SCORES`.
    """
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


def _in_processes(cases: list[BenchmarkCase], jobs: int) -> Iterator[BenchmarkRow]:
    """Rows as they come from several processes."""
    threads = max(1, (os.cpu_count() or 1) // jobs)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _limit_threads, (threads,)) as pool:
        try:
            for future in as_completed([pool.submit(run_case, case) for case in cases]):
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
