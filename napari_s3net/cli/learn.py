"""Learn a model from the images of a folder of which a few have labels."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import astuple, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_s3net.cli.output import say, say_more
from napari_s3net.learning.settings import METHODS, SIZES, LearnSettings, learn_settings

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_s3net.learning.examples import ExampleSet
    from napari_s3net.learning.model import LearnedModel
    from napari_s3net.learning.steps import LearnStep
    from napari_s3net.progress import Notice

#: Iterations from one line of progress to the next.
TOLD_EVERY = 50
#: So many remarks on labels are told.
REMARKS = 5
RECOMMENDED = "recommended"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what `run` reads."""
    add = parser.add_argument
    add("images", type=Path, metavar="IMAGES", help="folder of images; folders within count")
    add("labels", type=Path, metavar="LABELS", help="folder of labels named like the images, or a batch's output")
    add("--method", choices=(RECOMMENDED, *METHODS), default="plain", help="how to learn (plain)")
    add("--classes", default="", metavar="1=NAME,…", help="names of the labels' values; others are refused")
    add(
        "--empty-slices",
        choices=("background", "unlabelled"),
        default="background",
        help="what slices without a label mean (background)",
    )
    add_common(parser)


def add_common(parser: ArgumentParser) -> None:
    """Declare what `learn` and `pretrain` both read.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Gets the flags.
    """
    add = parser.add_argument
    add("-o", "--output", type=Path, required=True, metavar="MODEL", help="file to write (.safetensors)")
    add("--init", type=Path, metavar="MODEL", help="start from this model, or from weights that teach wrote")
    add("--size", choices=tuple(SIZES), default="small", help="small for a CPU, standard for a graphics card (small)")
    add("--set", nargs="+", action="extend", default=[], metavar="key=value", help="single settings: steps, batch, …")
    add("--seed", type=int, default=0, metavar="N", help="of the first weights and of every draw (0)")
    add("--device", default="auto", metavar="NAME", help="auto (default), cpu, cuda, cuda:1 or mps")


def run(options: Namespace) -> int:
    """Read images and labels, learn, and write the model; a run that was ended goes on where it was.

    Returns
    -------
    int
        0.

    Raises
    ------
    S3NetError
        If images, labels, settings, device or files cannot be used.
    """
    from napari_s3net.learning.files import checkpoint_of, find_images_with_labels, parse_classes
    from napari_s3net.learning.recommended import are_photographs, recommend
    from napari_s3net.learning.train import iter_learn
    from napari_s3net.runtime.device import resolve_device

    asked = options.method
    settings = settings_of(options, method="plain" if asked == RECOMMENDED else asked)
    device = resolve_device(options.device)
    check_output(options.output)
    pairs = find_images_with_labels(options.images, options.labels)
    if asked == RECOMMENDED:
        labelled = [pair.image for pair in pairs if pair.labels is not None]
        method, reason = astuple(recommend(len(labelled), photographs=are_photographs(labelled)))
        say_more(f"{METHODS[method]}. {reason}")
        settings = settings.replace(method=method)
    data = read_examples(pairs, settings, options, parse_classes(options.classes), options.empty_slices)
    n_labelled, parts = int(data.labelled.sum()), "planes" if data.stacks else "images"
    say_more(f"{len(data)} {parts}, {n_labelled} with labels; classes: {', '.join(data.classes.values())}")
    steps = iter_learn(data, settings, device, init=options.init, checkpoint=checkpoint_of(options.output))
    return finish(steps, options.output)


def settings_of(options: Namespace, **changes: Any) -> LearnSettings:
    """Read the settings of the flags of `add_common`.

    Parameters
    ----------
    options : argparse.Namespace
        Size, seed and `--set`.
    **changes
        The method.

    Returns
    -------
    LearnSettings
        Checked.

    Raises
    ------
    InvalidSettingsError
        If one is unknown, no number, or out of range.
    """
    changes |= LearnSettings.parse_changes(options.set)
    return learn_settings(options.size, **{"seed": options.seed, **changes})


def check_output(path: Path) -> None:
    """Refuse a place for the model before any work is done for it.

    Parameters
    ----------
    path : Path
        Where the model is to be.

    Raises
    ------
    ModelFileError
        If it is a folder, or a file that is no model of this program.
    """
    from napari_s3net.errors import ModelFileError
    from napari_s3net.learning.model import load_model

    if path.is_dir():
        raise ModelFileError(f"Expected a file to write the model to; {path} is a folder.")
    if path.exists():
        load_model(path)


def read_examples(
    pairs: Any, settings: LearnSettings, options: Namespace, classes: dict[int, str], empty_slices: str = "background"
) -> ExampleSet:
    """Read images, and say what had to be left out.

    Parameters
    ----------
    pairs : sequence of ImageWithLabels
        Images and labels.
    settings : LearnSettings
        The working size.
    options : argparse.Namespace
        `init`, whose normalisation holds.
    classes : dict of int to str
        Names of the labels' values; empty for those that occur.
    empty_slices : str
        As in `iter_examples`.

    Returns
    -------
    ExampleSet
        In memory.
    """
    from napari_s3net.learning.read_examples import iter_examples
    from napari_s3net.learning.start import read_start
    from napari_s3net.runtime.generators import follow

    card = read_start(options.init).card
    steps = iter_examples(
        pairs,
        settings.size,
        classes=classes or (card.classes if card else None) or None,
        normalisation=card.normalisation if card else None,
        empty_slices=empty_slices,
    )
    data = follow(
        steps, lambda step: say_more(f"{step.done} of {step.total} images read") if step.done % 100 == 0 else None
    )
    for words in data.left_out:
        say(f"Left out: {words}")
    for words in data.remarks[:REMARKS]:
        say(words)
    if (more := len(data.remarks) - REMARKS) > 0:
        say(f"and {more} more remarks on labels.")
    return replace(data, colours={**data.colours, **(card.colours if card else {})})


def finish(steps: Generator[LearnStep | Notice, bool | None, LearnedModel], output: Path) -> int:
    """Run to the end, tell how it goes, and write the model.

    Parameters
    ----------
    steps : generator
        Of `iter_learn` or `iter_pretrain`.
    output : Path
        The model's file.

    Returns
    -------
    int
        0.

    Raises
    ------
    S3NetError
        As the steps do; or if the model cannot be written.
    """
    from napari_s3net.learning.stopped import keep_model
    from napari_s3net.progress import Notice
    from napari_s3net.runtime.generators import follow

    def tell(step: LearnStep | Notice) -> None:
        if isinstance(step, Notice):
            say_more(step.text)
        elif step.losses and (step.iteration % TOLD_EVERY == 0 or step.iteration == step.total):
            losses = ", ".join(f"{name} {value:.4f}" for name, value in step.losses.items())
            aside = "" if step.validation is None else f"; Dice on images set aside {step.validation:.3f}"
            say_more(f"{step.iteration} of {step.total}: {losses}{aside}")

    keep_model(output, follow(steps, tell), None)
    say_more(str(output))
    return 0
