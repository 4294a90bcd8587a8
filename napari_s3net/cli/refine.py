"""Correct saved labels by saved strokes: the command line's `refine`."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_s3net.errors import InvalidConstraintsError, ReadError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_s3net.image import Image, Segmentation
    from napari_s3net.settings import Settings


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
    add("--overlay", action="store_true", help="also draw the object's outline on the image")
    add("--device", default="auto", metavar="NAME", help="auto (default), cpu, cuda, cuda:1 or mps")


def run(options: Namespace) -> int:
    """Correct, and write the result as `segment` does.

    Raises
    ------
    S3NetError
        If the files cannot be read, do not fit together, or the result cannot be written.
    """
    from napari_s3net.export.result import write_result
    from napari_s3net.io import read_image
    from napari_s3net.io.validation.headers import stem

    image = read_image(options.input)
    labels, drawn = (_whole_numbers(path, image) for path in (options.labels, options.constraints))
    before = _result(options.labels, labels, image)
    result = _refined(image, before, drawn, options)
    changed = float((result.labels != before.labels).mean())
    written = write_result(
        options.output, stem(options.input), image, result, overlay=options.overlay, source=options.input.name
    )
    note = f" {result.note}" if result.note else ""
    sys.stdout.write(
        f"{options.input.name}: {100 * changed:.1f} % changed, {result.seconds:.1f} s, {written[0]}{note}\n"
    )
    return 0


def _whole_numbers(path: Path, image: Image) -> NDArray[np.int32]:
    """A label image of the image's shape; of a picture in colours the first one."""
    import numpy as np

    from napari_s3net.io import read_image

    read = read_image(path)
    array = read.array[..., 0] if read.kind == "rgb" else read.array
    if array.shape != image.shape:
        raise InvalidConstraintsError(f"{path.name} is {array.shape}, the image is {image.shape}; expected the same.")
    if array.dtype.kind == "f" and not np.array_equal(array, np.round(array)):
        raise InvalidConstraintsError(f"Expected whole numbers in {path.name}.")
    return np.asarray(array, np.int32)


def _result(path: Path, labels: NDArray[np.int32], image: Image) -> Segmentation:
    """Labels with what the JSON beside them knows: object, names and settings."""
    from napari_s3net.image import Segmentation
    from napari_s3net.io.validation.headers import stem

    note = _note(path.with_name(f"{stem(path).removesuffix('_labels')}.json"))
    return Segmentation(
        labels,
        tuple(int(i) for i in note.get("foreground", ())),
        image.geometry,
        _settings(note, image),
        {int(i): str(name) for i, name in note.get("names", {}).items()},
        confidence=float(note.get("confidence", 0.0)),
    )


def _note(path: Path) -> dict[str, Any]:
    """What an earlier run wrote beside its labels; empty where it is no result of ours."""
    if not path.is_file():
        return {}
    try:
        note: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReadError(f"{path.name} beside the labels cannot be read: {error}. Mend it, or move it away.") from error
    return note if isinstance(note, dict) and note.get("program") == "napari-s3net" else {}


def _settings(note: dict[str, Any], image: Image) -> Settings:
    """Those of the earlier run, else those of the preset that suits the image."""
    from napari_s3net.preprocessing.features import suggest_preset
    from napari_s3net.settings import Settings, preset

    return Settings.from_dict(note["settings"]) if "settings" in note else preset(suggest_preset(image))


def _refined(image: Image, before: Segmentation, drawn: NDArray[np.int32], options: Namespace) -> Segmentation:
    """The corrected result; of a volume, of the slices that hold strokes."""
    from napari_s3net.correction.refine import refine

    if not image.is_stack:
        return refine(before, drawn, image=image, locked=options.lock, device=options.device)
    labels, foreground, seconds, note = before.labels.copy(), set(before.foreground), 0.0, ""
    for index in range(len(labels)):
        if drawn[index].any():
            plane = replace(before, labels=before.labels[index], geometry=image.geometry.plane(index))
            part = refine(plane, drawn[index], image=image.slice(index), locked=options.lock, device=options.device)
            labels[index], seconds, note = part.labels, seconds + part.seconds, part.note or note
            foreground.update(part.foreground if before.foreground else ())
    return replace(before, labels=labels, foreground=tuple(sorted(foreground)), seconds=seconds, note=note)
