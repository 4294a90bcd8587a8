"""A run that was stopped, beside the model that it left: whether another one goes on from it, and from what else.

Its checkpoint goes only once its model is written, so that a full disk costs the last steps alone.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_s3net.errors import ModelFileError
from napari_s3net.learning.examples import ExampleSet
from napari_s3net.learning.files import checkpoint_of, checkpoints_of
from napari_s3net.learning.looks import plan_looks
from napari_s3net.learning.model import LearnedModel, save_model
from napari_s3net.learning.run import belongs_to_run
from napari_s3net.learning.settings import LearnSettings
from napari_s3net.learning.train import STOPPED
from napari_s3net.training.weights import read_tensors


@dataclass(frozen=True)
class Beginning:
    """What a run begins with.

    Attributes
    ----------
    init : Path or None
        The file whose weights it begins, or has begun, with; None for what comes with the program.
    goes_on : bool
        Whether it goes on from the checkpoint of a run that was stopped.
    stopped_at : int
        The step of that checkpoint, also where the run does not go on from it; 0 where there was none.
    steps : int
        How many the run takes.
    """

    init: Path | None
    goes_on: bool = False
    stopped_at: int = 0
    steps: int = 0


def start_of(model: Path) -> Path:
    """Return where the weights lie that a run has begun with which was stopped.

    Parameters
    ----------
    model : Path
        The file of the model, which has the place of the one before.

    Returns
    -------
    Path
        Beside the model; it need not be there.
    """
    return model.with_name(f"{model.stem}.start.safetensors")


def begin(model: Path, data: ExampleSet, settings: LearnSettings, *, again: bool) -> Beginning:
    """Say what a run begins with: what one that was stopped has begun with, where it is the same run.

    The checkpoint of another run is removed.

    Parameters
    ----------
    model : Path
        The file to write, beside which the checkpoint lies.
    data, settings : ExampleSet, LearnSettings
        Of the run.
    again : bool
        Whether it goes on from what was learned before; else it begins anew without a look at it.

    Returns
    -------
    Beginning
        With the model as its `init` where it goes on from nothing else.
    """
    checkpoint, start = checkpoint_of(model), start_of(model)
    written = [file for file in checkpoints_of(checkpoint) if file.is_file()]
    stopped_at = sum(int(read_tensors(file)[1].get("iteration", 0)) for file in written)
    steps = plan_looks(data, settings)[0].total
    there = [file for file in (model, start) if again and file.is_file()]
    for init in (*there, None) if again else ():
        if belongs_to_run(checkpoint, data, settings, init):
            return Beginning(init, goes_on=True, stopped_at=stopped_at, steps=steps)
    for file in (*written, start):
        file.unlink(missing_ok=True)
    return Beginning(model if model in there else None, stopped_at=stopped_at, steps=steps)


def keep_model(model: Path, learned: LearnedModel, init: Path | None, checkpoint: Path | None = None) -> None:
    """Write what was learned, and let go of what only a run that was stopped goes on from.

    Parameters
    ----------
    model : Path
        The file to write.
    learned : LearnedModel
        What came of the run.
    init : Path or None
        What the run has begun with; it may be that file, and is kept where the run was stopped.
    checkpoint : Path, optional
        Of the run, where it lies elsewhere than beside the model.

    Raises
    ------
    ModelFileError
        If it cannot be written; the same run goes on from its last checkpoint then.
    """
    start, checkpoint = start_of(model), checkpoint or checkpoint_of(model)
    is_over = _is_over(learned.card.record)
    if not is_over and init == model:
        shutil.copyfile(model, start)
    try:
        save_model(model, learned)
    except ModelFileError as error:
        again = (
            " Learn again once it can be: all steps up to the last checkpoint are kept." if checkpoint.is_file() else ""
        )
        raise ModelFileError(f"{error}{again}") from error
    if is_over:
        for file in (*checkpoints_of(checkpoint), start):
            file.unlink(missing_ok=True)


def _is_over(record: dict[str, Any]) -> bool:
    """Whether a run has come to its end, which it may have when it was stopped as well."""
    return not record.get(STOPPED) or record["steps"] >= record["steps asked"]
