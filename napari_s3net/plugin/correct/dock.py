"""The Correct dock: strokes, re-runs, tools, where to look next; and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from napari.layers import Labels
from qtpy.QtCore import Signal
from qtpy.QtGui import QShortcut
from qtpy.QtWidgets import QWidget

from napari_s3net.errors import S3NetError
from napari_s3net.plugin.correct.autosave_layers import autosave_of
from napari_s3net.plugin.correct.brush_controller import BrushController
from napari_s3net.plugin.correct.label_editor import LabelEditor
from napari_s3net.plugin.correct.label_list import LabelList
from napari_s3net.plugin.correct.panels import NoLabels, PaintPanel, SessionPanel, ToolsPanel, UncertaintyPanel
from napari_s3net.plugin.correct.renaming import rename_label
from napari_s3net.plugin.correct.rerun_controller import RerunController
from napari_s3net.plugin.correct.stack_controller import StackController
from napari_s3net.plugin.correct.stack_editor import StackChange
from napari_s3net.plugin.correct.stack_panel import StackPanel
from napari_s3net.plugin.correct.stroke_files import load_strokes, save_strokes
from napari_s3net.plugin.correct.tool_controller import ToolController
from napari_s3net.plugin.correct.uncertainty_controller import UncertaintyController
from napari_s3net.plugin.jobs.background import Background
from napari_s3net.plugin.jobs.pause import after_pause
from napari_s3net.plugin.jobs.session import cancel_all
from napari_s3net.plugin.jobs.thread_job import Failure
from napari_s3net.plugin.layers.locks import locks_of
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.renewal import renewals_of
from napari_s3net.plugin.layers.result_layer import metadata_of, why_not_writable
from napari_s3net.plugin.layers.source import describe_source
from napari_s3net.plugin.layers.target import why_not_final
from napari_s3net.plugin.segment.save_result import save_beside
from napari_s3net.plugin.segment.saved_line import SavedLine
from napari_s3net.plugin.widgets.dock import Dock, show_dock
from napari_s3net.plugin.widgets.fields import Chooser
from napari_s3net.plugin.widgets.parts import column, one_line, row
from napari_s3net.plugin.widgets.shortcuts import KeySheet, bind
from napari_s3net.result import Segmentation

#: Pause after a stroke before the run by itself; and after any change before lists are brought up to date.
AFTER_STROKE_MS, REFRESH_MS = 500, 120
#: What keys ask for in a stack.
STACK_KEYS = ("rerun all", "propagate up", "propagate down", "next slice")


class CorrectDock(Dock):
    """Correct labels by strokes and tools.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that the dock belongs to.
    """

    #: Lists and counts are up to date.
    refreshed = Signal()

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.shortcuts: list[QShortcut] = []
        self._followed: list[tuple[Any, Callable[..., None]]] = []
        #: Whether a part of another dock stands above, which says what is corrected, and saves it.
        self._is_lent = self._is_made_elsewhere = False  # whether no run has made the labels
        #: Why the labels could not be corrected when that was last looked at.
        self._problem = ""
        self.editor = LabelEditor(napari_viewer)
        self.background = Background(self)
        self.reruns = RerunController(self.editor, self.background)
        self.empty, self.paint, self.labels = NoLabels(), PaintPanel(), LabelList()
        self.tools, self.uncertainty, self.session_panel = ToolsPanel(), UncertaintyPanel(), SessionPanel()
        self.tool_controller = ToolController(napari_viewer, self.editor, self.tools, self.labels, self.refresh)
        self.uncertainty_controller = UncertaintyController(
            napari_viewer, self.editor, self.uncertainty, self.background
        )
        self.brush = BrushController(napari_viewer, self.editor, self.paint, self.labels, self._follow, self)
        self.slices = StackPanel()
        self.stack_controller = StackController(
            napari_viewer, self.editor, self.slices, self.background, self.tool_controller.region, self
        )
        self.autosave = autosave_of(napari_viewer)
        self.autosave.hold()
        self._refresh_soon = after_pause(REFRESH_MS, self.refresh, self)
        self._rerun_soon = after_pause(AFTER_STROKE_MS, self.rerun, self)
        self._cancel = partial(cancel_all, self.background.running)
        self._build()
        self._connect()
        self._list()

    def hold_above(self, part: QWidget) -> None:
        """Hold a part of another dock above all of this one's, which says what is corrected, and saves it.

        Parameters
        ----------
        part : qtpy.QtWidgets.QWidget
            Moves here until `give_back`.
        """
        super().hold_above(part)
        self._is_lent = True
        self._show_chooser()

    def give_back(self) -> None:
        """The part that was held above has gone."""
        self._is_lent = False
        self._show_chooser()

    def _show_chooser(self) -> None:
        for part in (self.combo, self.session_panel.line):
            part.setVisible(not self._is_lent)
        may_save = not self._is_lent and not self._is_made_elsewhere
        self.paint.save.setVisible(may_save)
        self.saved.look(self.editor.layer if may_save else None, self.editor.key)
        self.image_line.setVisible(not self._is_lent and self._is_made_elsewhere)

    def rerun(self) -> None:
        """Run again with all strokes of the plane in view; as soon as nothing else goes on."""
        try:
            if not self.reruns.can_begin:
                return
            if self.background.is_busy:
                self._rerun_soon.start()
                return
            self.reruns.begin()
            self._settle()
        except S3NetError as error:
            self._fail(str(error))

    @property
    def obstacle(self) -> str:
        """Why the labels in view must not be left now, in words; empty where they may."""
        return self.reruns.obstacle or ("" if self.editor.layer is None else why_not_final(self.editor.layer))

    def _let_go(self) -> None:
        """Save first."""
        self.autosave.told.disconnect(self._say_saved)
        self.autosave.release()
        self.tool_controller.release()
        self.background.release()
        self.reruns.begin_anew()
        self.stack_controller.release()
        self.saved.look(None)
        for timer in (self._refresh_soon, self._rerun_soon):
            timer.stop()
        self._unfollow()
        for shortcut in self.shortcuts:
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        self.shortcuts = []
        self.editor.choose(None)

    # -- making

    def _build(self) -> None:
        self.combo, self.image_line = Chooser("Labels", "Which labels are corrected."), one_line()
        self.saved_line = one_line()
        self.saved = SavedLine(self.saved_line, self)
        self.filled = QWidget()
        chosen = row(self.combo, self.paint.save)
        chosen.layout().setStretch(1, 0)
        top = (chosen, self.saved_line, self.image_line, self.message)
        panels = (self.paint, self.labels, self.slices, self.tools, self.uncertainty, self.session_panel)
        column(self.filled, *top, *panels).setSpacing(8)
        self.fill(self.empty, self.filled)

    def _connect(self) -> None:
        self.combo.activated.connect(self._choose_nth)
        self.labels.renamed.connect(self._rename)
        for panel in (self.paint, self.labels, self.slices, self.uncertainty, self.session_panel, self.empty):
            panel.asked.connect(self._ask)
        self.tools.asked.connect(self._use_tool)
        self.background.over.connect(self._over)
        self.autosave.told.connect(self._say_saved)
        self.destroyed.connect(self._cancel)
        self.follow_viewer(self._cancel)
        brushes = {name: partial(self.brush.take, name) for name in ("object", "background", "erase")}
        digits = {f"label {n}": partial(self.brush.take_label, n) for n in range(1, 10)}
        asked = {name: partial(self._ask, name) for name in ("hide", "next", "sheet", *STACK_KEYS)}
        self.shortcuts = bind(self, {**brushes, **digits, **asked, "rerun": self.rerun})

    def _viewer_events(self) -> list[tuple[Any, Callable[..., None]]]:
        layers, dims = self._viewer.layers.events, self._viewer.dims.events
        return [
            *((getattr(layers, name), self._list) for name in ("inserted", "removed", "reordered", "renamed")),
            (self._viewer.layers.selection.events.active, self._follow_active),
            (renewals_of(self._viewer).renewed, self._renewed),
            *((getattr(dims, name), self._change) for name in ("current_step", "order")),
        ]

    # -- the labels

    def _list(self, event: Any = None) -> None:
        """Keep up with the layer list."""
        found, before = self.editor.candidates(), self.editor.layer
        if before not in found:
            usable = [layer for layer in found if not why_not_writable(layer)]
            self._choose((usable or found or [None])[-1])
        self.combo.clear()
        self.combo.addItems([layer.name for layer in found])
        self.combo.setCurrentIndex(found.index(self.editor.layer) if self.editor.layer in found else -1)
        self._follow()
        if before is None or before not in found:
            self.refresh()
        else:  # several layers may come and go at once
            self._refresh_soon.start()

    def _renewed(self, event: Any) -> None:
        """The labels have begun anew, with another image: what goes on or was drawn was for the one before."""
        if self.editor.layer in event.layers:
            self.background.release()
            self.stack_controller.drop()
            self.reruns.begin_anew()
            labels = self.editor.layer
            self.editor.choose(None)
            self._choose(labels if labels in self.editor.candidates() else None)

    def _choose_nth(self, n: int) -> None:
        self._choose(self.editor.candidates()[n])

    def _choose(self, layer: Labels | None) -> None:
        """Correct another layer."""
        self.reruns.leave(layer)
        self.editor.choose(layer)
        self.show_message(self.editor.problem)
        self.uncertainty_controller.forget()
        self._follow()
        self.refresh()

    def _follow_active(self, event: Any = None) -> None:
        """Correct the labels that became active; show what the brush paints."""
        active = plain(self._viewer.layers.selection.active)
        found = self.editor.candidates()
        if active is not self.editor.layer and not self.background.running and active in found:
            self._choose(active)
            self.combo.setCurrentIndex(found.index(active))  # not by its name: several layers may have the same
        self.brush.show()

    def _follow(self) -> None:
        """Listen to labels and strokes, and to no other layer."""
        self._unfollow()
        strokes = self.editor.strokes.layer
        for layer in (self.editor.layer, strokes):
            if layer is not None:
                self._followed += [(event, self._change) for event in (layer.events.paint, layer.events.set_data)]
        if strokes is not None:
            events = strokes.events
            self._followed += [(event, self.brush.show) for event in (events.mode, events.selected_label)]
            self._followed.append((events.paint, self._stroke))
        for event, slot in self._followed:
            event.connect(slot)

    def _unfollow(self) -> None:
        for event, slot in self._followed:
            event.disconnect(slot)
        self._followed = []

    def _change(self, event: Any = None) -> None:
        if self.editor.problem == self._problem:
            self._refresh_soon.start()
        else:  # a run's previews come faster than lists are brought up to date
            self.refresh()

    def _stroke(self, event: Any = None) -> None:
        self.reruns.note_stroke()
        if self.paint.by_itself.value:
            self._rerun_soon.start()

    def refresh(self) -> None:
        """Bring every list and count up to date with the plane in view."""
        there, problem = self.editor.is_there, self.editor.problem
        self.empty.setVisible(not there and not problem)
        if not there:
            self.empty.show_recent(self.autosave.recent)
        self.filled.setVisible(there or bool(problem))
        panels = (self.paint, self.labels, self.slices, self.tools, self.uncertainty)
        for part in (*panels, self.paint.save, self.session_panel.revert, self.session_panel.revert_volume):
            part.setEnabled(there)
        self._tell_problem(problem)
        if not there:
            self.saved.look(None)
            self._settle()
            return
        self.editor.follow_undo()
        layer, source = self.editor.target()
        self._is_made_elsewhere = metadata_of(layer) is None
        self._show_chooser()
        # A result is called after its image, so that the list says it already.
        self.image_line.setText(f"on {source.name} · {describe_source(source)}")
        self.combo.setToolTip(f"Which labels are corrected: {layer.name}, {self.image_line.text()}.")
        locks = locks_of(layer)
        self.labels.show_labels(self.editor.rows(), locks.labels)
        locked_part = locks.in_plane(source.key)
        self.labels.show_locked_parts(0.0 if locked_part is None else float(locked_part.mean()))
        self.paint.show_count(*self.editor.strokes.count())
        self.editor.strokes.recolour()
        self.tools.show_unit(self.editor.pixel_size()[1], is_stack=source.slices > 1)
        self.stack_controller.refresh()
        self.session_panel.show_stack(is_stack=source.slices > 1)
        self.autosave.mark_changed(layer)
        self._settle()
        self.refreshed.emit()

    def _tell_problem(self, problem: str) -> None:
        """Say why the labels cannot be corrected, as long as it is so: a run may go on in them."""
        if problem or self.message.text() == self._problem:
            self.show_message(problem)
        self._problem = problem

    def _settle(self) -> None:
        busy = bool(self.background.running)
        self.paint.bar.setVisible(busy and not self.stack_controller.is_busy)
        self.paint.rerun.setEnabled(not busy and self.reruns.can_begin)
        self.uncertainty.next.setEnabled(not busy)

    # -- what is asked for

    def _rename(self, label: int, name: str) -> None:
        rename_label(self._viewer, *self.editor.in_view(), label, name)
        self.refresh()

    def _ask(self, what: str) -> None:
        try:
            self._do(what)
        except (S3NetError, OSError) as error:
            self._fail(str(error))

    def _use_tool(self, name: str) -> None:
        try:
            self.show_message("")
            self.tool_controller.use(name)
            self.reveal(self.tools.hint)
        except S3NetError as error:
            self._fail(str(error))

    def _do(self, what: str) -> None:
        """Without labels only a way to some, and the sheet; with them everything."""
        self.show_message("")
        self.tool_controller.hush()
        always: dict[str, Callable[[], object]] = {
            "segment": partial(show_dock, self._viewer, "Segment"),
            "sheet": lambda: KeySheet(self).show(),
        }
        with_labels: dict[str, Callable[[], object]] = {
            "rerun": self.rerun,
            "hide": self._hide,
            "clear": self.editor.strokes.clear,
            "save result": self._save,
            "save": lambda: save_strokes(self, self.editor),
            "load": lambda: load_strokes(self, self.editor),
            "revert": self._revert,
            "lock": lambda: self.editor.locks.toggle_labels(self.labels.selected),
            "merge": lambda: self.tool_controller.use("merge"),
        }
        for name in ("next", "probabilities", "transformations", "seeds"):
            with_labels[name] = partial(self.uncertainty_controller.ask, name)
        for name in (*self.slices.buttons, "revert volume"):
            with_labels[name] = partial(self.stack_controller.ask, name)
        if what.startswith("reopen "):
            self._choose(self.autosave.reopen(Path(what.removeprefix("reopen "))))
        actions = {**always, **with_labels} if self.editor.is_there else always
        if what in actions:
            actions[what]()
            self.refresh()

    def _save(self) -> None:
        layer, source = self.editor.target()
        save_beside(self, layer, source)

    def _say_saved(self, words: str) -> None:
        self.session_panel.line.setText(words)

    def _revert(self) -> None:
        if not self.editor.revert():
            self.show_message("The labels are as the last run made them.")

    def _hide(self) -> None:
        if (strokes := self.editor.strokes.layer) is not None:
            strokes.visible = not strokes.visible

    def _over(self, outcome: Any) -> None:
        """A job is over."""
        if isinstance(outcome, Failure):
            self.stack_controller.drop()
            self._fail(outcome.message)
        elif outcome is None or isinstance(outcome, StackChange):
            self.stack_controller.take(outcome)
        elif isinstance(outcome, Segmentation) and self.reruns.is_on:
            self._take(outcome)
        else:
            self.uncertainty_controller.show(outcome)
        self.reruns.drop()
        self.refresh()

    def _take(self, result: Segmentation) -> None:
        """What came of a re-run."""
        is_written, words = self.reruns.take(result)
        if is_written:
            self.uncertainty_controller.forget()
        if words:
            self.show_message(words)

    def _fail(self, words: str) -> None:
        self.fail(words)
        with suppress(S3NetError):
            self._settle()
