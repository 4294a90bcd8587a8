"""Correct saved labels by saved strokes: the command line's `refine`."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_s3net.cli.common_options import add_formats
from napari_s3net.cli.output import say_more
from napari_s3net.errors import ReadError, S3NetError
from napari_s3net.provenance import PROGRAM, Provenance

if TYPE_CHECKING:
    from napari_s3net.image import Image
    from napari_s3net.io.read import LabelImage
    from napari_s3net.result import Segmentation

#: What a result's JSON tells of each label by its number.
_BY_NUMBER = ("foreground", "names", "meanings", "colours", "codes")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what `run` reads."""
    add = parser.add_argument
    add("input", type=Path, metavar="INPUT", help="the image or volume that was segmented")
    add("--labels", type=Path, required=True, metavar="FILE", help="its labels; the JSON beside them is read too")
    add(
        "--constraints",
        type=Path,
        required=True,
        metavar="FILE",
        help="strokes: 0 not drawn, else a label's number, 32767 object, 32766 background",
    )
    add("--lock", type=int, nargs="+", action="extend", default=[], metavar="ID", help="labels that stay as they are")
    add("-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the result")
    add_formats(parser)
    add("--overlay", action="store_true", help="also draw the object's outline on the image")
    add("--device", default="auto", metavar="NAME", help="auto (default), cpu, cuda, cuda:1 or mps")


def run(options: Namespace) -> int:
    """Correct, and write the result as `segment` does; one line on stdout tells how much has changed.

    Returns
    -------
    int
        0.

    Raises
    ------
    S3NetError
        If the files cannot be read, do not fit together, or the result cannot be written.
    """
    from napari_s3net.correction.refine import refine
    from napari_s3net.export.formats import write_formats
    from napari_s3net.export.result import write_result
    from napari_s3net.io.on_image import read_labels_on
    from napari_s3net.io.validation.headers import stem

    image = _image_of(options.input, _metadata(_beside(options.labels)).get("time"))
    labels = read_labels_on(image, options.input, options.labels)
    drawn = read_labels_on(image, options.input, options.constraints)
    before = _result(options.labels, labels, image)
    result = refine(before, drawn.array, image=image, locked=options.lock, device=options.device)
    changed = float((result.labels != before.labels).mean())
    result = result.with_provenance(source=options.input.name, axis=None, slice=None)
    written = write_result(options.output, stem(options.input), image, result, overlay=options.overlay)
    write_formats(options.output, stem(options.input), result, options.also, options.input)
    made = result.provenance
    note = f" {made.note}" if made.note else ""
    say_more(f"{options.input.name}: {100 * changed:.1f} % changed, {made.seconds:.1f} s, {written[0]}{note}")
    return 0


def _image_of(path: Path, time: Any) -> Image:
    """The image, of several volumes the one that the labels are of, by the JSON beside them."""
    from napari_s3net.io import read_image

    if not isinstance(time, int):
        return read_image(path)
    try:
        return read_image(path, time=time)
    except ReadError:
        if (image := read_image(path)).times > 1:
            raise
        return image  # that volume, in a file of its own


def _beside(labels: Path) -> Path:
    """The JSON that a run wrote beside its labels."""
    from napari_s3net.io.validation.headers import stem

    return labels.with_name(f"{stem(labels).removesuffix('.seg').removesuffix('_labels')}.json")


def _result(path: Path, labels: LabelImage, image: Image) -> Segmentation:
    """Labels with what the JSON beside them knows, object, names and settings; what their file tells comes first.

    A DICOM segmentation numbers its segments from 1: where these are not the JSON's numbers, that says nothing of them.
    """
    from napari_s3net.export.formats import with_segments
    from napari_s3net.result import Segmentation

    beside = _beside(path)
    values = _metadata(beside)
    if path.suffix == ".dcm" and {int(i) for i in values.get("names", ())} != {one.label for one in labels.segments}:
        values = {key: value for key, value in values.items() if key not in _BY_NUMBER}
    if "settings" not in values:
        values = {**values, **_suggested(image).to_dict()}
    try:
        return with_segments(Segmentation.from_metadata(labels.array, image.geometry, values), labels.segments)
    except S3NetError as error:
        raise ReadError(f"{beside.name} beside the labels cannot be used: {error} Mend it, or move it away.") from error


def _metadata(path: Path) -> dict[str, Any]:
    """What an earlier run wrote beside its labels; empty where it is no result of ours."""
    if not path.is_file():
        return {}
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReadError(f"{path.name} beside the labels cannot be read: {error}. Mend it, or move it away.") from error
    return values if isinstance(values, dict) and values.get("program") == PROGRAM else {}


def _suggested(image: Image) -> Provenance:
    """For labels of which nothing is known: the settings of the preset that suits the image."""
    from napari_s3net.preprocessing.suggest import suggest_preset
    from napari_s3net.settings import preset_settings

    name = suggest_preset(image)
    return Provenance(settings=preset_settings(name), preset=name)
