"""What a batch is asked to do, and what of it one file's worker has to know."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_s3net.errors import InvalidSettingsError, ModelFileError
from napari_s3net.settings import Settings, preset_settings, presets

#: What may be written, and what is unless told otherwise.
KINDS = ("labels", "masks", "overlays", "measurements")
USUAL = ("labels", "masks", "measurements")
#: Formats of `export.formats` that are written too where they are asked for, each in a folder of its own.
FURTHER = ("dicom-seg", "rtstruct", "seg.nrrd", "coco", "stl", "ply")
#: Image by image; one model for the whole folder.
FITS = ("image", "folder")
#: A stack as one object; each of its slices on its own.
STACK_MODES = ("volume", "slices")
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
        Some of `KINDS`, and of the further formats in `FURTHER`.
    fit : {"image", "folder"}
        Image by image, or one model for all.
    model : Path or None
        A file that `learn` wrote: it says what each pixel is, instead of a network trained on each image.
    device : str
        As in `segment`; with "auto", workers share the graphics cards of their machine.
    mode : {"volume", "slices"}
        Stacks of one intensity a voxel as one object each, or slice by slice; see `segment_volume`.

    Raises
    ------
    InvalidSettingsError
        If preset, settings, `write`, `fit` or `mode` cannot be used.
    ModelFileError
        If the model cannot be read.
    """

    source: Path
    output: Path
    preset: str = "auto"
    changes: Mapping[str, Any] = field(default_factory=dict)
    pattern: str = ""
    recursive: bool = False
    write: tuple[str, ...] = USUAL
    fit: str = "image"
    model: Path | None = None
    device: str = "auto"
    mode: str = "volume"

    def __post_init__(self) -> None:
        for name in self._presets:
            preset_settings(name).replace(**self.changes)
        known = (*KINDS, *FURTHER)
        if unknown := [kind for kind in self.write if kind not in known] or ([] if self.write else ["nothing"]):
            raise InvalidSettingsError(f"A batch writes some of {', '.join(known)}; got {', '.join(unknown)}.")
        if self.fit not in FITS:
            raise InvalidSettingsError(f"A model is fitted on each {' or on the '.join(FITS)}; got {self.fit!r}.")
        if self.mode not in STACK_MODES:
            raise InvalidSettingsError(f"Stacks are segmented as {' or as '.join(STACK_MODES)}; got {self.mode!r}.")
        if self.model is not None and not self.model.is_file():
            raise ModelFileError(f"There is no model at {self.model}.")
        if self.model is not None and self.fit == "folder":
            raise InvalidSettingsError("A learned model is applied as it is: choose either it, or a fit on the folder.")

    @property
    def _presets(self) -> tuple[str, ...]:
        return tuple(presets) if self.preset == "auto" else (self.preset,)

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that are equal exactly where the same image gets the same settings."""
        asked = {name: preset_settings(name).replace(**self.changes).to_dict() for name in self._presets}
        if self.model is not None:
            asked["learned model"] = {"content": hashlib.sha256(self.model.read_bytes()).hexdigest()}
        if self.mode != "volume":
            asked["stacks"] = {"mode": self.mode}
        return _digest(asked)

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


def left_out(kind: str) -> str:
    """Say that a result does not suit a further format; the reason follows.

    Parameters
    ----------
    kind : str
        One of `FURTHER`.

    Returns
    -------
    str
        The beginning of a sentence in a row's note.
    """
    return f"No {kind}: "


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
    preset, changes, write, device, mode
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
    learned : str
        Path of the plan's model; empty where there is none.
    fit_on : tuple of (str, str or None, tuple of str)
        Paths, series and their files to fit that model on; of the one job that does so.
    card : str
        How to reach the process that trains on a graphics card for all workers; empty where each trains by itself.
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
    learned: str = ""
    fit_on: tuple[tuple[str, str | None, tuple[str, ...]], ...] = ()
    files: tuple[str, ...] = ()
    card: str = ""
    mode: str = "volume"
