"""A run that was stopped, beside the model that it left: whether another one goes on from it, and from what else."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from napari_s3net.learning.closer import total_steps
from napari_s3net.learning.examples import ExampleSet
from napari_s3net.learning.files import checkpoint_of, second_checkpoint_of
from napari_s3net.learning.run import belongs_to_run
from napari_s3net.learning.settings import LearnSettings
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
    written = [file for file in (checkpoint, second_checkpoint_of(checkpoint)) if file.is_file()]
    stopped_at = sum(int(read_tensors(file)[1].get("iteration", 0)) for file in written)
    steps = total_steps(data, settings)
    there = [file for file in (model, start) if again and file.is_file()]
    for init in (*there, None) if again else ():
        if belongs_to_run(checkpoint, data, settings, init):
            return Beginning(init, goes_on=True, stopped_at=stopped_at, steps=steps)
    for file in (*written, start):
        file.unlink(missing_ok=True)
    return Beginning(model if model in there else None, stopped_at=stopped_at, steps=steps)


def keep_start(model: Path, init: Path | None) -> None:
    """Before a model is written: keep what the run has begun with, where it was stopped and may be gone on with.

    Parameters
    ----------
    model : Path
        The file that is written next.
    init : Path or None
        What the run has begun with; it may be that file.
    """
    start = start_of(model)
    if not checkpoint_of(model).is_file():
        start.unlink(missing_ok=True)
    elif init == model:
        shutil.copyfile(model, start)
