"""Presets of the user's own: a small file each, beside what the docks remember."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from napari_s3net.errors import InvalidSettingsError
from napari_s3net.io.write import replacing
from napari_s3net.plugin.widgets import remembered
from napari_s3net.preset_files import OwnPreset, read_preset
from napari_s3net.settings import presets

#: Before the name of a preset of the user's own, as its key in a list.
OWN = "own:"


def preset_choices(own: Iterable[str]) -> list[tuple[str, str]]:
    """List what can be chosen: the shipped presets, and below them the user's own.

    Parameters
    ----------
    own : iterable of str
        Names of the user's own.

    Returns
    -------
    list of tuple
        Text and key of each.
    """
    return [*((preset.label, name) for name, preset in presets.items()), *((name, OWN + name) for name in own)]


def preset_folder() -> Path:
    """Where the presets lie.

    Returns
    -------
    Path
        "presets" beside the file of `remembered`; it need not exist.
    """
    return remembered.memory_file().parent / "presets"


def own_presets() -> dict[str, OwnPreset]:
    """Read all presets of the user's own.

    Returns
    -------
    dict of str to OwnPreset
        By their names, in alphabetical order; a file that is damaged, or from a newer version, is left out and stays.
    """
    found = {}
    for path in preset_folder().glob("*.json"):
        try:
            preset = read_preset(path)
        except InvalidSettingsError:
            continue
        if path == _file_of(preset.label):
            found[preset.label] = preset
    return {name: found[name] for name in sorted(found, key=str.casefold)}


def keep_preset(preset: OwnPreset) -> None:
    """Keep a preset, in the place of one of the same name.

    Parameters
    ----------
    preset : OwnPreset
        What is kept.

    Raises
    ------
    WriteError
        If it cannot be written.
    """
    write_preset(_file_of(preset.label), preset)


def write_preset(path: Path, preset: OwnPreset) -> None:
    """Write a preset to a file, which is never there in part.

    Parameters
    ----------
    path : Path
        Where; its folder is made.
    preset : OwnPreset
        What.

    Raises
    ------
    WriteError
        If it cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(preset.to_json(), encoding="utf-8")


def drop_preset(name: str) -> None:
    """Delete a preset of the user's own; nothing where there is none of that name.

    Parameters
    ----------
    name : str
        Its name.
    """
    _file_of(name).unlink(missing_ok=True)


def _file_of(name: str) -> Path:
    """A file for a name, whatever letters are in it."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return preset_folder() / f"{digest}.json"
