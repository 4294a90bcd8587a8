"""A result to a file, beside its image or where the user wants it: the object's mask, labels, or a further format."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Labels
from napari.utils.notifications import show_error, show_info
from qtpy.QtWidgets import QFileDialog, QMessageBox, QWidget

from napari_s3net.errors import WriteError
from napari_s3net.export.formats import FORMATS, write_formats
from napari_s3net.io.validation.headers import stem
from napari_s3net.plugin.contributions.writer import refuse_image, write_labels
from napari_s3net.plugin.layers.mask_layer import mask_of
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.source import Source
from napari_s3net.plugin.layers.stack import Stack
from napari_s3net.plugin.layers.target import refuse_preview
from napari_s3net.plugin.segment.saved_line import files_of, note_saved
from napari_s3net.plugin.widgets.remembered import recall, remember
from napari_s3net.result import Segmentation
from napari_s3net.segments import Meaning

#: Formats of label images, as a file dialog names them.
LABEL_FILTERS = (
    "NIfTI (*.nii.gz *.nii)",
    "PNG (*.png)",
    "TIFF (*.tif *.tiff)",
    "NRRD (*.nrrd)",
    "MetaImage (*.mha)",
)
#: Formats of `export.formats`; surfaces are those of the object.
FURTHER_FILTERS = {
    "dicom-seg": "DICOM segmentation (*.seg.dcm)",
    "rtstruct": "DICOM structure set (*.rtstruct.dcm)",
    "seg.nrrd": "3D Slicer segmentation (*.seg.nrrd)",
    "coco": "COCO run-length codes (*.coco.json)",
    "stl": "STL surface of the object (*.stl)",
    "ply": "PLY surface of the object (*.ply)",
}


#: Endings of all formats, longer ones first.
ENDINGS = (*FORMATS.values(), ".nii.gz", ".nii", ".png", ".tiff", ".tif", ".nrrd", ".mha")


def save_beside(parent: QWidget, layer: Labels, source: Source | None) -> None:
    """Save a result beside its image, as the last one of this kind was saved; how it went is napari's notification.

    Without a file of the image, in a folder that cannot be written to, and where there is another file of that name,
    the user is asked.

    Parameters
    ----------
    parent : QWidget
        A dialog stands before its window.
    layer : napari.layers.Labels
        The result.
    source : Source or None
        The image's plane in view.
    """
    what, ending = remembered_format(layer.metadata[KEY]["kind"])
    path = place_beside(source, what, ending)
    if path is not None and not os.access(path.parent, os.W_OK):
        show_info(f"The folder {path.parent} cannot be written to. Choose another one.")
        ask_and_save(parent, what, layer, source)
    elif path is None or ((place := _place_of(path, layer)).exists() and place not in files_of(layer)):
        ask_and_save(parent, what, layer, source)
    else:
        _save(path, what, layer, source)


def ask_and_save(parent: QWidget, what: str, layer: Labels, source: Source | None) -> None:
    """Ask for a file, and write a result to it; how it went is napari's notification. The format is remembered.

    Parameters
    ----------
    parent : QWidget
        The dialog stands before its window.
    what : str
        "labels" or "mask".
    layer : napari.layers.Labels
        The result.
    source : Source or None
        The image's plane in view.
    """
    about = layer.metadata[KEY]
    offered = filters(about["kind"], is_stack=source is not None and source.slices > 1)
    known, ending = remembered_format(about["kind"])
    first = next((one for one in offered if f"*{ending}" in one), None) if known == what else None
    if first is None:
        ending = save_ending(about["kind"])
        first = next(one for one in offered if f"*{ending}" in one)
    place = place_beside(source, what, ending)
    if place is None:
        place = Path(recall("save/folder", "")) / f"{about['source']}_{what}{ending}"
    chosen, kind = QFileDialog.getSaveFileName(parent, f"Save {what}", str(place), ";;".join(offered), first)
    if chosen:
        path = _with_ending(Path(chosen), kind)
        # The dialog has asked about what was typed, which may not be what is written.
        if (written := _place_of(path, layer)) == Path(chosen) or _may_replace(parent, written):
            _save(path, what, layer, source)


def remembered_format(kind: str | None) -> tuple[str, str]:
    """How a result was last saved.

    Parameters
    ----------
    kind : str or None
        Of the image; photographs and volumes are saved in formats of their own.

    Returns
    -------
    what : str
        "mask" or "labels"; at first the object's mask.
    ending : str
        Of the format, such as ".png".
    """
    known = recall(f"save/{kind}")
    if isinstance(known, list) and len(known) == 2 and known[0] in ("mask", "labels") and known[1] in ENDINGS:
        return known[0], known[1]
    return "mask", save_ending(kind)


def save_ending(kind: str | None) -> str:
    """The format to offer for saving: NIfTI for what lies in space, PNG for photographs, TIFF for the rest.

    Parameters
    ----------
    kind : str or None
        Of the image; None for grey.

    Returns
    -------
    str
        ".nii.gz", ".png" or ".tif".
    """
    return {"rgb": ".png", "ct": ".nii.gz", "mr": ".nii.gz"}.get(kind or "grey", ".tif")


def place_beside(source: Source | None, what: str, ending: str) -> Path | None:
    """Name the file beside the image.

    Parameters
    ----------
    source : Source or None
        The image's plane in view.
    what : str
        "labels" or "mask".
    ending : str
        Of the format.

    Returns
    -------
    Path or None
        Such as "IMD002_mask.png"; None where the image is from no file on this machine.
    """
    image = None if source is None or source.path is None else Path(source.path)
    if image is None or not image.exists():
        return None
    name = stem(image) if image.is_file() else image.name
    return image.parent / f"{name}_{what}{ending}"


def _save(path: Path, what: str, layer: Labels, source: Source | None) -> None:
    try:
        written = save_result(path, what, layer, source)
    except Exception as error:  # noqa: BLE001 - a writer may fail in any way, and napari must not go down with it
        show_error(str(error))
        return
    note_saved(layer, written, what)
    if (ending := _ending(path)) is not None:
        remember(f"save/{layer.metadata[KEY]['kind']}", [what, ending])
    remember("save/folder", str(written.parent))
    show_info(f"Saved {written.name} in {written.parent.name or written.parent}")


def _ending(path: Path) -> str | None:
    return next((one for one in ENDINGS if path.name.lower().endswith(one)), None)


def _with_ending(path: Path, chosen: str) -> Path:
    """A path with the ending of the format that was chosen, where it has none of its own."""
    ending = re.search(r"\*(\S+?)[ )]", chosen)
    return path if path.suffix or ending is None else path.with_name(path.name + ending[1])


def _place_of(path: Path, layer: Labels) -> Path:
    """What is written: the file itself, or of a stack as PNG a folder."""
    is_folder = path.suffix.lower() == ".png" and layer.ndim == 3
    return path.with_suffix("") if is_folder else path


def _may_replace(parent: QWidget, place: Path) -> bool:
    """Ask before something is replaced that the file dialog has not asked about."""
    if not place.exists():
        return True
    question = f"{place.name} is there already. Replace it?"
    return bool(QMessageBox.question(parent, "Save", question) == QMessageBox.StandardButton.Yes)


def filters(kind: str | None, *, is_stack: bool) -> tuple[str, ...]:
    """List the formats to choose from, as a file dialog names them.

    Parameters
    ----------
    kind : str or None
        Of the image.
    is_stack : bool
        Whether there are slices; only these have a surface, or a DICOM series.

    Returns
    -------
    tuple of str
        Such as "PNG (*.png)".
    """
    further = [
        text for name, text in FURTHER_FILTERS.items() if name == "coco" or (name == "seg.nrrd" and kind != "rgb")
    ]
    return (*LABEL_FILTERS, *(FURTHER_FILTERS.values() if is_stack else further))


def save_result(path: Path, what: str, layer: Labels, source: Source | None) -> Path:
    """Write a result layer, in the format that the path ends in.

    Parameters
    ----------
    path : Path
        What the user typed.
    what : str
        "labels" or "mask".
    layer : napari.layers.Labels
        The result.
    source : Source or None
        The image's plane in view: of a time series its volume is written, and it says where the series lies.

    Returns
    -------
    Path
        The file; of a stack as PNG the folder.

    Raises
    ------
    WriteError, InvalidImageError
        If the folder is gone or the path is the image's own; if it cannot be written in this format, or there, as
        `write_labels` and `write_formats` say.
    """
    refuse_preview(layer)
    if not path.parent.is_dir():
        raise WriteError(f"Cannot write {path.name}: there is no folder {path.parent}. Choose one that is there.")
    refuse_image(path, [None if source is None or source.path is None else Path(source.path)])
    name = next((name for name, ending in FORMATS.items() if path.name.lower().endswith(ending)), None)
    if name is None:
        data, attributes, _ = (layer if what == "labels" else mask_of(layer)).as_layer_data_tuple()
        write_labels(str(path), data, attributes)
        return _place_of(path, layer)
    base = path.name.removesuffix(FORMATS[name])
    series = None if source is None or source.path is None else Path(source.path)
    result = _result_of(layer, source)
    if what == "mask":
        result = _object_alone(result)
    (written,) = write_formats(path.parent, base, result, [name], series)
    return written


def _object_alone(result: Segmentation) -> Segmentation:
    """The object as the only label of a result, called what it is."""
    mask = np.isin(result.labels, result.foreground).astype(np.int32)
    own = [result.colours[one] for one in result.foreground if one in result.colours]
    colours = dict(zip((1,), own, strict=False))
    name = result.object_name or "Object"
    return replace(
        result, labels=mask, foreground=(1,), names={1: name}, meanings={1: Meaning(name)}, colours=colours, codes={}
    )


def _result_of(layer: Labels, source: Source | None) -> Segmentation:
    """The layer as a result; of a time series the volume at the moment in view."""
    about: dict[str, Any] = layer.metadata[KEY]
    labels, geometry, time = np.asarray(layer.data), about["geometry"], None
    if labels.ndim > 3:
        if source is None or source.key.axis != labels.ndim - 3:
            raise WriteError("Show the slices in their own plane first: one volume of the series is written.")
        labels, time = labels[source.key.steps[: labels.ndim - 3]], source.key.time
        geometry = Stack.whole(source).read().geometry
    result = Segmentation.from_metadata(labels.astype(np.int32), geometry, about)
    # The metadata tells which slice was segmented last; all of them are written.
    return result.with_provenance(axis=None, slice=None, time=time)
