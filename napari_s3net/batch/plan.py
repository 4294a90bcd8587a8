"""What a batch is asked to do, and what of it one file's worker has to know."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_s3net.errors import InvalidSettingsError
from napari_s3net.settings import Settings, preset_settings, presets

#: What may be written, and what is unless told otherwise.
KINDS = ("labels", "masks", "overlays", "measurements")
USUAL = ("labels", "masks", "measurements")
#: Image by image; one model for the whole folder.
FITS = ("image", "folder")
#: A file that takes longer than a day is given up; in seconds.
LONGEST = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a batch is asked to do: from a folder of images to a folder of results.

    Parameters
    ----------
    source : Path
        Folder with images, or with one or more DICOM series.
    output : Path
        Folder for the results; made where missing.
    preset : str
        A name in `presets`, or "auto": each image gets what suits its kind.
    changes : mapping
        Settings unlike the preset's, by name.
    pattern : str
        Only files whose name matches, as in a shell: "*.jpg"; with a slash, whose path below `source` does.
    recursive : bool
        Folders within as well.
    write : tuple of str
        Some of `KINDS`.
    fit : {"image", "folder"}
        Image by image, or one model for all.
    device : str
        As in `segment`; with "auto", workers share the graphics cards of their machine.

    Raises
    ------
    InvalidSettingsError
        If preset, settings, `write` or `fit` cannot be used.
    """

    source: Path
    output: Path
    preset: str = "auto"
    changes: Mapping[str, Any] = field(default_factory=dict)
    pattern: str = ""
    recursive: bool = False
    write: tuple[str, ...] = USUAL
    fit: str = "image"
    device: str = "auto"

    def __post_init__(self) -> None:
        for name in self._presets:
            preset_settings(name).replace(**self.changes)
        if unknown := [kind for kind in self.write if kind not in KINDS] or ([] if self.write else ["nothing"]):
            raise InvalidSettingsError(f"A batch writes some of {', '.join(KINDS)}; got {', '.join(unknown)}.")
        if self.fit not in FITS:
            raise InvalidSettingsError(f"A model is fitted on each {' or on the '.join(FITS)}; got {self.fit!r}.")

    @property
    def _presets(self) -> tuple[str, ...]:
        return tuple(presets) if self.preset == "auto" else (self.preset,)

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that are equal exactly where the same image gets the same settings."""
        return _digest({name: preset_settings(name).replace(**self.changes).to_dict() for name in self._presets})

    def settings(self, name: str) -> Settings:
        """Return the settings of an image for which a preset was chosen.

        Parameters
        ----------
        name : str
            Name of the preset.

        Returns
        -------
        Settings
            The preset's, with the plan's changes.
        """
        return preset_settings(name).replace(**self.changes)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True, kw_only=True)
class FileJob:
    """One file, in plain values that travel to another process or another machine.

    Parameters
    ----------
    run : str
        Which run it belongs to, so that the run can be ended.
    file : str
        Its name in the report: the path below the source folder, with slashes.
    path : str
        Where it is.
    series : str or None
        Id of the series in a DICOM folder; None for a file.
    files : tuple of str
        The names of the series' files.
    stem : str
        Path of its results below `output/labels` and the like, without suffix.
    output : str
        The output folder.
    preset, changes, write, device
        As in `Plan`.
    digest : str
        `Plan.digest`, which goes into the row.
    segmenter : str
        "module:name" of what segments.
    search : tuple of str
        Where modules are looked for.
    shrink : int
        The working size is divided by this, after memory ran out.
    model : str
        Path below the output folder of a model that was fitted on the folder; empty where each image has its own.
    fit_on : tuple of (str, str or None)
        Paths and series to fit that model on; of the one job that does so.
    """

    run: str
    file: str
    path: str
    series: str | None
    stem: str
    output: str
    preset: str
    changes: Mapping[str, Any]
    write: tuple[str, ...]
    device: str
    digest: str
    segmenter: str
    search: tuple[str, ...] = ()
    shrink: int = 1
    model: str = ""
    fit_on: tuple[tuple[str, str | None], ...] = ()
    files: tuple[str, ...] = ()
