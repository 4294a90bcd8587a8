"""How a result was made, in words: as a list, as Python that makes it again, and as a command."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from napari_s3net.plugin.widgets.text import NARROW, device_label, seconds_text, unit_text
from napari_s3net.settings import Settings, presets


def changes(settings: Settings, preset: str) -> dict[str, Any]:
    """The settings that differ from their preset's.

    Parameters
    ----------
    settings : Settings
        Of a result.
    preset : str
        The preset that they started from.

    Returns
    -------
    dict
        Values by the settings' names.
    """
    base = presets[preset].settings.to_dict()
    return {name: value for name, value in settings.to_dict().items() if value != base[name]}


#: What stands in the place of a command for an image that is from no file, such as a sample.
NO_FILE = "# The image is from no file, so that no command can read it; copy as Python instead."
#: What stands in the place of lines that would make something else.
PARTIAL = "# A range of slices, and all slices of another plane than the file's, are segmented in the dock only."


def as_python(about: Mapping[str, Any], path: str | None, device: str) -> str:
    """Write a result down as lines of Python that make it again.

    Parameters
    ----------
    about : mapping
        The result's metadata.
    path : str or None
        The image's file; where it is None, the image is taken from its layer, for napari's own console.
    device : str
        As `segment` takes it.

    Returns
    -------
    str
        Lines to be pasted; `labels` and `mask` hold the result.
    """
    settings = Settings.from_dict(about["settings"])
    changed = ", ".join(f"{name}={value!r}" for name, value in changes(settings, about["preset"]).items())
    axis, time = _place(about)
    if _is_partial(about):
        return PARTIAL
    planes = {None: "image", 0: f"image.slice({about['slice']})"}
    lies = f"as_image(image.array.take({about['slice']}, axis={axis}), kind=image.kind)"
    if "span" in about:
        planes, call = {0: "image"}, "segment" if about["kind"] == "rgb" else "segment_volume"
    else:
        call = "segment"
    names = ", ".join(sorted({"as_image", "presets", "read_image", call}))
    read = f"image = read_image({path or about['source']!r}{'' if time is None else f', time={time}'})\n"
    if path is None and "geometry" in about and time is None:
        read = _from_layer(about)
    return (
        f"from napari_s3net import {names}\n\n"
        f"{read}"
        f"settings = presets[{about['preset']!r}].settings{f'.replace({changed})' if changed else ''}\n"
        f"result = {call}({planes.get(axis, lies)}, settings=settings, device={device!r})\n"
        "labels, mask = result.labels, result.mask\n"
    )


def as_command(about: Mapping[str, Any], path: str | None, device: str) -> str:
    """Write a result down as a command of the shell that makes it again.

    Parameters
    ----------
    about : mapping
        The result's metadata.
    path : str or None
        The image's file; where it is None, there is no command.
    device : str
        As the command's --device takes it.

    Returns
    -------
    str
        The command, quoted where needed; for a slice along another axis than the first, a comment that says why there
        is none.
    """
    axis, time = _place(about)
    if _is_partial(about):
        return PARTIAL
    if path is None and "geometry" in about:
        return NO_FILE
    if axis:
        return "# The command line takes slices along the first axis only; copy as Python instead."
    settings = Settings.from_dict(about["settings"])
    changed = changes(settings, about["preset"])
    words = ["napari-s3net", "segment", path or about["source"], "-o", "labels", "--preset", about["preset"]]
    words += ["--seed", str(changed.pop("seed", settings.seed)), "--device", device]
    words += [] if about["slice"] is None or "span" in about else ["--slice", str(about["slice"])]
    words += [] if time is None else ["--time", str(time)]
    words += ["--set", *(f"{name}={value}" for name, value in changed.items())] if changed else []
    return shlex.join(words)


def _from_layer(about: Mapping[str, Any]) -> str:
    """Lines that take an image from its layer, with its place in space."""
    colours = "[..., :3]" if about["kind"] == "rgb" else ""
    return (
        "from napari import current_viewer\n"
        "from napari_s3net.image import Geometry, Image\n\n"
        f"array = current_viewer().layers[{about['source']!r}].data{colours}\n"
        f"image = Image(array, {about['geometry']!r}, {about['kind']!r}, {about['source']!r})\n"
    )


def _is_partial(about: Mapping[str, Any]) -> bool:
    """Whether a run was on a range of slices, or on all slices of another plane than the file's."""
    first, last, slices = about.get("span", (0, 0, 1))
    return "span" in about and (bool(_place(about)[0]) or (first, last) != (0, slices - 1))


def _place(about: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """The axis of a result's slice in its volume, and the volume's number in a time series; None where it has none."""
    parts = [about, *(about.get("slices") or ())]
    time = next((part["time"] for part in parts if part.get("time") is not None), None)
    axis = about["axis"]
    return (axis - 1 if time is not None and axis is not None else axis), time


def settings_rows(about: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Everything that was asked for and how it went, for a list.

    Parameters
    ----------
    about : mapping
        The result's metadata.

    Returns
    -------
    list of tuple
        Name and value of each line, both as texts; slices are counted as the slider does.
    """
    rows = [
        ("Image", about["source"]),
        *([("Slice", str(about["slice"]))] if about["slice"] is not None and "span" not in about else []),
        ("Preset", presets[about["preset"]].label),
        ("Version", about["version"]),
        ("Device", device_label(about["device"])),
        ("Time", seconds_text(about["seconds"])),
        ("Iterations done", str(about["iterations"]) + (" (stopped by hand)" if about["stopped"] else "")),
    ]
    for row in Settings.describe():
        value = about["settings"][row["name"]]
        shown = (
            ("yes" if value else "no") if isinstance(value, bool) else f"{value:g}" if row["type"] == "float" else value
        )
        unit = unit_text(row["unit"], row["label"])
        rows.append((row["label"], f"{shown}{'' if unit in ('', '°') else NARROW}{unit}"))
    return rows
