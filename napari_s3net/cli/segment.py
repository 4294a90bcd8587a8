"""Segment images and volumes: for each input write its labels, its mask, and a JSON that says how they were made."""

from __future__ import annotations

import warnings
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_s3net.cli.common_options import RunOptions, add_formats, add_settings
from napari_s3net.cli.output import say, say_more
from napari_s3net.errors import OutputError, ReadWarning, S3NetError, WriteError

if TYPE_CHECKING:
    import torch

    from napari_s3net.cli.inputs import Input
    from napari_s3net.image import Image
    from napari_s3net.progress import Notice, Step
    from napari_s3net.result import Segmentation
    from napari_s3net.settings import Settings
    from napari_s3net.volume.whole import Mode

#: Without a terminal, how often a volume reports.
REPORTS = 10


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what `run` reads."""
    add = parser.add_argument
    add("inputs", nargs="+", type=Path, metavar="INPUT", help="image, volume, folder with one DICOM series, or photos")
    add("-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the results")
    add_settings(parser)
    add("--overlay", action="store_true", help="also draw the object's outline on the image")
    add("--slice", type=int, metavar="N", help="of volumes only this slice, counted from 0")
    add("--slices", type=int, nargs=2, metavar=("FIRST", "LAST"), help="of volumes only these slices, counted from 0")
    add("--axis", type=int, choices=(0, 1, 2), default=0, help="along which slices are counted (default 0)")
    add(
        "--time",
        type=int,
        metavar="N",
        help="which volume of a file that holds several (NIfTI, MetaImage, NRRD), counted from 0",
    )
    add(
        "--mode",
        choices=("volume", "slices"),
        help="volumes: as one, fitted once (default where there is one intensity a voxel); or each slice on its own",
    )
    add_formats(parser)
    add("--series", metavar="ID", help="which series of a DICOM folder, where it holds several")


def run(options: Namespace) -> int:
    """Segment each input.

    Returns
    -------
    int
        0, or 1 when some inputs failed; each says why in one line, and the others are done.

    Raises
    ------
    S3NetError
        If preset, settings, device or the output folder cannot be used.
    """
    asked = RunOptions.from_flags(options)
    _make_folder(options.output)
    from napari_s3net.cli.inputs import find_inputs, left_out_of

    for words in left_out_of(options.inputs):
        say(words)
    inputs = find_inputs(options.inputs)
    failed = sum(not _succeeds(item, options, asked) for item in inputs)
    if failed and len(inputs) > 1:
        say(f"{failed} of {len(inputs)} inputs failed.")
    return int(failed > 0)


def _make_folder(path: Path) -> None:
    """Make the output folder before any work is done for it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"Cannot make the folder {path}: {error.strerror}.") from error


def _succeeds(item: Input, options: Namespace, asked: RunOptions) -> bool:
    """Do one input; say in one line how it went."""
    try:
        say_more(f"{item.name}: {_process(item, options, asked)}")
    except (BrokenPipeError, OutputError):  # nobody reads what comes: the command ends, and the input is not to blame
        raise
    except S3NetError as error:
        say(str(error) if item.name in str(error) else f"{item.name}: {error}")
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one input, the others are done
        say(f"{item.name}: unexpected {type(error).__name__}: {error}")
    else:
        return True
    return False


def _process(item: Input, options: Namespace, asked: RunOptions) -> str:
    """Read, segment, write; tell the outcome in a few words."""
    from napari_s3net.batch.items import input_digest
    from napari_s3net.export.formats import write_formats
    from napari_s3net.export.result import write_result

    image = _read(item, options)
    preset, settings = asked.settings_for(image)
    _say_memory(image, settings, asked.device, item.name)
    result = _segment(image, settings, asked.device, item.name, options.mode)
    result = _placed(result, options).with_provenance(
        source=item.name, preset=preset, time=options.time, input_digest=input_digest(item.path, item.files)
    )
    written = write_result(options.output, item.stem, image, result, overlay=options.overlay)
    write_formats(options.output, item.stem, result, options.also, item.path)
    return f"{_outcome(result)}, {written[1]}{_remark(result)}"


def _outcome(result: Segmentation) -> str:
    """The object, how sure it is, and how long it took: "Lesion 21.4 % of the image, sure (confidence 0.92), 1.3 s"."""
    share = f"{result.object_name} {100 * result.mask.mean():.1f} % of the image"
    made = result.provenance
    sure = f"confidence {made.confidence:.2f}"
    if not result.foreground:
        return f"{made.certainty or 'no object found'}, {sure}, {made.seconds:.1f} s"
    return f"{share}, {f'{made.certainty} ({sure})' if made.certainty else sure}, {made.seconds:.1f} s"


def _remark(result: Segmentation) -> str:
    """What the user has to know about the run, behind a space; empty where there is nothing."""
    return f" {result.provenance.note}".rstrip()


def _say_memory(image: Image, settings: Settings, device: torch.device, name: str) -> None:
    """Say what the run takes and what there is; `OutOfMemoryError` where it does not suffice."""
    from napari_s3net.runtime.memory import mib_text, require_memory

    advice = require_memory(image.shape, settings, str(device))
    say_more(f"{name}: takes about {mib_text(advice.needed)} of memory; {mib_text(advice.free)} are free")


def _read(item: Input, options: Namespace) -> Image:
    """The image, or the slice of it that was asked for; what reading remarks becomes a line."""
    from napari_s3net.io import read_image

    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        files = () if options.series else item.files
        image = read_image(item.path, series=options.series, files=files, time=options.time)
    for remark in remarks:
        if issubclass(remark.category, ReadWarning):
            say(str(remark.message))
    if image.times > 1 and options.time is None:
        say(f"{item.name}: choose another volume by --time 1 to --time {image.times - 1}.")
    return _part(image, options)


def _part(image: Image, options: Namespace) -> Image:
    """What of an image was asked for: all of it, one slice, or some."""
    if options.slice is not None:
        return image.slice(options.slice, options.axis)
    if options.slices is None and options.axis == 0:
        return image
    last = image.shape[options.axis] - 1 if image.is_stack else 0
    first, last = options.slices or (0, last)
    return image.slices(first, last, options.axis)


def _placed(result: Segmentation, options: Namespace) -> Segmentation:
    """A result that tells which part of the volume was asked for: its slices by their numbers in all of it."""
    if options.slice is None and options.slices is None and options.axis == 0:
        return result
    first = options.slices[0] if options.slices else options.slice or 0
    axis = options.axis + (options.time is not None)
    slices = tuple(replace(part, axis=axis, slice=first + (part.slice or 0)) for part in result.provenance.slices)
    return result.with_provenance(axis=axis, slice=first, slices=slices)


def _segment(image: Image, settings: Settings, device: torch.device, name: str, mode: Mode | None) -> Segmentation:
    """Run to the end: a progress bar on a terminal, a line now and then without one."""
    from tqdm import tqdm

    from napari_s3net.progress import Notice
    from napari_s3net.runtime.generators import follow
    from napari_s3net.runtime.oom_retry import iter_retrying
    from napari_s3net.volume.whole import iter_mode

    steps = iter_retrying(lambda used, where: iter_mode(image, used, device=where, mode=mode), settings, device)
    slices, reported = len(image.array) if image.is_stack else 1, 0
    with tqdm(total=slices * settings.max_iter, desc=name, leave=False, disable=None) as bar:

        def show(step: Step | Notice) -> None:
            nonlocal reported
            if isinstance(step, Notice):
                say_more(f"{name}: {step.text}")
                reported = 0
                return
            bar.update(step.slice * settings.max_iter + step.iteration - bar.n)
            if bar.disable and step.slice * REPORTS // step.slices > reported:
                reported = step.slice * REPORTS // step.slices
                say_more(f"{name}: slice {step.slice} of {step.slices}")

        return follow(steps, show)
