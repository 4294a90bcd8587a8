"""Rounds of correcting and learning: a simulated user corrects what is offered, and the rest is measured."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_s3net.benchmark.csv_table import read_table, write_table
from napari_s3net.errors import InvalidSettingsError
from napari_s3net.io.write import write_json
from napari_s3net.learning.files import ImageWithLabels, checkpoint_of
from napari_s3net.learning.model import load_model
from napari_s3net.learning.read_examples import iter_examples
from napari_s3net.learning.selection import iter_next
from napari_s3net.learning.settings import LearnSettings
from napari_s3net.learning.stopped import keep_model
from napari_s3net.learning.train import iter_learn
from napari_s3net.runtime.generators import drain

#: Corrected images after each round, as the published figures count them.
ROUNDS = (5, 10, 20, 40)
#: Who says what is corrected next: the model, or chance. The first round is the same for both.
POLICIES = ("next", "random")
COLUMNS = ("policy", "corrected", "rest", "dice", "label_free", "seed", "budget")
FIGURES = ("dice", "label_free")


def iter_rounds(
    pairs: Sequence[ImageWithLabels],
    settings: LearnSettings,
    policy: str,
    output: Path,
    *,
    rounds: Sequence[int] = ROUNDS,
) -> Iterator[dict[str, Any]]:
    """Correct, learn and measure, round by round; each goes on from the model of the one before.

    Killed at any moment, the same call goes on: what a round corrects, its model and its figures are each written as
    soon as they are there, and learning has its checkpoints.

    Parameters
    ----------
    pairs : sequence of ImageWithLabels
        Images with their true masks.
    settings : LearnSettings
        Of each round.
    policy : {"next", "random"}
        Who chooses what is corrected.
    output : Path
        For the table `rounds.csv`, models and checkpoints.
    rounds : sequence of int
        Corrected images after each.

    Yields
    ------
    dict
        By `COLUMNS`: the mean Dice of the images that are not corrected, at their own size, of the model and of
        `segment`, which no label has helped. Rounds whose figures are in the table already are left out.

    Raises
    ------
    InvalidSettingsError
        If there are not more images than the last round corrects, or the policy is unknown.
    """
    if policy not in POLICIES:
        raise InvalidSettingsError(f"A policy is one of {', '.join(POLICIES)}; got {policy!r}.")
    if len(pairs) <= max(rounds):
        raise InvalidSettingsError(f"Expected more than {max(rounds)} images; got {len(pairs)}.")
    start = f"start {settings.start}" if settings.start == "taught" else settings.backbone
    budget = f"{settings.method}, {start}, {settings.size} px, {settings.steps} steps a round"
    about = json.dumps([settings.to_dict(), [pair.name for pair in pairs]], sort_keys=True)
    work = output / "work" / f"rounds-{policy}-{hashlib.sha256(about.encode()).hexdigest()[:12]}"
    done = {tuple(row[name] for name in COLUMNS if name not in FIGURES) for row in read_table(output / "rounds.csv")}
    before: Path | None = None
    corrected: list[ImageWithLabels] = []
    for count in rounds:
        file = work / f"{count}.safetensors"
        corrected = _corrected(file.with_suffix(".json"), pairs, corrected, count, settings, policy, before)
        if not file.is_file():
            _learn_round(pairs, corrected, settings, file, before)
        before = file
        about_row = (policy, count, len(pairs) - count, settings.seed, budget)
        if tuple(map(str, about_row)) in done:
            continue
        model = load_model(file)
        rest = [pair for pair in pairs if pair not in corrected]
        learned = float(np.mean([dice_of(model, pair) for pair in rest]))
        free = _label_free(rest, output / "work" / "label-free.json")
        row = dict(zip(COLUMNS, (*about_row[:3], learned, free, *about_row[3:]), strict=True))
        append_round(output / "rounds.csv", row)
        yield row


def _corrected(
    file: Path,
    pairs: Sequence[ImageWithLabels],
    before: list[ImageWithLabels],
    count: int,
    settings: LearnSettings,
    policy: str,
    model: Path | None,
) -> list[ImageWithLabels]:
    """The images that are corrected in a round: chosen once, and kept by their names."""
    by_name = {pair.name: pair for pair in pairs}
    if file.is_file():
        return [by_name[name] for name in json.loads(file.read_text(encoding="utf-8"))["corrected"]]
    wanted = count - len(before)
    if model is None or policy == "random":
        chance = [pairs[i] for i in np.random.default_rng(settings.seed).permutation(len(pairs))]
        chosen = [pair for pair in chance if pair not in before][:wanted]
    else:
        by_path = {pair.image: pair for pair in pairs}
        known = [pair.image for pair in before]
        chosen = [by_path[path] for path in drain(iter_next(load_model(model), list(by_path), known, wanted))]
    corrected = [*before, *chosen]
    write_json(file, {"corrected": [pair.name for pair in corrected]})
    return corrected


def _learn_round(
    pairs: Sequence[ImageWithLabels],
    corrected: Sequence[ImageWithLabels],
    settings: LearnSettings,
    file: Path,
    before: Path | None,
) -> None:
    """Learn from what is corrected, from the model of the round before."""
    blind = [pair if pair in corrected else ImageWithLabels(pair.image, None, pair.name) for pair in pairs]
    examples = blind if settings.needs_unlabelled else corrected
    data = drain(iter_examples(examples, settings.size, classes={1: "Object"}))
    steps = iter_learn(data, settings, torch.device("cpu"), init=before, checkpoint=checkpoint_of(file))
    keep_model(file, drain(steps), before)


def dice_of(model: Any, pair: ImageWithLabels) -> float:
    """Measure a model on one image, at the image's own size.

    Parameters
    ----------
    model : LearnedModel
        What was learned.
    pair : ImageWithLabels
        An image with its true mask.

    Returns
    -------
    float
        Dice.
    """
    from napari_s3net.io import read_image
    from napari_s3net.io.on_image import read_labels_on
    from napari_s3net.labels.metrics import dice
    from napari_s3net.learning.predict import iter_apply

    assert pair.labels is not None  # noqa: S101 - all have masks
    image = read_image(pair.image)
    predicted = drain(iter_apply(image, model)).mask
    return dice(predicted, read_labels_on(image, pair.image, pair.labels).array > 0)


def _label_free(pairs: Sequence[ImageWithLabels], file: Path) -> float:
    """Mean Dice of what `segment` proposes; each image's is kept in a file."""
    from napari_s3net import segment
    from napari_s3net.io import read_image
    from napari_s3net.io.on_image import read_labels_on
    from napari_s3net.labels.metrics import dice

    known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    for pair in pairs:
        if pair.name not in known:
            assert pair.labels is not None  # noqa: S101 - all have masks
            image = read_image(pair.image)
            proposed = segment(image).mask
            known[pair.name] = dice(proposed, read_labels_on(image, pair.image, pair.labels).array > 0)
            write_json(file, known)
    return float(np.mean([known[pair.name] for pair in pairs]))


def append_round(path: Path, row: dict[str, Any]) -> None:
    """Add a row to the table of rounds; the file is replaced as a whole, so that no row is ever half there.

    Parameters
    ----------
    path : Path
        A CSV file; made where missing.
    row : dict
        By `COLUMNS`.
    """
    write_table(path, COLUMNS, [*read_table(path), {**row, **{name: f"{row[name]:.4f}" for name in FIGURES}}])
