"""Few labels on ACDC: methods of learning by 3-D Dice on patients that none of them has seen."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_s3net.benchmark.csv_table import read_table, write_table
from napari_s3net.errors import InvalidSettingsError, ReadError
from napari_s3net.learning.examples import ExampleSet
from napari_s3net.learning.files import ImageWithLabels, find_images_with_labels
from napari_s3net.learning.read_examples import iter_examples
from napari_s3net.learning.settings import LearnSettings

if TYPE_CHECKING:
    from napari_s3net.learning.model import LearnedModel

#: Patients of the pool, for pre-training and labels; the others are for testing only.
POOL = range(1, 31)
TEST = range(31, 41)
CLASSES = {1: "right ventricle", 2: "myocardium", 3: "left ventricle"}
#: What a model's record calls the time that it took.
SECONDS = "seconds"
COLUMNS = ("row", "labelled", "draw", "patient", "frame", "label", "dice", "seconds", "budget", "device")


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes
    ----------
    name : str
        By which the command line knows it.
    text : str
        What it is.
    method, backbone : str
        As in `LearnSettings`.
    pretrained : str
        Method whose pre-trained encoder it starts from; empty for random weights.
    taught : str
        Kind of synthetic images whose weights, which come with the program, it starts from; empty for none.
    """

    name: str
    text: str
    method: str
    backbone: str = "unet"
    pretrained: str = ""
    taught: str = ""


ROWS = (
    Row("unet", "U-Net from random", "plain"),
    Row("self-training", "Self-training", "self-training"),
    Row("ideal-random", "IDEAL from random", "ideal"),
    Row("ideal", "IDEAL pre-trained", "ideal", pretrained="ideal"),
    Row("kaf-random", "KAF from random", "kaf"),
    Row("kaf", "KAF pre-trained", "kaf", pretrained="kaf"),
    Row("ideal-kaf", "IDEAL fine-tuning from KAF's encoder", "ideal", pretrained="kaf"),
    Row("ideal-ilka", "IDEAL, I-LKA backbone", "ideal", backbone="ilka", pretrained="ideal"),
    Row("kaf-ilka", "KAF, I-LKA backbone", "kaf", backbone="ilka", pretrained="kaf"),
    Row("ilka", "I-LKA backbone from random", "plain", backbone="ilka"),
    Row("ilka-taught", "I-LKA backbone from synthetic chests", "plain", backbone="ilka", taught="chest"),
)


@dataclass(frozen=True)
class Cell:
    """One training: a row, a number of labelled patients, and a draw of them."""

    row: Row
    labelled: int
    draw: int


def plan_cells(names: Sequence[str], labelled: Sequence[int], draws: int) -> list[Cell]:
    """List the trainings; the first draw of all rows comes before the second.

    Parameters
    ----------
    names : sequence of str
        Of rows; empty for all.
    labelled : sequence of int
        Numbers of labelled patients.
    draws : int
        Of the patients, for each number.

    Returns
    -------
    list of Cell
        In the order in which they are done.

    Raises
    ------
    InvalidSettingsError
        If there is no such row, or not so many patients.
    """
    known = {row.name: row for row in ROWS}
    if unknown := [name for name in names if name not in known]:
        raise InvalidSettingsError(f"Rows are {', '.join(known)}; got {unknown[0]!r}.")
    if wrong := [m for m in labelled if not 0 < m < len(POOL)]:
        raise InvalidSettingsError(
            f"Of the pool's {len(POOL)} patients 1 to {len(POOL) - 1} have labels; got {wrong[0]}."
        )
    chosen = [known[name] for name in names] if names else list(ROWS)
    return [Cell(row, m, draw) for m in labelled for draw in range(draws) for row in chosen]


def drawn_patients(labelled: int, draw: int) -> list[int]:
    """Draw the labelled patients; the same for all rows.

    Parameters
    ----------
    labelled : int
        How many.
    draw : int
        Number of the draw, from 0.

    Returns
    -------
    list of int
        Sorted, of the pool.
    """
    shuffled = np.random.default_rng(1000 * labelled + draw).permutation(np.array(POOL))
    return sorted(int(n) for n in shuffled[:labelled])


def iter_semi(
    folder: Path,
    output: Path,
    cells: Sequence[Cell],
    settings: LearnSettings,
    tell: Callable[[str], object],
    device: str = "cpu",
) -> Iterator[Cell]:
    """Do the trainings that are not done yet, each resumable, and append their figures to `semi.csv`.

    Parameters
    ----------
    folder : Path
        Of ACDC: `patientNNN_frameMM.nii.gz` with `…_gt.nii.gz`.
    output : Path
        For the table, models and checkpoints.
    cells : sequence of Cell
        What to do.
    settings : LearnSettings
        The budget; method and backbone are those of the row.
    tell : callable
        Takes a line of progress now and then.
    device : str
        Where to learn, as in `segment`.

    Yields
    ------
    Cell
        Each that has been done.

    Raises
    ------
    ReadError
        If the folder holds no such files.
    """
    from napari_s3net.runtime.device import resolve_device

    output.mkdir(parents=True, exist_ok=True)
    run = _Run(output, resolve_device(device), tell)
    table = output / "semi.csv"
    budget = budget_text(settings)
    done = {
        (row["row"], int(row["labelled"]), int(row["draw"])) for row in read_table(table) if row["budget"] == budget
    }
    left = [cell for cell in cells if (cell.row.name, cell.labelled, cell.draw) not in done]
    if not left:
        return
    pairs = [pair for pair in find_images_with_labels(folder, folder) if pair.labels]
    patients = {pair: patient_of(pair.name) for pair in pairs}
    pool = [pair for pair in pairs if patients[pair] in POOL]
    test = [pair for pair in pairs if patients[pair] in TEST]
    if not pool or not test:
        raise ReadError(f"Expected patients 1 to 40 of ACDC in {folder}, as patientNNN_frameMM.nii.gz.")
    data = _read(pool, settings)
    keypoints = data.with_keypoints(settings.most_keypoints) if any(_keypoints(c.row) for c in left) else data
    for cell in left:
        used = settings.replace(method=cell.row.method, backbone=cell.row.backbone, seed=cell.draw, validate=False)
        model = run.trained(cell, keypoints if _keypoints(cell.row) else data, used)
        about = {"seconds": model.card.record[SECONDS], "budget": budget, "device": run.where}
        _append(table, [{**row, **about} for row in _evaluate(model, test, cell)])
        yield cell


def budget_text(settings: LearnSettings) -> str:
    """Say with what budget a table was made: figures of different budgets never mix.

    Parameters
    ----------
    settings : LearnSettings
        Steps, batch and size of the training.

    Returns
    -------
    str
        "96 pixels, width 8, 300 steps of 8 images".
    """
    mirrored = "" if settings.mirror else ", not mirrored"
    pieces = ", in one piece" if settings.one_piece else ""
    closer = ", looked at closer" if settings.look_closer else ""
    rounds = ", in two rounds" if settings.look_closer and settings.second_round else ""
    steps = f"{settings.steps} steps of {settings.batch} images"
    return f"{settings.size} pixels, width {settings.width}, {steps}{mirrored}{pieces}{closer}{rounds}"


def _keypoints(row: Row) -> bool:
    return row.method == "kaf" or row.pretrained == "kaf"


def _read(pairs: Sequence[ImageWithLabels], settings: LearnSettings) -> ExampleSet:
    from napari_s3net.runtime.generators import drain

    return drain(iter_examples(pairs, settings.size, classes=CLASSES))


@dataclass(frozen=True)
class _Run:
    """Where the trainings of a table are done, and who is told."""

    output: Path
    device: Any
    tell: Callable[[str], object]

    @property
    def where(self) -> str:
        """What the device is called."""
        import torch

        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type.upper()

    def trained(self, cell: Cell, data: ExampleSet, settings: LearnSettings) -> LearnedModel:
        """The model of a cell, trained where it is not there yet: it is kept before it is tested."""
        from napari_s3net.learning.model import load_model
        from napari_s3net.learning.stopped import keep_model

        name = f"{cell.row.name}-{cell.labelled}-{cell.draw}.safetensors"
        path = self.output / "models" / budget_text(settings) / name
        if not path.is_file():
            started = time.perf_counter()
            model = self._train(cell, data, settings)
            record = {**model.card.record, SECONDS: round(time.perf_counter() - started)}
            kept = replace(model, card=replace(model.card, record=record))
            keep_model(path, kept, None, self._checkpoint(path.stem))
        return load_model(path)

    def _train(self, cell: Cell, data: ExampleSet, settings: LearnSettings) -> LearnedModel:
        """Labels of other patients are taken away first."""
        from napari_s3net.learning.train import iter_learn
        from napari_s3net.network.class_losses import IGNORED
        from napari_s3net.runtime.generators import follow

        name = f"{cell.row.name}-{cell.labelled}-{cell.draw}"
        init = self._start(cell.row, data, settings)
        patients = np.array([patient_of(data.names[file]) for file in data.files])
        known = np.isin(patients, drawn_patients(cell.labelled, cell.draw))
        blind = replace(data, labels=np.where(known[:, None, None], data.labels, np.int8(IGNORED)))
        steps = iter_learn(blind, settings, self.device, init=init, checkpoint=self._checkpoint(name))
        return follow(steps, lambda step: self._say(name, step))

    def _start(self, row: Row, data: ExampleSet, settings: LearnSettings) -> Path | None:
        """The weights that a row starts from; None for random ones."""
        from napari_s3net.training.taught import shipped_path

        if row.taught:
            return shipped_path(row.taught)
        return self._pretrained(row, data, settings) if row.pretrained else None

    def _pretrained(self, row: Row, data: ExampleSet, settings: LearnSettings) -> Path:
        """The pre-trained encoder of a row: made once, with the pool's images alone, for all draws."""
        from napari_s3net.learning.pretrain import iter_pretrain
        from napari_s3net.learning.stopped import keep_model
        from napari_s3net.runtime.generators import follow

        used = settings.replace(method=row.pretrained, seed=0)
        name = f"pretrained-{row.pretrained}-{row.backbone}"
        path = self.output / "models" / f"{name}-{used.size}-{used.steps}.safetensors"
        if not path.is_file():
            steps = iter_pretrain(data, used, self.device, checkpoint=self._checkpoint(name))
            keep_model(path, follow(steps, lambda step: self._say(name, step)), None, self._checkpoint(name))
        return path

    def _checkpoint(self, name: str) -> Path:
        return self.output / "work" / f"{name}.safetensors"

    def _say(self, name: str, step: Any) -> None:
        """A line every fifty steps."""
        if (iteration := getattr(step, "iteration", 1)) % 50 == 0 and step.losses:
            losses = ", ".join(f"{term} {value:.3f}" for term, value in step.losses.items())
            self.tell(f"{name}: {iteration} of {step.total}, {losses}\n")


def patient_of(name: str) -> int:
    """Read the patient's number from a file's name.

    Parameters
    ----------
    name : str
        Such as "patient012_frame01.nii.gz".

    Returns
    -------
    int
        0 where it has none.
    """
    match = re.match(r"patient(\d+)_", Path(name).name)
    return int(match[1]) if match else 0


def _evaluate(model: LearnedModel, test: Sequence[ImageWithLabels], cell: Cell) -> list[dict[str, Any]]:
    """3-D Dice of each test volume and class, at the volumes' own size."""
    from napari_s3net.io import read_image
    from napari_s3net.io.on_image import read_labels_on
    from napari_s3net.labels.metrics import dice
    from napari_s3net.learning.predict import iter_apply
    from napari_s3net.runtime.generators import drain

    rows = []
    for pair in test:
        assert pair.labels is not None  # noqa: S101 - all of ACDC's have labels
        image = read_image(pair.image)
        predicted = drain(iter_apply(image, model)).labels
        truth = read_labels_on(image, pair.image, pair.labels).array
        for label in CLASSES:
            score = dice(predicted == label, truth == label)
            frame = pair.name.partition("_frame")[2]
            about = (cell.row.name, cell.labelled, cell.draw, patient_of(pair.name), frame, label, score)
            rows.append(dict(zip(COLUMNS, about, strict=False)))
    return rows


def _append(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Add the rows of a cell; the file is replaced as a whole, so that no cell is ever half there."""
    new = ({**row, "dice": f"{row['dice']:.4f}", "seconds": f"{row['seconds']:.0f}"} for row in rows)
    write_table(path, COLUMNS, [*read_table(path), *new])
