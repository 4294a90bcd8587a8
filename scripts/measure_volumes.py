"""Measure volumes that have masks: Dice in 3-D, how alike labels are in neighbouring slices, seconds, memory.

    python scripts/measure_volumes.py CT MASK [CT MASK …] [--mode volume|slices] [--threads N]

Each is a file that `read_image` opens; what the mask holds above 0 is the object. Or, with no masks, a generated CT of
any depth, for time and memory:

    python scripts/measure_volumes.py --generated 1000

Or a folder of ACDC, volumes of the heart with a mask each: whether labels that are written lie where the image does,
how alike they are in neighbouring slices, and what is proposed as the object:

    python scripts/measure_volumes.py --heart FOLDER
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import nibabel
import numpy as np
import torch
from numpy.typing import NDArray

from napari_s3net import phantom
from napari_s3net.export.result import write_result
from napari_s3net.image import Geometry, Image
from napari_s3net.io import read_image
from napari_s3net.result import Segmentation
from napari_s3net.volume.whole import MODES, segment_volume

#: As ACDC numbers it.
LEFT_VENTRICLE = 3


def label_consistency(result: Segmentation) -> dict[int, float]:
    """The mean Dice of each label between neighbouring slices that both have it."""
    found: dict[int, list[float]] = {}
    for one, other in zip(result.labels, result.labels[1:], strict=False):
        a, b = np.bincount(one.ravel(), minlength=99), np.bincount(other.ravel(), minlength=99)
        same = np.bincount(one[one == other].ravel(), minlength=99)
        for label in np.flatnonzero((a > 0) & (b > 0)).tolist():
            if label:
                found.setdefault(label, []).append(2 * same[label] / (a[label] + b[label]))
    return {label: float(np.mean(values)) for label, values in sorted(found.items())}


def dice_3d(result: Segmentation, mask: NDArray[np.bool_]) -> float:
    """Of the object, slice by slice to spare memory."""
    both = total = 0
    for labels, true in zip(result.labels, mask, strict=True):
        found = np.isin(labels, result.foreground)
        both, total = both + int((found & true).sum()), total + int(found.sum()) + int(true.sum())
    return 2 * both / max(1, total)


def generated(depth: int, folder: Path) -> Image:
    """A CT on the disk: one slice of a synthetic chest, shifted and with other noise in each slice."""
    chest = phantom.chest_ct(seed=0).image.array
    array = np.lib.format.open_memmap(folder / "ct.npy", "w+", np.int16, (depth, *chest.shape))
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 15, chest.shape).astype(np.int16)
    for index in range(depth):
        moved = np.roll(chest, (index % 7, index % 5), (0, 1))
        array[index] = np.clip(moved + np.roll(noise, index, 0), -1000, 3000)
    geometry = Geometry((1.0, 0.75, 0.75), (0.0,) * 3, Geometry.identity(3).direction)
    return Image(np.load(folder / "ct.npy", mmap_mode="r"), geometry, "ct", f"generated-{depth}")


def images(options: argparse.Namespace, folder: Path) -> Iterator[tuple[Image, NDArray[np.bool_] | None]]:
    if options.generated:
        yield generated(options.generated, folder), None
    for image, mask in zip(options.files[::2], options.files[1::2], strict=True):
        yield read_image(image), read_image(mask).array > 0


def alike(labels: NDArray[np.integer], ids: NDArray[np.integer]) -> float:
    """The mean Dice between neighbouring slices of labels that both have."""
    found = [
        2 * int(((one == i) & (other == i)).sum()) / int((one == i).sum() + (other == i).sum())
        for one, other in pairwise(labels)
        for i in ids
        if (one == i).any() and (other == i).any()
    ]
    return float(np.mean(found))


def heart(folder: Path, written: Path) -> None:
    """One line for each volume of ACDC, and the mean of all."""
    print("volume               same place   labels alike, true   object in slices   share   Dice with left ventricle")
    rows = []
    for path in sorted(folder.glob("patient*_frame??.nii.gz")):
        image, mask = read_image(path), read_image(path.with_name(path.name.replace(".nii", "_gt.nii"))).array
        result = segment_volume(image)
        write_result(written, "labels", image, result)
        source, back = nibabel.load(path), nibabel.load(next(written.glob("labels*labels.nii.gz")))
        same = source.shape == back.shape and np.allclose(source.affine, back.affine, atol=1e-5)
        shown, true = result.mask.any(axis=(1, 2)), mask == LEFT_VENTRICLE
        both = result.mask[shown].sum() + true[shown].sum()
        overlap = 2 * (result.mask & true)[shown].sum() / both if shown.any() else np.nan
        ids = np.arange(1, result.labels.max() + 1)
        rows.append(
            (same, alike(result.labels, ids), alike(mask, np.arange(1, 4)), shown.any(), result.mask.mean(), overlap)
        )
        _, ours, theirs, _, share, _ = rows[-1]
        print(
            f"{path.name[:18]:20s} {'yes' if same else 'NO':10s}   {ours:.3f}  {theirs:.3f}   "
            f"{shown.sum()} of {len(shown)}   {100 * share:.1f} %   {overlap:.2f}",
            flush=True,
        )
    same, ours, theirs, shown, share, overlap = np.array(rows, float).T
    print(
        f"{len(rows)} volumes: same place {int(same.sum())}; alike {ours.mean():.3f} (least {ours.min():.3f}), true "
        f"{theirs.mean():.3f}; object in {int(shown.sum())}, share of these: mean {100 * share[shown > 0].mean():.1f}, "
        f"most {100 * share.max():.1f} %, Dice {np.nanmean(overlap):.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--mode", choices=MODES, default="volume")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--generated", type=int, metavar="DEPTH", default=0)
    parser.add_argument("--heart", type=Path, metavar="FOLDER", help="a folder of ACDC")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.heart:
        with tempfile.TemporaryDirectory() as folder:
            heart(options.heart, Path(folder))
        return
    print("image        Dice   labels alike (mean, least)   s/slice wall  cpu   peak MiB (labels MiB)")
    with tempfile.TemporaryDirectory() as folder:
        for image, mask in images(options, Path(folder)):
            n, wall, cpu = len(image.array), time.perf_counter(), time.process_time()
            result = segment_volume(image, mode=options.mode)
            wall, cpu = (time.perf_counter() - wall) / n, (time.process_time() - cpu) / n
            alike = list(label_consistency(result).values())
            true = "     –" if mask is None else f"{dice_3d(result, mask):.4f}"
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{image.name[:12]:12s} {true}  {np.mean(alike):.3f} {min(alike):.3f} ({len(alike)} labels)"
                f"   {wall:.3f}  {cpu:.3f}   {peak:.0f} ({result.labels.nbytes / 2**20:.0f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
