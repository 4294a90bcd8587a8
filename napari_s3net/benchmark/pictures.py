"""Pictures of the best, the median and the worst images of a run, in the run's own folder."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.transform import resize

from napari_s3net.benchmark.cases import Pair, mask_path, read_mask, true_mask
from napari_s3net.benchmark.results import BenchmarkRow
from napari_s3net.image import Image
from napari_s3net.io import read_image, write_png

#: Longer side of a picture, in pixels.
SIZE = 400
#: Outlines: what was drawn by hand, and what the method proposes.
DRAWN, PROPOSED = (255, 255, 255), (255, 0, 160)
RANKS = ("best", "median", "worst")


def draw_pages(rows: list[BenchmarkRow], pairs: list[Pair], output: Path) -> Path:
    """Write `page.html` with three pictures for each method, and the pictures beside it.

    Parameters
    ----------
    rows : list of dict
        Of `results.csv`; only first seeds are shown.
    pairs : list of Pair
        Where the images are.
    output : Path
        Folder of the results.

    Returns
    -------
    Path
        The page.
    """
    known = {pair.name: pair for pair in pairs}
    parts = []
    for method in dict.fromkeys(row["method"] for row in rows):
        mine = [row for row in rows if row["method"] == method and row["seed"] == 0 and row["image"] in known]
        cells = [_cell(row, rank, known[row["image"]], output) for rank, row in _ranked(mine)]
        parts.append(f"<h2>{escape(method)}</h2>\n" + "\n".join(cells))
    legend = "White: the mask drawn by hand. Magenta: what the method proposes, label-free."
    text = f'<!doctype html><meta charset="utf-8"><title>Benchmark</title>\n<p>{legend}</p>\n' + "\n".join(parts)
    (output / "page.html").write_text(text + "\n", encoding="utf-8")
    return output / "page.html"


def outlined(image: Image, mask: NDArray[np.bool_], proposal: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Draw an image with two outlines.

    Parameters
    ----------
    image : Image
        One plane.
    mask : numpy.ndarray
        (H, W) bool, drawn by hand: outlined in white.
    proposal : numpy.ndarray
        (H, W) bool, what a method proposes: outlined in magenta.

    Returns
    -------
    numpy.ndarray
        (h, w, 3) uint8, the longer side at most `SIZE`.
    """
    factor = min(1.0, SIZE / max(image.shape))
    shape = tuple(max(1, round(n * factor)) for n in image.shape)
    low, high = np.percentile(image.array, (0.5, 99.5))
    unit = np.clip((image.array.astype(np.float32) - low) / max(high - low, 1e-6), 0, 1)
    unit = unit if image.kind == "rgb" else np.repeat(unit[..., None], 3, axis=2)
    picture: NDArray[Any] = (255 * resize(unit, (*shape, 3), anti_aliasing=True)).astype(np.uint8)
    for region, colour in ((mask, DRAWN), (proposal, PROPOSED)):
        small = resize(region.astype(np.float32), shape, order=1) > 0.5
        picture[small & ~ndimage.binary_erosion(small, iterations=2)] = colour
    return picture


def _ranked(rows: list[BenchmarkRow]) -> list[tuple[str, BenchmarkRow]]:
    """The best, the median and the worst row by label-free Dice."""
    order = sorted(rows, key=lambda row: -row["label_free_dice"])
    return [(rank, order[i]) for rank, i in zip(RANKS, (0, len(order) // 2, -1), strict=True)] if order else []


def _cell(row: BenchmarkRow, rank: str, pair: Pair, output: Path) -> str:
    """Write a picture and give the HTML that shows it."""
    path = output / "pictures" / f"{row['method'].replace(':', '_')}_{rank}.png"
    proposal = read_mask(mask_path(output, row["image"], row["method"], row["seed"]))
    image = read_image(pair.image)
    write_png(path, outlined(image, true_mask(pair, image), proposal))
    caption = f"{rank}: {escape(row['image'])}, Dice {row['label_free_dice']:.3f}"
    picture = f'<img src="pictures/{path.name}" alt="">'
    return f'<figure style="display:inline-block">{picture}<figcaption>{caption}</figcaption></figure>'
