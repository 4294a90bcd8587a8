"""What was saved of a result, and a line beside Save that says whether it has changed since; compared in a thread."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Labels
from napari.utils.events import EventEmitter
from numpy.typing import NDArray
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QLabel

from napari_s3net.plugin.jobs.newest_answer import NewestAnswer
from napari_s3net.plugin.layers.metadata import BY_ID, mask_of_layer
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.renewal import PerLayer
from napari_s3net.plugin.layers.target import previewed

CHANGED = "Changed since it was saved."


@dataclass(frozen=True)
class Saved:
    """What a layer was saved as.

    Parameters
    ----------
    files : frozenset of Path
        All files that it was ever saved to.
    last : Path
        The last one of these.
    what : str
        "labels" or "mask".
    state : object
        Of what was written to it; see `state_of`.
    """

    files: frozenset[Path]
    last: Path
    what: str
    state: object


_saved: PerLayer[Labels, Saved] = PerLayer()
_saving = EventEmitter(type_name="saved")


def files_of(layer: Labels) -> frozenset[Path]:
    """The files that a result was saved to, which it may replace without asking.

    Parameters
    ----------
    layer : napari.layers.Labels
        The result.

    Returns
    -------
    frozenset of Path
        Of this session of napari.
    """
    known = _saved.get(layer)
    return frozenset() if known is None else known.files


def note_saved(layer: Labels, file: Path, what: str) -> None:
    """Remember that a result is saved as it is now.

    Parameters
    ----------
    layer : napari.layers.Labels
        The result.
    file : Path
        What was written.
    what : str
        "labels" or "mask".
    """
    state = state_of(np.asarray(layer.data), layer.metadata[KEY], what)
    _saved[layer] = Saved(files_of(layer) | {file}, file, what, state)
    _saving(layer=layer)


def state_of(labels: NDArray[Any], about: Mapping[str, Any], what: str) -> object:
    """Compute what changes with what a file of a result holds.

    Parameters
    ----------
    labels : numpy.ndarray
        Of the whole layer.
    about : mapping
        What the layer knows about itself.
    what : str
        "mask" for the object alone; "labels" for all clusters with their names and colours.

    Returns
    -------
    object
        To be compared.
    """
    if what == "mask":
        return zlib.crc32(mask_of_layer(labels, about).data)
    known = [sorted(about.get(entry, {}).items()) for entry in BY_ID]
    return zlib.crc32(np.ascontiguousarray(labels).data), sorted(about["foreground"]), known


class SavedLine(NewestAnswer):
    """Says what a result was saved as, and once it has changed, that it has; nothing before it is saved.

    Parameters
    ----------
    line : qtpy.QtWidgets.QLabel
        Hidden while there is nothing to say.
    parent : QObject
        The dock.
    """

    def __init__(self, line: QLabel, parent: QObject) -> None:
        super().__init__(parent)
        self._line = line
        self._layer: Labels | None = None
        self._plane: object = None
        self.answered.connect(self._compared)
        _saving.connect(self._was_saved)
        self._say("")

    def look(self, layer: Labels | None, plane: object = None) -> None:
        """Look whether a result has changed; a step to another plane has changed nothing.

        Parameters
        ----------
        layer : napari.layers.Labels or None
            The result; None where there is none, or it is not saved from here.
        plane : object
            Says which plane is in view.
        """
        is_step = layer is self._layer and plane != self._plane
        if layer is not self._layer:
            self.drop()
            self._say("")
            self._layer = layer
        self._plane = plane
        if not is_step:
            self._compare()

    def _compare(self) -> None:
        layer = self._layer
        known = None if layer is None else _saved.get(layer)
        if layer is None or known is None or KEY not in layer.metadata:
            self.drop()
            self._say("")
        elif layer not in previewed:
            self.ask(partial(state_of, np.asarray(layer.data), layer.metadata[KEY], known.what))

    def _compared(self, state: object) -> None:
        known = None if self._layer is None else _saved.get(self._layer)
        if known is None:
            self._say("")
        elif state == known.state:
            self._say(f"Saved as {known.last.name}.", f"In {known.last.parent}.")
        else:
            self._say(CHANGED, f"{known.last.name} has it as it was before. Save writes it as it is now.")

    def _was_saved(self, event: Any) -> None:
        if event.layer is self._layer:
            self._compare()

    def _say(self, words: str, tip: str = "") -> None:
        self._line.setText(words)
        self._line.setToolTip(tip)
        self._line.setVisible(bool(words))
