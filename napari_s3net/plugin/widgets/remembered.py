"""What the docks remember when napari is closed: formats, folders, settings. One small file of the user's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qtpy.QtCore import QStandardPaths


def memory_file() -> Path:
    """Where it is remembered.

    Returns
    -------
    Path
        "napari-s3net/docks.json" in the user's folder for settings; it need not exist.
    """
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericConfigLocation)
    return Path(place) / "napari-s3net" / "docks.json"


def recall(name: str, default: Any = None) -> Any:
    """What was remembered.

    Parameters
    ----------
    name : str
        Under which it was remembered.
    default : object
        What comes back where nothing was, or the file is damaged.

    Returns
    -------
    object
        Plain values, as from JSON.
    """
    return _all().get(name, default)


def remember(name: str, value: Any) -> None:
    """Remember something; where the file cannot be written, nothing is remembered and nobody is bothered.

    Parameters
    ----------
    name : str
        Under which it is recalled.
    value : object
        Plain values, as JSON takes them.
    """
    known = _all()
    if name in known and known[name] == value:
        return
    path = memory_file()
    partial = path.with_suffix(".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps({**known, name: value}, indent=1), encoding="utf-8")
        partial.replace(path)
    except OSError:
        return


def _all() -> dict[str, Any]:
    try:
        known = json.loads(memory_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
