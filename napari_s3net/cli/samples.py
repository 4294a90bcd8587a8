"""Write two synthetic images, a dermoscopy photograph and a chest CT slice, each with its true mask."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from napari_s3net.cli.output import write_out


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what `run` reads."""
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write to")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another seed, another patient (default 0)")


def run(options: Namespace) -> int:
    """Write the two images and their masks, and print the four paths.

    Returns
    -------
    int
        0.

    Raises
    ------
    WriteError
        If the files cannot be written.
    """
    from napari_s3net.export.result import label_suffix
    from napari_s3net.io import write_image, write_labels
    from napari_s3net.phantom import chest_ct, dermoscopy

    for make in (dermoscopy, chest_ct):
        phantom = make(seed=options.seed)
        suffix = label_suffix(phantom.image)
        image, mask = (options.output / f"{phantom.image.name}{end}{suffix}" for end in ("", "_mask"))
        write_image(image, phantom.image)
        write_labels(mask, phantom.mask, phantom.image.geometry, mask=True)
        write_out(f"{image}\n{mask}\n")
    return 0
