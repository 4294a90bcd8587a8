"""What the Correct dock does with a stack: carries corrections, fills between slices, and goes from slice to slice."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from napari.layers import Labels
from napari.utils.notifications import show_info
from qtpy.QtCore import QObject

from napari_s3net.errors import InvalidImageError
from napari_s3net.plugin.correct.label_editor import LabelEditor
from napari_s3net.plugin.correct.stack_editor import StackChange, StackEditor
from napari_s3net.plugin.correct.stack_panel import StackPanel
from napari_s3net.plugin.jobs.background import Background, MakeSteps
from napari_s3net.plugin.jobs.pause import after_pause
from napari_s3net.plugin.layers.slice_states import SEEN_MS, SliceState
from napari_s3net.plugin.layers.source import Source
from napari_s3net.plugin.widgets.text import plural
from napari_s3net.progress import Step


class StackController(QObject):
    """Connects the panel of slices with the labels.

    Parameters
    ----------
    viewer : napari.Viewer
        Its slider is moved.
    editor : LabelEditor
        Knows the labels.
    panel : StackPanel
        Shows states, and asks.
    background : Background
        Carries corrections beside the window.
    region : callable
        The labels that the tools act on, for filling between slices.
    parent : QObject
        The dock.
    """

    def __init__(
        self,
        viewer: Any,
        editor: LabelEditor,
        panel: StackPanel,
        background: Background,
        region: Callable[[], list[int]],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._editor, self._panel, self._background = viewer, editor, panel, background
        self._region = region
        self.stack = StackEditor(editor)
        #: Layer and plane of what a job is about.
        self._asked: tuple[Labels, Source] | None = None
        self._seen_soon = after_pause(SEEN_MS, self._mark_seen, self)
        self._place: object = None
        panel.strip.picked.connect(self.go_to)
        background.stepped.connect(self._show_step)

    def refresh(self) -> None:
        """Show the states of the slices; hidden for a single plane."""
        layer, key = self._editor.in_view()
        self._panel.setVisible(key.slices_in(layer.data.shape) > 1)
        if key.slices_in(layer.data.shape) == 1:
            return
        self.stack.follow()
        states, here = self.stack.states(), key.position or 0
        self._panel.show_states(states, here)
        self._panel.show_busy(busy=self._asked is not None, waits=self._background.is_busy)
        is_unseen = states[here] is SliceState.UNSEEN and not self._seen_soon.isActive()
        if is_unseen or (layer, key) != self._place:
            self._place = layer, key
            self._seen_soon.start()

    def release(self) -> None:
        """Wait for nothing any more."""
        self._seen_soon.stop()

    def ask(self, what: str) -> None:
        """Do what the panel asks for.

        Parameters
        ----------
        what : str
            As `StackPanel.asked`; "revert volume" puts all slices back.

        Raises
        ------
        InvalidImageError
            If there are no slices to do it on.
        """
        if self.stack.slices == 1:
            raise InvalidImageError("This image is a single plane: there are no other slices.")
        actions: dict[str, Callable[[], None]] = {
            "rerun all": self._rerun,
            "propagate down": lambda: self._propagate(-1),
            "propagate up": lambda: self._propagate(1),
            "fill": self._fill,
            "next slice": self._go_on,
            "revert volume": self._revert,
            "stop": self._background.stop,
            "cancel": self._background.cancel,
        }
        actions[what]()

    def go_to(self, slice_number: int) -> None:
        """Move the slider to a slice.

        Parameters
        ----------
        slice_number : int
            From 0.
        """
        layer, key = self._editor.in_view()
        if (axis := key.axis) is None:
            return
        point = [0 if step is None else step for step in key.at(slice_number).steps]
        world = layer.data_to_world(tuple(point))
        self._viewer.dims.set_point(self._viewer.dims.ndim - layer.ndim + axis, world[axis])

    def take(self, change: StackChange | None) -> None:
        """Write what came of a job, unless the labels are gone or have changed meanwhile.

        Parameters
        ----------
        change : StackChange or None
            None after a cancel, or where the job was about something else.
        """
        asked, self._asked = self._asked, None
        if change is None:
            if asked is not None:
                self._panel.show_line("Cancelled: every slice is as it was.")
            return
        if asked is None or not self._editor.is_there or asked[0] is not self._editor.layer:
            show_info("The labels went while slices were corrected, so nothing was written.")
            return
        try:
            changed = self.stack.take(*asked, change)
        except InvalidImageError as error:
            self._panel.show_line(str(error))
            return
        nothing = bool(change.planes) and not changed
        self._panel.show_line("Locks hold all that would change, so nothing has." if nothing else change.words)

    @property
    def is_busy(self) -> bool:
        """Whether slices are being corrected."""
        return self._asked is not None

    def drop(self) -> None:
        """Forget what a job was about: it failed."""
        if self._asked is not None:
            self._asked = None
            self._panel.show_line("")

    def _rerun(self) -> None:
        self._start(self.stack.rerun, "Correcting all slices…")

    def _propagate(self, way: int) -> None:
        here, last = self.stack.position, 0 if way < 0 else self.stack.slices - 1
        most = self._panel.most.value() or self.stack.slices
        end = max(here - most, last) if way < 0 else min(here + most, last)
        self._start(partial(self.stack.propagation, end), f"Carrying the correction of slice {here}…")

    def _start(self, prepare: Callable[[], MakeSteps], words: str) -> None:
        if self._background.is_busy:
            self._panel.show_line("Wait for the run to end.")
            return
        (layer, source), make = self._editor.target(), prepare()
        self._asked = layer, source
        self._panel.show_line(words)
        self._background.start(source, self._editor.result().settings, make)
        self._panel.show_busy(busy=True)

    def _show_step(self, step: Step) -> None:
        if self._asked is not None:
            self._panel.show_progress(step.iteration, step.total)

    def _fill(self) -> None:
        first, second, changed = self.stack.fill(self._region())
        filled = plural(changed, "slice")
        self._panel.show_line(f"Filled in {filled} between the corrected slices {first} and {second}.")

    def _go_on(self) -> None:
        self._mark_seen()
        following = self.stack.next_unseen()
        if following is None:
            self._panel.show_line("Every slice with labels has been looked at.")
        else:
            self.go_to(following)

    def _revert(self) -> None:
        changed = self.stack.revert()
        self._panel.show_line(
            f"{plural(changed, 'slice')} put back to the run; Ctrl-Z undoes it."
            if changed
            else "Every slice is as the run made it."
        )

    def _mark_seen(self) -> None:
        if self._editor.is_there and self.stack.slices > 1:
            self.stack.mark_seen()
            self._panel.show_states(self.stack.states(), self.stack.position)
