"""How many strokes it takes to a 3-D Dice of 0.98: a simulated user corrects slice by slice, or carries corrections on.

    python scripts/correct_volumes.py RESULTS.jsonl CT MASK [CT MASK …] [--threads N]

The user goes to the slice with the most wrong pixels and puts discs of the right class into the middle of the largest
wrong part, as large as fit into it, each followed by a re-run, until the slice's Dice is 0.98 or five strokes have not
sufficed; a re-run that makes the slice worse is taken back, and ends it. In mode "propagate" the correction is then
carried up and down as far as slices look alike, and taken back where that makes the volume worse. In mode "together"
the user puts one disc into each of the three worst slices that lie apart, and one re-run takes all strokes for the
whole volume; where the volume is worse for it, it is taken back, and these slices are drawn on no more. All begin with
the same labels: our own result, or that with one lung missing.

Each line of RESULTS is one scan, start and mode; what is there is not done again. At the end the table is printed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_s3net.benchmark.interactive import stroke
from napari_s3net.correction.constraints import BACKGROUND, OBJECT
from napari_s3net.correction.refine_volume import iter_refine_volume
from napari_s3net.correction.refiner import Refiner
from napari_s3net.correction.slice_propagation import iter_propagate
from napari_s3net.image import Image
from napari_s3net.io import read_image
from napari_s3net.labels.metrics import dice
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.runtime.generators import drain
from napari_s3net.settings import Settings, preset_settings
from napari_s3net.volume.whole import segment_volume

GOOD, STROKES_A_SLICE, MOST_STROKES = 0.98, 5, 200
LEVELS = (0.9, 0.95, 0.96, 0.98)
STARTS, MODES = ("own result", "one lung missing"), ("slice by slice", "propagate", "together")
#: In mode "together": slices that are drawn on before each re-run, and how far apart they lie, as a share of the depth.
AT_ONCE, APART = 3, 0.1


class User:
    """Corrects a volume; 1 is the object, 2 the rest."""

    def __init__(self, image: Image, true: NDArray[np.bool_], start: NDArray[np.bool_], settings: Settings) -> None:
        self._image, self._true, self._settings = image, true, settings
        self.labels = np.where(start, 1, 2).astype(np.int32)
        self.strokes, self.corrected, self._given_up = 0, set[int](), set[int]()
        self._drawn = dict[int, NDArray[np.int32]]()

    @property
    def dice(self) -> float:
        """Of the object, in 3-D."""
        return float(dice(self.labels == 1, self._true))

    def worst(self) -> int | None:
        """The slice with the most wrong pixels, among those that strokes have not failed on."""
        wrong = ((self.labels == 1) != self._true).sum(axis=(1, 2))
        wrong[list(self._given_up)] = 0
        return int(wrong.argmax()) if wrong.any() else None

    def correct(self, n: int) -> None:
        """Put strokes into a slice until it is good."""
        plane, made = self._image.slice(n), Provenance(settings=self._settings)
        refiner = Refiner(plane, self._settings)
        drawn = np.zeros(plane.shape, np.int32)
        for _ in range(STROKES_A_SLICE):
            mask, true = self.labels[n] == 1, self._true[n]
            painted, before = stroke(mask, true), dice(mask, true)
            if painted is None or before >= GOOD:
                break
            disc, is_object = painted
            drawn[disc & (mask != true) & (true == is_object)] = OBJECT if is_object else BACKGROUND
            result = Segmentation(self.labels[n], (1,), plane.geometry, made)
            new = refiner.rerun(result, drawn).mask
            self.strokes += 1
            if dice(new, true) < before:
                break
            self.labels[n] = np.where(new, 1, 2)
        self._given_up.add(n)
        self.corrected.add(n)

    def draw_apart(self) -> dict[int, NDArray[np.int32]]:
        """One disc in each of the worst slices that lie apart, added to what was drawn there before."""
        wrong = ((self.labels == 1) != self._true).sum(axis=(1, 2))
        wrong[list(self._given_up)] = 0
        apart, drawn = round(APART * len(wrong)), dict[int, NDArray[np.int32]]()
        while len(drawn) < AT_ONCE and wrong.any():
            n = int(wrong.argmax())
            mask, true = self.labels[n] == 1, self._true[n]
            painted = stroke(mask, true)
            wrong[max(0, n - apart) : n + apart + 1] = 0
            if painted is not None and dice(mask, true) < GOOD:
                disc, is_object = painted
                drawn[n] = self._drawn.get(n, np.zeros(mask.shape, np.int32)).copy()
                drawn[n][disc & (mask != true) & (true == is_object)] = OBJECT if is_object else BACKGROUND
        return drawn

    def correct_together(self) -> bool:
        """Draw on several slices and run all again; False where there is nothing left to draw on."""
        drawn = self.draw_apart()
        if not drawn:
            return False
        strokes, earlier, was = {**self._drawn, **drawn}, self.labels.copy(), self.dice
        result = Segmentation(self.labels, (1,), self._image.geometry, Provenance(settings=self._settings))
        for n, plane in drain(iter_refine_volume(self._image, result, strokes)).planes.items():
            self.labels[n] = plane
        self.strokes += len(drawn)
        if self.dice <= was:
            self.labels = earlier
            self._given_up |= set(drawn)
        else:
            self._drawn, self.corrected = strokes, set(strokes)
        return True

    def carry(self, n: int, before: NDArray[np.int32]) -> None:
        """Carry a slice's correction up and down; taken back where the volume is worse for it."""
        for end in (0, len(self.labels) - 1):
            if end == n or (self.labels[n] == before).all():
                continue
            found = drain(
                iter_propagate(self._image, self.labels, before, n, end, self._settings, corrected=self.corrected - {n})
            )
            earlier, was = self.labels.copy(), self.dice
            for index, plane in found.labels.items():
                self.labels[index] = np.where(plane == 1, 1, 2)
            if self.dice < was:
                self.labels = earlier


def starts(image: Image, settings: Settings, kept: Path) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    if not kept.is_file():
        np.save(kept, segment_volume(image, settings=settings).mask)
    own = np.load(kept)
    yield STARTS[0], own
    half = own.copy()
    half[:, :, : own.shape[2] // 2] = False
    yield STARTS[1], half


def run(user: User, mode: str) -> dict[str, Any]:
    started, course = time.process_time(), [(0, user.dice)]
    slices = 0
    while user.dice < GOOD and user.strokes < MOST_STROKES:
        if mode == "together":
            if not user.correct_together():
                break
            slices = len(user.corrected)
            course.append((user.strokes, user.dice))
            continue
        n = user.worst()
        if n is None:
            break
        before = user.labels[n].copy()
        user.correct(n)
        if mode == "propagate":
            user.carry(n, before)
        slices += 1
        course.append((user.strokes, user.dice))
    return {
        "start_dice": course[0][1],
        "strokes": user.strokes,
        "slices": slices,
        "dice": course[-1][1],
        "strokes_to": {f"{level}": reached(course, level) for level in LEVELS},
        "course": [(strokes, round(value, 4)) for strokes, value in course],
        "seconds": time.process_time() - started,
    }


def reached(course: list[tuple[int, float]], level: float) -> int | None:
    """Strokes until a level of Dice; None where it is not reached."""
    return next((strokes for strokes, value in course if value >= level), None)


def table(rows: list[dict[str, Any]]) -> None:
    print(
        "scan  start              mode             Dice before  strokes  in slices  Dice after   strokes to each level"
    )
    for row in rows:
        print(
            f"{row['scan']:5s} {row['start']:18s} {row['mode']:16s} {row['start_dice']:.3f}        "
            f"{row['strokes']:4d}     {row['slices']:4d}       {row['dice']:.3f}        {row['strokes_to']}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    settings = preset_settings("ct-lung")
    lines = options.results.read_text(encoding="utf-8").splitlines() if options.results.is_file() else []
    rows = [json.loads(line) for line in lines]
    done = {(row["scan"], row["start"], row["mode"]) for row in rows}
    for path, mask in zip(options.files[::2], options.files[1::2], strict=True):
        scan = path.name.split("_")[0]
        if all((scan, start, mode) in done for start in STARTS for mode in MODES):
            continue
        image, true = read_image(path), read_image(mask).array > 0
        for start, labels in starts(image, settings, options.results.with_suffix(f".{scan}.npy")):
            for mode in MODES:
                if (scan, start, mode) in done:
                    continue
                row = {"scan": scan, "start": start, "mode": mode, **run(User(image, true, labels, settings), mode)}
                rows.append(row)
                with options.results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
    table(rows)


if __name__ == "__main__":
    main()
