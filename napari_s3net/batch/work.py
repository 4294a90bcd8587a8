"""One file: read, segment, measure, write. Runs in a worker process; whatever goes wrong becomes a row."""

from __future__ import annotations

import math
import sys
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

import numpy as np
from numpy.typing import NDArray

from napari_s3net.batch import card
from napari_s3net.batch.file_row import FileRow
from napari_s3net.batch.fit import fit, iter_fitted
from napari_s3net.batch.folder import inside
from napari_s3net.batch.items import input_digest
from napari_s3net.batch.plan import FURTHER, LONGEST, FileJob, left_out
from napari_s3net.errors import OutOfMemoryError, ReadWarning, S3NetError
from napari_s3net.io.validation.limits import shown
from napari_s3net.runtime.child_server import NOBODY, Caller
from napari_s3net.runtime.generators import follow
from napari_s3net.runtime.oom_retry import CARD_FAILED, Attempt
from napari_s3net.settings import Settings, preset_settings

if TYPE_CHECKING:
    from napari_s3net.image import Image
    from napari_s3net.progress import Step
    from napari_s3net.result import Segmentation

#: Longer side of the pictures in the report.
THUMBNAIL = 96

#: A segmentation, or the steps to one.
Made = Union["Segmentation", Generator["Step", bool | None, "Segmentation"]]
Segmenter = Callable[["Image", Settings, str], Made]


def segment_image(
    image: Image, settings: Settings, device: str, mode: str = "volume"
) -> Generator[Step, bool | None, Segmentation]:
    """Segment one image of a batch: the network is trained on each plane, or once for a volume.

    Parameters
    ----------
    image : Image
        A plane or a stack.
    settings : Settings
        What was asked for.
    device : str
        As in `segment`.
    mode : {"volume", "slices"}
        Of a stack of one intensity a voxel.

    Yields
    ------
    Step
        As `iter_mode`; `send(True)` stops and keeps what there is.

    Returns
    -------
    Segmentation
        Of the whole image.
    """
    from napari_s3net.volume.slices import iter_planes
    from napari_s3net.volume.whole import iter_mode, usual_mode

    used = usual_mode(image, settings) if mode == "volume" else "slices"
    if card.address and settings.variant == "s3net" and not (image.is_stack and used == "volume"):
        return (yield from iter_planes(image, lambda plane: _iter_on_card(plane, settings, card.address)))
    try:
        return (yield from iter_mode(image, settings, device=device, mode=used))
    except RuntimeError as error:
        from napari_s3net.runtime.device import is_device_lost

        if device == "cpu" or not is_device_lost(error):
            raise
    result = yield from iter_mode(image, settings, device="cpu", mode=used)
    return result.with_provenance(note=f"{CARD_FAILED} Computed on the CPU. {result.provenance.note}".strip())


def _iter_on_card(plane: Image, settings: Settings, address: str) -> Generator[Step, bool | None, Segmentation]:
    """Segment a plane that a card's process trains on, among others; on the CPU where that process is lost."""
    from napari_s3net.segmentation import iter_segment, segment_with

    try:
        return segment_with(plane, settings, partial(card.train_there, address))
    except card.CardLostError as error:
        lost = f"{error} Computed on the CPU."
    result = yield from iter_segment(plane, settings, device="cpu")
    return result.with_provenance(note=f"{lost} {result.provenance.note}".strip())


def trains_planes(segmenter: str) -> bool:
    """Whether a segmenter, by its "module:name", trains networks on planes, which a card's process can do for it.

    Parameters
    ----------
    segmenter : str
        Its name.

    Returns
    -------
    bool
        True for the one of this package.
    """
    return segmenter == f"{__name__}:{segment_image.__name__}"


def do(job: FileJob, caller: Caller = NOBODY) -> tuple[FileRow, bool]:
    """Do a job.

    Parameters
    ----------
    job : FileJob
        What to do.
    caller : Caller
        Is told when the file is being read, and which slice of a stack is worked on.

    Returns
    -------
    row : FileRow
        What became of the file.
    out_of_memory : bool
        Whether memory ran out on the way.
    """
    started = time.perf_counter()
    row = FileRow(file=job.file, status="failed", settings=job.digest)
    try:
        if job.fit_on:
            row = fit(job)
        else:
            row = replace(row, input=input_digest(Path(job.path), job.files))
            row = _process(job, row, caller)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one file, the others are done
        row = replace(row, status="failed", error=reason(error, job.file))
        out_of_memory = _is_out_of_memory(error)
    else:
        out_of_memory = False
    return replace(row, seconds=round(time.perf_counter() - started, 4)), out_of_memory


def reason(error: Exception, file: str) -> str:
    """Say why a file failed, in one line.

    Parameters
    ----------
    error : Exception
        What was raised.
    file : str
        Its name in the report; a message that begins with the file's name loses it, for the row has it.

    Returns
    -------
    str
        Without line breaks.
    """
    if isinstance(error, S3NetError):
        words = str(error)
    elif isinstance(error, FileNotFoundError):
        words = "It is not there any more."
    elif isinstance(error, OSError):
        words = f"Cannot read it: {error.strerror or error}."
    elif isinstance(error, MemoryError):
        words = "Out of memory."
    else:
        words = f"Unexpected {type(error).__name__}: {error}"
    return " ".join(words.split()).removeprefix(f"Cannot read {shown(Path(file))}: ")


def _process(job: FileJob, row: FileRow, caller: Caller) -> FileRow:
    """The row of a file with which all went well."""
    from napari_s3net.preprocessing.suggest import suggest_preset

    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        image = _read(job, caller)
    name = suggest_preset(image) if job.preset == "auto" else job.preset
    settings = _settings(name, tuple(job.changes.items()), job.shrink)
    if job.learned:
        from napari_s3net.learning.predict import iter_learned

        result = _result(iter_learned(image, Path(job.learned), job.device), job.file, caller)
    elif job.model:
        result = _result(iter_fitted(image, Path(job.output) / job.model), job.file, caller)
    else:
        segmenter = _load(job.segmenter)
        if trains_planes(job.segmenter):
            segmenter = partial(segment_image, mode=job.mode)
        result = _result(segmenter(image, settings, job.device), job.file, caller)
    result = result.with_provenance(source=Path(job.path).name, input_digest=row.input)
    if not job.learned:
        result = result.with_provenance(preset=name)
    mask = result.mask
    outputs, unwritten = _write(job, image, result, mask)
    _keep_settings(job, result.settings)
    return replace(
        row,
        status="done",
        confidence=round(float(result.confidence), 4) if math.isfinite(result.confidence) else None,
        share=round(float(mask.mean()), 6),
        note=" ".join(filter(None, (*_texts(remarks), "" if job.learned else result.provenance.note, unwritten))),
        outputs=outputs,
        sizes={kind: (Path(job.output) / path).stat().st_size for kind, path in outputs.items()},
        metadata=_brief_metadata(result),
        regions=_measure(image, result) if "measurements" in job.write else (),
    )


def _texts(remarks: Sequence[warnings.WarningMessage]) -> list[str]:
    """What reading a file remarked."""
    return [str(remark.message) for remark in remarks if issubclass(remark.category, ReadWarning)]


def _read(job: FileJob, caller: Caller) -> Image:
    """The image, decoded in this process: it may die of one file, and its parent knows what it was doing."""
    from napari_s3net.io.read import read_image_here

    caller.tell(reading=True)
    image = read_image_here(job.path, series=job.series, files=job.files, caller=caller)
    caller.tell(reading=False)
    caller.allow(LONGEST)
    return image


def _result(made: Made, file: str, caller: Caller) -> Segmentation:
    """What the steps lead to; each slice of a stack is told."""
    if not isinstance(made, Generator):
        return made
    told = -1

    def look(step: Step) -> None:
        nonlocal told
        if step.slices > 1 and step.slice != told:
            told = step.slice
            caller.tell(file=file, slice=told + 1, slices=step.slices)

    return follow(made, look)


@lru_cache(maxsize=16)
def _settings(name: str, changes: tuple[tuple[str, Any], ...], shrink: int) -> Settings:
    """What was asked for; after memory ran out, at a smaller working size."""
    return Attempt(shrink, "auto").settings(preset_settings(name).replace(**dict(changes)))


@lru_cache(maxsize=16)
def _digest(settings: Settings) -> str:
    """Of many images with the same settings it is asked for once."""
    return settings.digest


def _load(name: str) -> Segmenter:
    """A function by its "module:name"."""
    module, _, attribute = name.partition(":")
    found: Any = import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    segmenter: Segmenter = found
    return segmenter


def _write(job: FileJob, image: Image, result: Segmentation, mask: NDArray[np.bool_]) -> tuple[dict[str, str], str]:
    """Write what was asked for, each file whole or not at all; the paths in the output folder, and what is left out."""
    from napari_s3net import io
    from napari_s3net.export.formats import mask_segment, segments_of
    from napari_s3net.export.overlay import draw_overlay, fullest_plane
    from napari_s3net.export.result import label_suffix

    suffix, output = label_suffix(image), Path(job.output)
    endings = {"labels": suffix, "masks": suffix, "overlays": ".png"}
    outputs = {kind: f"{kind}/{job.stem}{end}" for kind, end in endings.items() if kind in job.write}
    outputs["thumbnails"] = f"thumbnails/{job.stem}.jpg"
    paths = {kind: inside(output, relative) for kind, relative in outputs.items()}
    if "labels" in paths:
        io.write_labels(paths["labels"], result.labels, image.geometry, segments=segments_of(result))
    if "masks" in paths:
        io.write_labels(paths["masks"], mask, image.geometry, mask=True, segments=[mask_segment(result.object_name)])
    plane, region = fullest_plane(image, mask)
    if "overlays" in paths:
        io.write_png(paths["overlays"], draw_overlay(plane, region, settings=result.settings))
    step = -(-max(region.shape) // THUMBNAIL)
    small = replace(plane, array=np.ascontiguousarray(plane.array[::step, ::step]))
    io.write_jpeg(paths["thumbnails"], draw_overlay(small, region[::step, ::step], settings=result.settings))
    further, unwritten = _write_further(job, result)
    return outputs | further, unwritten


def _write_further(job: FileJob, result: Segmentation) -> tuple[dict[str, str], str]:
    """Write the further formats that were asked for; a result that does not suit one is whole without it."""
    from napari_s3net.export.formats import FORMATS, write_formats

    outputs, unwritten = {}, []
    for name in (name for name in FURTHER if name in job.write):
        relative = f"{name}/{job.stem}{FORMATS[name]}"
        path = inside(Path(job.output), relative)
        try:
            write_formats(path.parent, path.name.removesuffix(FORMATS[name]), result, [name], Path(job.path))
        except S3NetError as error:
            unwritten.append(f"{left_out(name)}{error}")
        else:
            outputs[name] = relative
    return outputs, " ".join(unwritten)


def _keep_settings(job: FileJob, settings: Settings) -> None:
    """Keep the settings that were used, once for all files: their name tells what is in them."""
    from napari_s3net.io import write_json

    path = inside(Path(job.output), f"settings/{_digest(settings)}.json")
    if not path.exists():
        write_json(path, settings.to_dict())


def _brief_metadata(result: Segmentation) -> dict[str, Any]:
    """What a row holds of how a result was made: nothing that is empty, and the digest of the settings."""
    brief = replace(result, provenance=result.provenance.without_losses())
    values = {**brief.metadata(), "settings": _digest(result.settings)}
    values |= {
        name: {str(i): value for i, value in values[name].items()} for name in ("names", "meanings", "colours", "codes")
    }  # as in JSON
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def _measure(image: Image, result: Segmentation) -> tuple[dict[str, Any], ...]:
    """Rows of the table of measurements."""
    from napari_s3net.labels.regions import measure_regions

    asymmetry = result.settings.target == "lesion"
    regions = measure_regions(
        result.labels, image, foreground=result.foreground, names=result.names, asymmetry=asymmetry
    )
    return tuple(region.to_columns() for region in regions)


def _is_out_of_memory(error: Exception) -> bool:
    """Whether memory ran out; torch is asked only where it is there already."""
    if isinstance(error, (OutOfMemoryError, MemoryError)):
        return True
    if "torch" not in sys.modules:
        return False
    from napari_s3net.runtime.device import is_out_of_memory

    return is_out_of_memory(error)
