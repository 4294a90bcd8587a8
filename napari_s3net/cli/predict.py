"""Apply a learned model to images and volumes, and write labels and masks."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_s3net.cli.common_options import add_formats
from napari_s3net.cli.output import say, say_more
from napari_s3net.errors import OutputError, S3NetError

if TYPE_CHECKING:
    from napari_s3net.cli.inputs import Input
    from napari_s3net.learning.model import LearnedModel


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what `run` reads."""
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL", help="file that learn wrote")
    add("inputs", nargs="+", type=Path, metavar="INPUT", help="images, volumes, or folders of them")
    add("-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the results")
    add_formats(parser)
    add("--overlay", action="store_true", help="also the image with the object's outline")
    add("--device", default="auto", metavar="NAME", help="auto (default), cpu, cuda, cuda:1 or mps")


def run(options: Namespace) -> int:
    """Apply the model to each input.

    Returns
    -------
    int
        0, or 1 when some inputs failed; each says why in one line, and the others are done.

    Raises
    ------
    S3NetError
        If model or device cannot be used.
    """
    from napari_s3net.cli.inputs import find_inputs, left_out_of
    from napari_s3net.errors import ModelFileError
    from napari_s3net.learning.model import load_model
    from napari_s3net.runtime.device import resolve_device

    model = load_model(options.model)
    if model.card.is_pretrained_only:
        raise ModelFileError(f"{options.model} was only pre-trained and knows no classes yet. Use it as learn --init.")
    model.to(resolve_device(options.device))
    for words in left_out_of(options.inputs):
        say(words)
    failed = 0
    for item in find_inputs(options.inputs):
        try:
            say_more(f"{item.name}: {_process(item, model, options)}")
        except OutputError:
            raise
        except S3NetError as error:
            failed += 1
            say(str(error) if item.name in str(error) else f"{item.name}: {error}")
    return int(failed > 0)


def _process(item: Input, model: LearnedModel, options: Namespace) -> str:
    """Read, apply, write; tell the outcome in a few words."""
    from napari_s3net.batch.items import input_digest
    from napari_s3net.export.formats import write_formats
    from napari_s3net.export.result import write_result
    from napari_s3net.io import read_image
    from napari_s3net.learning.predict import iter_apply
    from napari_s3net.runtime.generators import drain

    image = read_image(item.path, files=item.files)
    result = drain(iter_apply(image, model)).with_provenance(
        source=item.name, input_digest=input_digest(item.path, item.files)
    )
    written = write_result(options.output, item.stem, image, result, overlay=options.overlay)
    write_formats(options.output, item.stem, result, options.also, item.path)
    share = 100 * result.mask.mean()
    return f"{result.object_name} {share:.1f} % of the image, {written[0]} {result.provenance.note}"
