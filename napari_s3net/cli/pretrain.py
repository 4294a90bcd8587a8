"""Pre-train an encoder on images without labels, as a start for `learn`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from napari_s3net.cli.learn import add_common, check_output, finish, read_examples, settings_of
from napari_s3net.learning.settings import PRETRAINED


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what `run` reads."""
    add = parser.add_argument
    add("images", type=Path, metavar="IMAGES", help="folder of images; folders within count; no labels are read")
    add("--method", choices=PRETRAINED, required=True, help="how to pre-train")
    add_common(parser)


def run(options: Namespace) -> int:
    """Read images, pre-train, and write the encoder; a run that was ended goes on where it was.

    Returns
    -------
    int
        0.

    Raises
    ------
    S3NetError
        If images, settings, device or files cannot be used.
    """
    from napari_s3net.learning.files import checkpoint_of, find_images_with_labels
    from napari_s3net.learning.pretrain import iter_pretrain
    from napari_s3net.runtime.device import resolve_device

    settings = settings_of(options, method=options.method)
    device = resolve_device(options.device)
    check_output(options.output)
    data = read_examples(find_images_with_labels(options.images), settings, options, {})
    steps = iter_pretrain(data, settings, device, init=options.init, checkpoint=checkpoint_of(options.output))
    return finish(steps, options.output)
