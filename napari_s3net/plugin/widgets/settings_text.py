"""How a result was made, as a list of names and values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_s3net.plugin.widgets.device_text import device_label
from napari_s3net.plugin.widgets.text import NARROW, seconds_text, unit_text
from napari_s3net.settings import Settings, presets


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
