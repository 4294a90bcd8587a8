"""How many strokes it takes to a good result: a simulated user corrects, and every method gets the same strokes' rule.

Each round the user puts one disc of the right class in the middle of the largest wrong region, and the method runs
again. The user stops at Dice 0.95, or after `ROUNDS` strokes.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.transform import resize

from napari_s3net.benchmark.baselines import otsu
from napari_s3net.benchmark.cases import Pair, true_mask
from napari_s3net.benchmark.correctors import CORRECTORS, OURS
from napari_s3net.benchmark.csv_table import read_table
from napari_s3net.benchmark.methods import NetworkRuns, version
from napari_s3net.benchmark.summary import interval
from napari_s3net.errors import InvalidImageError, InvalidSettingsError
from napari_s3net.image import Geometry, Image
from napari_s3net.io import read_image
from napari_s3net.labels.metrics import dice
from napari_s3net.preprocessing.suggest import suggest_preset
from napari_s3net.segmentation import segment
from napari_s3net.settings import Settings

Start = Literal["otsu", "s3net"]
CorrectionRow = dict[str, Any]
ROUNDS, GOOD, VERY_GOOD = 20, 0.90, 0.95
#: Radius of a stroke as a share of the longer side, and the longer side at which all is done.
RADIUS, SIZE = 0.015, 256
TEXTS = ("image", "method", "start", "half", "version")
COLUMNS = (*TEXTS, "dice", "lost", "seconds")


@dataclass(frozen=True, eq=False)
class CorrectionCase:
    """An image with its mask and the mask that every method starts from, all at the size of the benchmark.

    Parameters
    ----------
    image : Image
        One plane.
    mask : numpy.ndarray
        (H, W) bool, what somebody drew by hand.
    start : numpy.ndarray
        (H, W) bool, what every method starts from.
    settings : Settings
        Those with which our method runs on the image.
    """

    image: Image
    mask: NDArray[np.bool_]
    start: NDArray[np.bool_]
    settings: Settings


def stroke(prediction: NDArray[np.bool_], mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], bool] | None:
    """Return what the simulated user paints next.

    Parameters
    ----------
    prediction : numpy.ndarray
        (H, W) bool, the mask as it is.
    mask : numpy.ndarray
        (H, W) bool, the mask as it should be.

    Returns
    -------
    (disc, is_object) or None
        A disc (H, W) in the middle of the largest connected part that is wrong in one way, and the right class; None
        where nothing is wrong.
    """
    largest, region, is_object = 0, None, False
    for wrong, kind in ((mask & ~prediction, True), (prediction & ~mask, False)):
        parts, n = ndimage.label(wrong)
        sizes = np.bincount(parts.ravel(), minlength=2)[1:]
        if n and sizes.max() > largest:
            largest, region, is_object = int(sizes.max()), parts == 1 + int(sizes.argmax()), kind
    if region is None:
        return None
    depth = ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    y, x = np.ogrid[: mask.shape[0], : mask.shape[1]]
    return (y - row) ** 2 + (x - column) ** 2 <= (RADIUS * max(mask.shape)) ** 2, is_object


def correct(method: str, case: CorrectionCase, device: str = "auto") -> dict[str, list[float]]:
    """Let the simulated user correct one image with one method.

    Parameters
    ----------
    method : str
        A name in `CORRECTORS`.
    case : CorrectionCase
        The image.
    device : str
        As in `segment`.

    Returns
    -------
    dict
        `dice` before the first stroke and after each; `lost`, the share of the pixels right before a stroke that it
        turned wrong; `seconds` of each re-run.
    """
    corrector = CORRECTORS[method](case.image, case.start, case.settings, device)
    prediction, mask = case.start, case.mask
    strokes = np.zeros(mask.shape, np.uint8)
    found: dict[str, list[float]] = {"dice": [dice(prediction, mask)], "lost": [], "seconds": []}
    while len(found["lost"]) < ROUNDS and found["dice"][-1] < VERY_GOOD:
        painted = stroke(prediction, mask)
        if painted is None:
            break
        disc, is_object = painted
        strokes[disc] = 1 if is_object else 2
        started = time.perf_counter()
        new = corrector.rerun(prediction, strokes)
        found["seconds"].append(time.perf_counter() - started)
        right = prediction == mask
        found["lost"].append(float(np.mean(new[right] != mask[right])))
        found["dice"].append(dice(new, mask))
        prediction = new
    return found


def case_of(pair: Pair, start: Start, runs: NetworkRuns) -> CorrectionCase:
    """Read an image, reduce it, and make what the methods start from.

    Parameters
    ----------
    pair : Pair
        The image and its mask.
    start : {"otsu", "s3net"}
        Start from Otsu's mask, or from our label-free result.
    runs : NetworkRuns
        How the network is to run.

    Returns
    -------
    CorrectionCase
        At that size.

    Raises
    ------
    InvalidImageError
        If it is no plane, or the mask does not have its size.
    """
    image = read_image(pair.image)
    if image.is_stack:
        raise InvalidImageError(f"{pair.name}: expected a plane; got {image.shape}.")
    mask = true_mask(pair, image)
    image, mask = _reduced(image, SIZE), _resized(mask.astype(np.float32), SIZE) > 0.5
    name = suggest_preset(image) if runs.preset == "auto" else runs.preset
    settings = runs.settings("s3net", name, 0)
    if start == "otsu":
        first = otsu(image.array, image.kind).mask
    else:
        first = segment(image, settings=settings, device=runs.device).mask
    return CorrectionCase(image, mask, first, settings)


def iter_correction_rows(
    pairs: Iterable[Pair], methods: list[str], start: Start, runs: NetworkRuns, output: Path
) -> Iterator[CorrectionRow]:
    """Correct every image with every method, and write `interactive.csv`.

    Parameters
    ----------
    pairs : iterable of Pair
        The images.
    methods : list of str
        Names in `CORRECTORS`.
    start : {"otsu", "s3net"}
        As in `case_of`.
    runs : NetworkRuns
        How the network is to run.
    output : Path
        Folder of `interactive.csv`. Rows in it with the same version of the method are not done again.

    Yields
    ------
    dict
        One for each image, so that progress can be shown: its last row, or an empty one where all were there.

    Raises
    ------
    InvalidSettingsError
        If there is no such method.
    InvalidImageError
        As `case_of`.
    """
    if unknown := [name for name in methods if name not in CORRECTORS]:
        raise InvalidSettingsError(f"There is no method {unknown[0]!r}. Methods are: {', '.join(CORRECTORS)}.")
    current = {name: version("s3net" if name in OURS else "otsu") for name in methods}
    path = output / "interactive.csv"
    rows = [row for row in read_correction_rows(path) if current.get(row["method"], row["version"]) == row["version"]]
    done = {(row["image"], row["method"], row["start"]) for row in rows}
    output.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(map(_as_text, rows))
        for pair in pairs:
            left = [name for name in methods if (pair.name, name, start) not in done]
            if not left:
                yield {}
                continue
            case = case_of(pair, start, runs)
            for name in left:
                known = {"image": pair.name, "method": name, "start": start, "half": pair.half}
                row = {**known, "version": current[name], **correct(name, case, runs.device)}
                writer.writerow(_as_text(row))
            file.flush()
            yield row


def read_correction_rows(path: Path) -> list[CorrectionRow]:
    """Read the rows of an `interactive.csv`.

    Parameters
    ----------
    path : Path
        The file; a line that was cut off, or has other columns, is left out.

    Returns
    -------
    list of dict
        By `COLUMNS`, `dice`, `lost` and `seconds` as lists of float; empty where there is no file.
    """
    found = [text for text in read_table(path) if set(text) == set(COLUMNS)]
    return [
        {**{n: t[n] for n in TEXTS}, **{n: [float(v) for v in t[n].split()] for n in ("dice", "lost", "seconds")}}
        for t in found
    ]


def summarise_corrections(rows: list[CorrectionRow]) -> dict[str, Any]:
    """Compute the figures of `summary.json`.

    Parameters
    ----------
    rows : list of dict
        Of `interactive.csv`, all with the same start.

    Returns
    -------
    dict
        For each method `strokes_to_90` and so on, means over images; `halves` holds the same of each half of the set;
        `more_than_s3net` says how many strokes to 0.95 it needs more than "s3net" on the same images, with the interval
        of that mean, and is None for "s3net" itself and without images in common.
    """
    methods = [name for name in CORRECTORS if any(row["method"] == name for row in rows)]
    found = {}
    for name in methods:
        mine = [row for row in rows if row["method"] == name]
        halves = {half: _figures(part) for half in "ab" if (part := [row for row in mine if row["half"] == half])}
        more = _more_strokes(mine, [row for row in rows if row["method"] == "s3net"])
        found[name] = {**_figures(mine), "more_than_s3net": more, "version": mine[0]["version"], "halves": halves}
    return found


def _figures(rows: list[CorrectionRow]) -> dict[str, Any]:
    """Means over images; of seconds and lost pixels, over strokes."""
    strokes = {level: np.array([_reached(row["dice"], level) for row in rows], float) for level in (GOOD, VERY_GOOD)}
    lost, seconds = ([value for row in rows for value in row[name]] for name in ("lost", "seconds"))
    after = {f"dice_after_{n}": float(np.mean([row["dice"][: n + 1][-1] for row in rows])) for n in (1, 3, 5)}
    return {
        "images": len(rows),
        "dice_at_start": float(np.mean([row["dice"][0] for row in rows])),
        "strokes_to_90": float(strokes[GOOD].mean()),
        "strokes_to_95": float(strokes[VERY_GOOD].mean()),
        "strokes_to_95_interval": interval(strokes[VERY_GOOD]),
        "never_95": float(np.mean([max(row["dice"]) < VERY_GOOD for row in rows])),
        **after,
        "seconds_per_rerun": float(np.mean(seconds)) if seconds else None,
        "lost_share": float(np.mean(lost)) if lost else 0.0,
    }


def _more_strokes(rows: list[CorrectionRow], reference: list[CorrectionRow]) -> dict[str, Any] | None:
    """How many strokes to 0.95 one method needs more than another, image by image."""
    known = {row["image"]: _reached(row["dice"], VERY_GOOD) for row in reference if row["method"] != rows[0]["method"]}
    more = [_reached(row["dice"], VERY_GOOD) - known[row["image"]] for row in rows if row["image"] in known]
    return {"mean": float(np.mean(more)), "interval": interval(np.array(more, float))} if more else None


def _reached(scores: list[float], level: float) -> int:
    """Strokes until a level of Dice; `ROUNDS` where it is never reached."""
    return next((n for n, score in enumerate(scores) if score >= level), ROUNDS)


def _reduced(image: Image, size: int) -> Image:
    """The image with its longer side at `size`, and values of the type they had."""
    array = _resized(image.array.astype(np.float32), size)
    if image.array.dtype.kind in "iu":
        array = np.round(array).astype(image.array.dtype)
    return Image(array, Geometry.identity(2), image.kind, image.name)


def _resized(array: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    factor = size / max(array.shape[:2])
    shape = tuple(round(n * factor) for n in array.shape[:2])
    return np.asarray(resize(array, (*shape, *array.shape[2:]), order=1, anti_aliasing=factor < 1), np.float32)


def _as_text(row: CorrectionRow) -> CorrectionRow:
    return {name: " ".join(f"{v:.5g}" for v in row[name]) if isinstance(row[name], list) else row[name] for name in row}
