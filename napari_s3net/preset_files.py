"""Settings in files: presets of one's own, to be shared, and the settings of earlier results. Always JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_s3net.errors import InvalidSettingsError
from napari_s3net.settings import Settings, presets

#: What a preset's file says it is, and the newest format of it that is known here.
KIND, FORMAT = "napari-s3net preset", 1
#: The longest name of a preset, in characters.
LONGEST_NAME = 40


@dataclass(frozen=True)
class OwnPreset:
    """Settings that a user has named.

    Parameters
    ----------
    label : str
        The name.
    base : str
        The shipped preset that they started from.
    settings : Settings
        All of them.

    Raises
    ------
    InvalidSettingsError
        If the name is empty, too long, of more than one line or that of a shipped preset; or there is no such base.
    """

    label: str
    base: str
    settings: Settings

    def __post_init__(self) -> None:
        name = self.label
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name.isspace():
            raise InvalidSettingsError(f"A preset needs a name of 1 to {LONGEST_NAME} characters on one line.")
        if name in {preset.label for preset in presets.values()}:
            raise InvalidSettingsError(f"{name} is a preset that comes with the program. Choose another name.")
        if self.base not in presets:
            raise InvalidSettingsError(f"There is no preset {self.base!r}. Presets are: {', '.join(presets)}.")

    def to_json(self) -> str:
        """Write the preset down.

        Returns
        -------
        str
            What its file holds; `read_preset` and the command line's `--settings` take it.
        """
        values = {"kind": KIND, "format": FORMAT, "name": self.label, "preset": self.base}
        return json.dumps({**values, "settings": self.settings.to_dict()}, indent=2, ensure_ascii=False) + "\n"


def read_preset(path: Path) -> OwnPreset:
    """Read a preset from a file.

    Parameters
    ----------
    path : Path
        As `OwnPreset.to_json` writes it; also any other that `read_changes` reads, which is then called like its file.

    Returns
    -------
    OwnPreset
        Settings that the file leaves out are those of the preset that it started from.

    Raises
    ------
    InvalidSettingsError
        If it is no such file, comes from a newer version, or holds what no setting may be; the message names the file.
    """
    values = _read(path)
    changes = _changes(path, values)
    name, base = values.get("name", path.stem[:LONGEST_NAME]), values.get("preset", "generic")
    try:
        return OwnPreset(name, base, presets[base].settings.replace(**changes))
    except (KeyError, TypeError):
        raise InvalidSettingsError(f"{path.name} starts from the preset {base!r}, which there is none of.") from None
    except InvalidSettingsError as error:
        raise InvalidSettingsError(f"{path.name}: {error}") from error


def read_changes(path: Path) -> dict[str, Any]:
    """Read settings from a JSON file.

    Parameters
    ----------
    path : Path
        A preset; names with values; or a whole result with its settings inside. Some may be left out.

    Returns
    -------
    dict of str to Any
        As they stand in the file; their values are not checked yet.

    Raises
    ------
    InvalidSettingsError
        If the file cannot be read, comes from a newer version, or holds something else than settings.
    """
    return _changes(path, _read(path))


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise InvalidSettingsError(f"Cannot read settings from {path.name}: {reason}.") from error
    if not isinstance(values, dict):
        raise InvalidSettingsError(f"Expected settings in {path.name} as names with values.")
    return values


def _changes(path: Path, values: dict[str, Any]) -> dict[str, Any]:
    """The settings within; refused where the file is of another kind, or of a later format."""
    kind, number = values.get("kind", KIND), values.get("format", FORMAT)
    if kind != KIND:
        raise InvalidSettingsError(f"{path.name} holds no settings: it says that it is of the kind {kind!r}.")
    if "kind" in values and (not isinstance(number, int) or number > FORMAT):
        raise InvalidSettingsError(
            f"{path.name} is a preset of format {number!r}; this version of napari-s3net knows format {FORMAT}. Update "
            "the program, or save the preset with this version."
        )
    changes = values.get("settings", {} if "kind" in values else values)
    if not isinstance(changes, dict):
        raise InvalidSettingsError(f"Expected settings in {path.name} as names with values.")
    unknown = sorted(changes.keys() - Settings().to_dict().keys())
    if unknown:
        few = ", ".join(unknown[:3])
        raise InvalidSettingsError(
            f"{path.name} is no file of settings, or of a newer version: no setting is called {few}."
        )
    return changes
