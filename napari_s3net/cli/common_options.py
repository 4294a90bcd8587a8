"""Flags that several commands take: preset, settings, device, formats."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_s3net.preset_files import read_changes
from napari_s3net.settings import Settings, preset_settings, presets

if TYPE_CHECKING:
    import torch

    from napari_s3net.image import Image


def add_settings(parser: ArgumentParser) -> None:
    """Declare the flags --preset, --seed, --device, --settings and --set.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Gets the flags.
    """
    add = parser.add_argument
    add("--preset", default="auto", metavar="NAME", help=f"{', '.join(presets)}; auto: by the image (default)")
    add("--seed", type=int, metavar="N", help="another seed, another start (default 0)")
    add("--device", default="auto", metavar="NAME", help="auto (default), cpu, cuda, cuda:1 or mps")
    add("--settings", type=Path, metavar="FILE", help="settings from a JSON file, such as an earlier result's")
    add("--set", nargs="+", action="extend", default=[], metavar="key=value", help="single settings, after the inputs")


def add_formats(parser: ArgumentParser) -> None:
    """Declare the flag --also: in which formats a result is written besides.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Gets the flag.
    """
    parser.add_argument(
        "--also",
        nargs="+",
        default=[],
        choices=("dicom-seg", "rtstruct", "seg.nrrd", "coco", "stl", "ply", "png"),
        metavar="FORMAT",
        help="further files: dicom-seg and rtstruct (of a DICOM series; extras dicom, rtstruct), seg.nrrd "
        "(3D Slicer), coco, stl, ply, png (a file for each slice)",
    )


def changed_settings(options: Namespace) -> dict[str, Any]:
    """Settings that differ from the preset's: from the file, then `--set`, then `--seed`; the later wins.

    Parameters
    ----------
    options : argparse.Namespace
        With `settings`, `set` and `seed`.

    Returns
    -------
    dict
        Values by the settings' names, in the settings' own types. Ranges are not checked yet.

    Raises
    ------
    InvalidSettingsError
        If the file holds no settings, or `--set` no name, equals sign and value.
    """
    changes = read_changes(options.settings) if options.settings else {}
    changes |= Settings.parse_changes(options.set)
    return changes if options.seed is None else {**changes, "seed": options.seed}


@dataclass(frozen=True)
class RunOptions:
    """What the flags ask for, settled once before the first image is read.

    Parameters
    ----------
    preset : str
        A preset's name, or "auto": each image gets what suits its kind.
    changes : tuple of (str, object)
        Settings that differ from the preset's.
    device : torch.device
        Where to compute.
    """

    preset: str
    changes: tuple[tuple[str, Any], ...]
    device: torch.device

    @classmethod
    def from_flags(cls, options: Namespace) -> RunOptions:
        """Check the flags of `add_settings`.

        Parameters
        ----------
        options : argparse.Namespace
            What was given on the command line.

        Returns
        -------
        RunOptions
            With "auto" replaced by this machine's device; an automatic preset is chosen later, for each image.

        Raises
        ------
        InvalidSettingsError, DeviceError
            If preset, settings or device do not exist, or a value is out of range.
        """
        from napari_s3net.runtime.device import resolve_device

        changes = tuple(changed_settings(options).items())
        preset_settings("generic" if options.preset == "auto" else options.preset).replace(**dict(changes))
        return cls(options.preset, changes, resolve_device(options.device))

    def settings_for(self, image: Image) -> tuple[str, Settings]:
        """Choose the settings for an image.

        Parameters
        ----------
        image : Image
            Its kind decides where the preset is "auto".

        Returns
        -------
        name : str
            Of the preset: the one that was asked for, or the one that suits the image.
        settings : Settings
            The preset's, with the changes that were asked for.
        """
        from napari_s3net.preprocessing.suggest import suggest_preset

        name = suggest_preset(image) if self.preset == "auto" else self.preset
        return name, _settings(name, self.changes)


@lru_cache(maxsize=len(presets))
def _settings(name: str, changes: tuple[tuple[str, Any], ...]) -> Settings:
    """A preset with changes; made once a run, however many images there are."""
    return preset_settings(name).replace(**dict(changes))
