"""What napari calls to open a file: image layers in mm, with a window that suits them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_s3net.errors import HoldsLabelsError, UnsupportedFormatError
from napari_s3net.image import Image
from napari_s3net.io import TimeSeries, is_readable, read_labels, read_stack, read_times
from napari_s3net.io.validation.headers import stem
from napari_s3net.plugin.jobs.prefetch import Prefetch, stamp
from napari_s3net.settings import preset_settings

LayerData = tuple[Any, dict[str, Any], str]
#: Intensities without a unit are stretched between these percentiles, of at most this many values.
ROBUST = (0.5, 99.5)
SAMPLE = 1_000_000
#: What napari takes for "read, and no layer to add".
NO_LAYER: Any = (None,)
#: The image that is likely to be opened next.
ahead: Prefetch[Image | TimeSeries] = Prefetch()


def read_ahead(path: Path) -> None:
    """Read an image in a thread, so that `read` has it at once; nothing for folders and large files.

    Parameters
    ----------
    path : Path
        The file that is likely to be opened next; what was read ahead before is dropped.
    """
    if (key := stamp(path)) is not None:
        ahead.begin(key, partial(read_times, str(path)))


def get_reader(path: str | Sequence[str]) -> Callable[[Any], list[LayerData]] | None:
    """Tell napari whether this plugin reads a path.

    Parameters
    ----------
    path : str or list of str
        A file or folder; or several planes that are opened as one stack.

    Returns
    -------
    callable or None
        `read`; None for addresses on the web, Zarr folders, and files of formats that are not read here. A damaged file
        is claimed all the same, so that the user is told what is wrong with it.
    """
    paths = [path] if isinstance(path, str) else list(path)
    return read if paths and all(map(_is_ours, paths)) else None


def _is_ours(path: str) -> bool:
    """Whether a path is a folder, or a file whose name or content is one of the formats."""
    if "://" in path or path.rstrip("/\\").lower().endswith(".zarr"):
        return False
    return Path(path).is_dir() or is_readable(path)


def read(path: str | Sequence[str]) -> list[LayerData]:
    """Open a path as napari's layer data.

    Parameters
    ----------
    path : str or sequence of str
        A file, a folder, or the files of one series.

    Returns
    -------
    list of tuple
        One layer: array, attributes, and "image"; or "labels" where the file holds labels. napari's sign for "no layer"
        where the folder holds single images: then the Batch dock is open on it.

    Raises
    ------
    ReadError
        With a message for the user; napari shows it and stays as it was.
    """
    paths = [path] if isinstance(path, str) else path
    try:
        one = partial(read_times, paths[0])
        opened = read_stack(paths) if len(paths) > 1 else ahead.take(stamp(Path(paths[0])), one)
        return [series_data(opened) if isinstance(opened, TimeSeries) else layer_data(opened)]
    except HoldsLabelsError:
        return [labels_data(paths[0])]
    except UnsupportedFormatError:
        if len(paths) == 1 and _leads_to_batch(Path(paths[0])):
            return [NO_LAYER]
        raise


def _leads_to_batch(folder: Path) -> bool:
    """Whether it is a folder of images that the Batch dock was opened on; without a window there is none."""
    if not folder.is_dir():
        return False
    from napari_s3net.plugin.contributions.photo_folder import lead_to_batch

    return lead_to_batch(folder)


def labels_data(path: str) -> LayerData:
    """Read a file that holds labels, such as a DICOM segmentation.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    tuple
        The array, the layer's attributes and "labels", on the image that is open where they lie on one. Scale in mm or
        pixels; names are in the features, colours in the layer's colormap. Of a time series it has an axis of time in
        front, whose step is 1.

    Raises
    ------
    ReadError
        If the file cannot be read.
    """
    from napari_s3net.plugin.contributions.labels_in_place import lay_on_open_image

    labels, transform = lay_on_open_image(read_labels(path, times=True), Path(path).name)
    times = labels.array.ndim - labels.geometry.ndim
    attributes: dict[str, Any] = {
        "name": stem(Path(path)),
        "scale": (*(1.0,) * times, *labels.geometry.spacing),
        "units": (*("pixel",) * times, *(labels.geometry.unit,) * labels.geometry.ndim),
        "metadata": {"napari_s3net": {"geometry": labels.geometry, "codes": labels.codes}},
        **transform,
    }
    if labels.names:
        attributes["features"] = {"index": list(labels.names), "name": list(labels.names.values())}
    if any(segment.colour for segment in labels.segments):
        from napari_s3net.plugin.layers.layer_segments import segment_colormap

        attributes["colormap"] = segment_colormap(labels.segments)
    return labels.array, attributes, "labels"


def layer_data(image: Image) -> LayerData:
    """Make the data of an image layer.

    Parameters
    ----------
    image : Image
        A plane or a stack.

    Returns
    -------
    tuple
        The array, the layer's attributes and "image". The scale is the spacing in mm, or 1 pixel where the file does
        not tell; there is no affine, for painting on an oblique plane goes wrong: the direction stays in the metadata.
    """
    attributes: dict[str, Any] = {
        "name": image.name,
        "scale": image.geometry.spacing,
        "rgb": image.kind == "rgb",
        "units": (image.geometry.unit,) * image.geometry.ndim,
        "metadata": {"napari_s3net": {"geometry": image.geometry, "kind": image.kind}},
    }
    if image.kind != "rgb":
        attributes["contrast_limits"] = contrast_limits(image)
    return image.array, attributes, "image"


def series_data(series: TimeSeries) -> LayerData:
    """Make the data of an image layer that has a slider of time before that of the slices.

    Parameters
    ----------
    series : TimeSeries
        Several volumes.

    Returns
    -------
    tuple
        As `layer_data` of the first volume, with an axis of time in front, whose step is 1.
    """
    _, attributes, kind = layer_data(series.first)
    attributes["scale"] = (1.0, *attributes["scale"])
    attributes["units"] = ("pixel", *attributes["units"])
    return series.array, attributes, kind


def contrast_limits(image: Image) -> tuple[float, float]:
    """Choose the intensities that are shown from black to white.

    Parameters
    ----------
    image : Image
        A plane or a stack.

    Returns
    -------
    low, high : float
        In the image's values, low below high: of a CT the window of the preset that suits it, in HU; 0 and 255 for 8
        bits; else the percentiles 0.5 and 99.5, of about a million values.
    """
    if image.kind == "ct":
        from napari_s3net.preprocessing.suggest import suggest_preset

        window = preset_settings(suggest_preset(image))
        return window.window_low, window.window_high
    if image.array.dtype == np.uint8:
        return 0.0, 255.0
    values = image.array.ravel()[:: max(1, image.array.size // SAMPLE)]
    values = values[np.isfinite(values)]
    low, high = np.percentile(values, ROBUST) if values.size else (0.0, 1.0)
    return (float(low), float(high)) if low < high else (float(low), float(low) + 1.0)
