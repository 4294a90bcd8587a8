"""Rounds of correcting and learning: a simulated user corrects what is offered, and the rest is measured."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_s3net.errors import InvalidSettingsError
from napari_s3net.learning.files import ImageWithLabels
from napari_s3net.learning.settings import LearnSettings

#: Corrected images after each round, as the published figures count them.
ROUNDS = (5, 10, 20, 40)
#: Who says what is corrected next: the model, or chance. The first round is the same for both.
POLICIES = ("next", "random")
COLUMNS = ("policy", "corrected", "rest", "dice", "seed", "budget")


def iter_rounds(
    pairs: Sequence[ImageWithLabels],
    settings: LearnSettings,
    policy: str,
    *,
    rounds: Sequence[int] = ROUNDS,
) -> Iterator[dict[str, Any]]:
    """Correct, learn and measure, round by round; each goes on from the model of the one before.

    Parameters
    ----------
    pairs : sequence of ImageWithLabels
        Images with their true masks.
    settings : LearnSettings
        Of each round.
    policy : {"next", "random"}
        Who chooses what is corrected.
    rounds : sequence of int
        Corrected images after each.

    Yields
    ------
    dict
        By `COLUMNS`: the mean Dice of the images that are not corrected, at their own size.

    Raises
    ------
    InvalidSettingsError
        If there are not more images than the last round corrects, or the policy is unknown.
    """
    import torch

    from napari_s3net.learning.examples import iter_examples
    from napari_s3net.learning.model import save_model
    from napari_s3net.learning.selection import iter_next
    from napari_s3net.learning.train import iter_learn
    from napari_s3net.runtime.generators import drain

    if policy not in POLICIES:
        raise InvalidSettingsError(f"A policy is one of {', '.join(POLICIES)}; got {policy!r}.")
    if len(pairs) <= max(rounds):
        raise InvalidSettingsError(f"Expected more than {max(rounds)} images; got {len(pairs)}.")
    chance = [pairs[i] for i in np.random.default_rng(settings.seed).permutation(len(pairs))]
    corrected: list[ImageWithLabels] = []
    model: Any = None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.safetensors"
        for count in rounds:
            left = [pair for pair in chance if pair not in corrected]
            wanted = count - len(corrected)
            if model is None or policy == "random":
                corrected += left[:wanted]
            else:
                by_path = {pair.image: pair for pair in pairs}
                paths = drain(iter_next(model, list(by_path), [pair.image for pair in corrected], wanted))
                corrected += [by_path[path] for path in paths]
            blind = [pair if pair in corrected else ImageWithLabels(pair.image, None, pair.name) for pair in pairs]
            examples = blind if settings.needs_unlabelled else corrected
            data = drain(iter_examples(examples, settings.size, classes={1: "Object"}))
            model = drain(iter_learn(data, settings, torch.device("cpu"), init=file if file.exists() else None))
            save_model(file, model)
            scores = [dice_of(model, pair) for pair in pairs if pair not in corrected]
            budget = f"{settings.method}, {settings.backbone}, {settings.size} px, {settings.steps} steps a round"
            values = (policy, count, len(scores), float(np.mean(scores)), settings.seed, budget)
            yield dict(zip(COLUMNS, values, strict=True))


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
    from napari_s3net.io import read_image, read_labels
    from napari_s3net.labels.metrics import dice
    from napari_s3net.learning.predict import iter_apply
    from napari_s3net.runtime.generators import drain

    assert pair.labels is not None  # noqa: S101 - all have masks
    predicted = drain(iter_apply(read_image(pair.image), model)).mask
    return dice(predicted, read_labels(pair.labels).array > 0)


def append_round(path: Path, row: dict[str, Any]) -> None:
    """Add a row to the table of rounds.

    Parameters
    ----------
    path : Path
        A CSV file; made where missing.
    row : dict
        By `COLUMNS`.
    """
    new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if new:
            writer.writeheader()
        writer.writerow({**row, "dice": f"{row['dice']:.4f}"})


def read_rounds(path: Path) -> list[dict[str, str]]:
    """Read the table of rounds.

    Parameters
    ----------
    path : Path
        The file, a CSV with a header.

    Returns
    -------
    list of dict
        By `COLUMNS`; empty where there is no file.
    """
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if None not in row.values()]
