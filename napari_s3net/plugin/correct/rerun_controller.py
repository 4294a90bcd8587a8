"""Runs again with the strokes of the plane in view, and what comes of that."""

from __future__ import annotations

from typing import Any

from napari.layers import Labels
from numpy.typing import NDArray

from napari_s3net.plugin.correct.label_editor import LabelEditor
from napari_s3net.plugin.jobs.background import Background, RefinerCache, rerun
from napari_s3net.plugin.layers.locks import locks_of
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.result import Segmentation


class RerunController:
    """Knows what was drawn since the last run, and which labels a run was asked for.

    Parameters
    ----------
    editor : LabelEditor
        Labels, strokes and locks.
    background : Background
        Runs beside the window.
    """

    def __init__(self, editor: LabelEditor, background: Background) -> None:
        self._editor, self._background, self._prepared = editor, background, RefinerCache()
        #: Layer, plane, and the labels there when the run began.
        self._asked: tuple[Labels, PlaneKey, NDArray[Any]] | None = None
        self._is_drawn = False

    @property
    def can_begin(self) -> bool:
        """Whether there are strokes to run with."""
        return self._editor.is_there and self._editor.strokes.constraints() is not None

    @property
    def obstacle(self) -> str:
        """Why the labels in view must not be left now, in words; empty where they may."""
        if self._background.running:
            return "The run with your strokes is still going on. Wait until it is done."
        if self._is_drawn and self.can_begin:
            return (
                "Your strokes have changed nothing yet. Press Re-run with strokes (Shift-R), or take them away with "
                "Strokes… › Clear."
            )
        return ""

    def note_stroke(self) -> None:
        """Something was drawn."""
        self._is_drawn = True

    def begin(self) -> None:
        """Run again; the background tells when it is over.

        Raises
        ------
        InvalidImageError
            If there are no labels on an image.
        """
        drawn = self._editor.strokes.constraints()
        if drawn is None:
            return
        (layer, source), result = self._editor.target(), self._editor.result()
        locks = locks_of(layer)
        make = rerun(self._prepared, source, result, drawn, set(locks.labels), locks.in_plane(source.key))
        self._asked = layer, source.key, result.labels.copy()
        self._background.start(source, result.settings, make)

    @property
    def is_on(self) -> bool:
        """Whether a run was asked for, and is not over."""
        return self._asked is not None

    def take(self, result: Segmentation) -> tuple[bool, str]:
        """Write a re-run's labels, unless layer or labels are no longer those it was asked for.

        Parameters
        ----------
        result : Segmentation
            The plane that was corrected.

        Returns
        -------
        is_written : bool
            Whether the labels have it now.
        words : str
            What is to be said of it; empty where there is nothing.
        """
        asked, self._asked = self._asked, None
        assert asked is not None  # noqa: S101 - a run returns what it was asked for
        layer, key, before = asked
        is_elsewhere = layer is not self._editor.layer or key != self._editor.key
        if is_elsewhere:
            return False, "You went elsewhere during the run, so its result was left out. Run again there."
        if (layer.data[key.index] != before).any():
            return False, "The labels changed during the run, so its result was left out. Run again."
        self._is_drawn = False
        self._editor.take(result)
        return True, result.provenance.note

    def drop(self) -> None:
        """The run is over without a result, or nobody wants to hear of it any more."""
        self._asked = None

    def leave(self, layer: Labels | None) -> None:
        """Other labels will be corrected, or none: what was prepared and drawn was for those before.

        Parameters
        ----------
        layer : napari.layers.Labels or None
            The next; where they are those in view, what was drawn on them still waits for its run.
        """
        self._is_drawn = self._is_drawn and layer is self._editor.layer
        self._prepared.forget()

    def begin_anew(self) -> None:
        """The labels have another image: nothing goes on, and nothing is drawn."""
        self._asked, self._is_drawn = None, False
        self._prepared.forget()
