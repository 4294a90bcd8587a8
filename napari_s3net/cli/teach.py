"""Teach a network on synthetic images, from nothing, and write its weights."""

from __future__ import annotations

import os
import time
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from napari_s3net.cli.output import say_more
from napari_s3net.errors import InvalidSettingsError


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what `run` reads."""
    add = parser.add_argument
    add("kind", metavar="KIND", help="skin or chest")
    add("-o", "--output", type=Path, required=True, metavar="FILE", help="weights to write (.safetensors)")
    add("--images", type=int, default=20_000, metavar="N", help="synthetic images to paint and learn from (20000)")
    add("--size", type=int, default=128, metavar="N", help="pixels along each side of them (128)")
    add("--passes", type=float, default=6.0, metavar="X", help="how often each of them is seen, on average (6)")
    add("--batch", type=int, default=16, metavar="N", help="images in each update (16)")
    add("--memory", type=float, default=0.998, metavar="X", help="decay of the weights' moving average (0.998)")
    add("--widths", metavar="A,B,C,D", help="channels at the four scales, of a smaller or larger network")
    add("--budget", type=float, metavar="MINUTES", help="end after so many minutes and keep what was learned")
    add("--seed", type=int, default=0, metavar="N", help="of the images, the first weights and every draw (0)")
    add("--device", default="auto", metavar="NAME", help="auto (default), cpu, cuda, cuda:1 or mps")
    add("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 1), metavar="N", help="processes that paint")
    add("--folder", type=Path, metavar="DIR", help="for painted images and the checkpoint (FILE.work)")


def run(options: Namespace) -> int:
    """Paint images, teach the network, write its weights; an earlier run with the same options is continued.

    Returns
    -------
    int
        0.

    Raises
    ------
    InvalidSettingsError
        If a number is not above 0, or the kind is unknown.
    DeviceError
        If there is no such device.
    ModelFileError
        If the weights cannot be written, or the checkpoint was made with other options.
    """
    from napari_s3net.runtime.device import resolve_device
    from napari_s3net.runtime.generators import follow
    from napari_s3net.training.synthetic import TeachStep, config_of, iter_teach
    from napari_s3net.training.synthetic_images import iter_paint
    from napari_s3net.training.teach_settings import TeachSettings
    from napari_s3net.training.weights import save_weights

    _check(options)
    end = time.monotonic() + 60 * options.budget if options.budget else float("inf")
    folder = options.folder or options.output.with_suffix(".work")
    device = resolve_device(options.device)
    settings = TeachSettings(
        kind=options.kind,
        iterations=max(1, round(options.passes * options.images / options.batch)),
        batch=options.batch,
        memory=options.memory,
        seed=options.seed,
    )
    config = config_of(options.kind)
    if options.widths:
        config = replace(config, widths=_widths(options.widths))

    def painted(n: int) -> bool:
        if n % 512 == 0:
            say_more(f"{n} of {options.images} images painted")
        return time.monotonic() > end

    def learned(step: TeachStep) -> bool:
        losses = ", ".join(f"{name} {value:.4f}" for name, value in step.losses.items())
        say_more(f"{step.iteration} of {settings.iterations}: {losses} ({step.images_per_second:.0f} images a second)")
        return time.monotonic() > end

    painting = iter_paint(
        options.kind, options.images, options.size, folder, seed=options.seed, workers=options.workers
    )
    data = follow(painting, painted)
    teaching = iter_teach(data, settings, device, config=config, checkpoint=folder / "checkpoint.safetensors")
    network, card = follow(teaching, learned)
    save_weights(options.output, network, card)
    say_more(str(options.output))
    return 0


def _check(options: Namespace) -> None:
    """Refuse numbers of which nothing can be made."""
    for name in ("images", "size", "batch", "workers", "passes"):
        if getattr(options, name) <= 0:
            raise InvalidSettingsError(f"--{name} has to be above 0; got {getattr(options, name)}.")


def _widths(text: str) -> tuple[int, ...]:
    """Read the channels of each scale."""
    parts = text.split(",")
    if len(parts) != 4 or not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise InvalidSettingsError(f"--widths has to be four numbers above 0, as 16,32,64,104; got {text!r}.")
    return tuple(int(part) for part in parts)
