"""One undo for all layers: the last thing that was done comes back first, whichever layer it changed."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from napari.layers import Labels

from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.proxy import holds, plain
from napari_s3net.plugin.layers.renewal import renewals_of
from napari_s3net.plugin.layers.run_cache import CachedRun, bring_back, compare_with_runs, known_runs
from napari_s3net.plugin.layers.written_labels import Way, planes_of_step, steps_left

#: So many steps can be taken back.
MOST = 200

_logs: weakref.WeakKeyDictionary[Any, UndoLog] = weakref.WeakKeyDictionary()


def undo_log_of(viewer: Any) -> UndoLog:
    """The steps that were made in a viewer; all docks share them.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose label layers are followed from now on.

    Returns
    -------
    UndoLog
        Lives as long as the viewer.
    """
    viewer = plain(viewer)
    if viewer not in _logs:
        _logs[viewer] = UndoLog(viewer)
    return _logs[viewer]


@dataclass(frozen=True)
class Step:
    """One thing that was done.

    Parameters
    ----------
    layer : weakref.ref
        The label layer that it changed.
    undo, redo : callable or None
        What takes it back and does it again; None where the layer's own history knows.
    runs : mapping of PlaneKey to CachedRun
        The last runs on the layer's planes on the other side of the step: before it, and once it is undone, after it.
    """

    layer: weakref.ref[Labels]
    undo: Callable[[], None] | None = None
    redo: Callable[[], None] | None = None
    runs: Mapping[PlaneKey, CachedRun] = field(default_factory=dict)


class UndoLog:
    """In which order label layers were changed; what was changed is in their own histories.

    Parameters
    ----------
    viewer : napari.Viewer
        Held weakly.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = weakref.ref(viewer)
        self._done: deque[Step] = deque(maxlen=MOST)
        self._undone: deque[Step] = deque(maxlen=MOST)
        #: Layers of which a step was noted.
        self._changed: weakref.WeakSet[Labels] = weakref.WeakSet()
        viewer.layers.events.inserted.connect(self._follow)
        renewals_of(viewer).renewed.connect(self._forget)
        self._follow()

    def note(
        self, layer: Labels, undo: Callable[[], None] | None = None, redo: Callable[[], None] | None = None
    ) -> None:
        """Remember that something was done.

        Parameters
        ----------
        layer : napari.layers.Labels
            What it changed.
        undo, redo : callable, optional
            For what the layer's own history does not know, such as a name.
        """
        self._changed.add(layer)
        self._done.append(Step(weakref.ref(layer), undo, redo, known_runs(layer)))
        self._undone.clear()

    def undo(self) -> str:
        """Take the last step back.

        Returns
        -------
        str
            Of which layer, in words for the status bar.
        """
        return self._go(self._done, self._undone, "undo")

    def redo(self) -> str:
        """Do again what was taken back last.

        Returns
        -------
        str
            Of which layer, in words for the status bar.
        """
        return self._go(self._undone, self._done, "redo")

    def _go(self, steps: deque[Step], others: deque[Step], what: Way) -> str:
        viewer = self._viewer()
        while steps:
            step = steps.pop()
            layer = step.layer()
            if viewer is None or layer is None or not holds(viewer, layer) or not _is_left(step, layer, what):
                continue
            others.append(replace(step, runs=known_runs(layer)))
            own = step.undo if what == "undo" else step.redo
            if own is None:
                bring_back(layer, step.runs)
                compare_with_runs(layer, planes_of_step(layer, what))
            (own or getattr(layer, what))()
            return f"{what.capitalize()}: {layer.name}"
        active = None if viewer is None else plain(viewer.layers.selection.active)
        if isinstance(active, Labels) and active not in self._changed:  # what was done before anybody followed it
            getattr(active, what)()
        return f"Nothing more to {what}."

    def _forget(self, event: Any) -> None:
        """Layers have got another image: what was done before was not done to this one."""
        for steps in (self._done, self._undone):
            left = [step for step in steps if step.layer() not in event.layers]
            steps.clear()
            steps.extend(left)
        self._changed.difference_update(event.layers)

    def _follow(self, event: Any = None) -> None:
        viewer = self._viewer()
        for layer in () if viewer is None else map(plain, viewer.layers):
            if isinstance(layer, Labels):
                layer.events.paint.connect(self._painted)  # tells of every step that napari's history gets

    def _painted(self, event: Any) -> None:
        self.note(event.source)


def _is_left(step: Step, layer: Labels, what: Way) -> bool:
    """Whether the layer still has a step: its history may have been cleared, or gone through by itself."""
    return step.undo is not None or bool(steps_left(layer, what))
