"""The Segment dock: puts the parts together and carries what they ask for to the viewer."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from napari.layers import Image as ImageLayer
from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QApplication, QPushButton, QSizePolicy, QStackedWidget, QWidget

from napari_s3net.errors import S3NetError
from napari_s3net.plugin.contributions.open_files import next_image, open_image, open_in_place
from napari_s3net.plugin.contributions.reader import ahead, read_ahead
from napari_s3net.plugin.correct.autosave import saved_at
from napari_s3net.plugin.correct.autosave_layers import autosave_of
from napari_s3net.plugin.jobs.folder_watch import FolderWatch
from napari_s3net.plugin.jobs.session import Phase, Session, cancel_all, screen_of
from napari_s3net.plugin.jobs.thread_job import busy_words, is_busy
from napari_s3net.plugin.layers.file_of import file_of
from napari_s3net.plugin.layers.result_layer import find_result, follow_name
from napari_s3net.plugin.layers.source import Source, describe_source, inspect_source, source_of, thickness_text
from napari_s3net.plugin.layers.stack import Stack
from napari_s3net.plugin.layers.target import Target
from napari_s3net.plugin.layers.view import camera_of, grid_of
from napari_s3net.plugin.layers.volume_target import VolumeTarget
from napari_s3net.plugin.segment.chosen_image import ChosenImage
from napari_s3net.plugin.segment.letters_controller import LettersController
from napari_s3net.plugin.segment.pixel_size import is_sized_by_hand
from napari_s3net.plugin.segment.pixel_size_controller import PixelSizeController
from napari_s3net.plugin.segment.result_controller import ResultController
from napari_s3net.plugin.segment.run_estimate import RunEstimate
from napari_s3net.plugin.segment.tour import has_tour, start_tour
from napari_s3net.plugin.segment.window_controller import WindowController
from napari_s3net.plugin.segment.window_drag import WindowDrag
from napari_s3net.plugin.widgets.choosers import Choosers
from napari_s3net.plugin.widgets.dock import Dock, show_dock
from napari_s3net.plugin.widgets.extent import SLICE, VOLUME, ExtentChooser
from napari_s3net.plugin.widgets.memory_advice import MemoryAdvice
from napari_s3net.plugin.widgets.panels import ProgressPanel, Welcome
from napari_s3net.plugin.widgets.parts import button, column, row
from napari_s3net.plugin.widgets.result_panel import ResultPanel
from napari_s3net.plugin.widgets.settings_dialog import SettingsDialog
from napari_s3net.plugin.widgets.settings_memory import SettingsMemory
from napari_s3net.plugin.widgets.window_chooser import WindowChooser
from napari_s3net.settings import Settings

SHORTCUT = "Shift-Enter"


class SegmentDock(Dock):
    """Segment the image in view.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.source: Source | None = None
        #: The newest session of the image, if it was worked on before.
        self._earlier: Path | None = None
        #: A file after this image that could not be read, and is passed over the next time.
        self._unreadable: Path | None = None
        self._suggested = ""
        self.welcome, self.choosers, self.window_chooser = Welcome(), Choosers(), WindowChooser()
        self.memory = SettingsMemory(self.choosers, self)
        self.windows, self.letters = WindowController(self.window_chooser, self), LettersController(napari_viewer, self)
        self.drag = WindowDrag(napari_viewer, self.windows)
        self.progress, self.panel, self.advice = ProgressPanel(), ResultPanel(), MemoryAdvice()
        self.session = session = Session(self)
        self.image = ChosenImage(napari_viewer, self, lambda: session.phase.is_busy)
        self.result = ResultController(napari_viewer, self.panel, self, lambda: session.is_previewing)
        self.pixel_size = PixelSizeController(napari_viewer, self.panel, self)
        self.extent = ExtentChooser()
        self.estimate = RunEstimate(self.choosers, self.extent, self.advice, session, lambda: self.source, self)
        self.autosave = autosave_of(napari_viewer)
        self.autosave.hold()
        self._watch = FolderWatch(self)
        self._cancel_run = partial(cancel_all, self.session.running)
        self._build()
        self._connect()
        self.image.look()

    def run(self, *, new_layer: bool = False) -> None:
        """Segment the plane in view; by default the image's result layer gets the new result.

        Parameters
        ----------
        new_layer : bool
            Whether the result goes to a layer of its own.
        """
        if self.source is None or self.image.layer is None or self.session.phase.is_busy:
            return
        if is_busy():
            self.session.fail(busy_words("Another run or a batch"))
            return
        try:
            settings = self.choosers.settings()
        except S3NetError as error:
            self.session.fail(str(error))
            return
        advice = self.estimate.say()
        if advice is not None and not advice.fits:
            show_error(self.advice.line.text())
            return
        target = self._target(new_layer=new_layer)
        self.progress.begin(settings.max_iter)
        self.session.start(target, settings, self.choosers.device_name, self.choosers.preset_name)

    def _target(self, *, new_layer: bool) -> Target:
        """The plane in view, or as many slices as are chosen."""
        assert self.source is not None  # noqa: S101 - asked for where there is an image
        span = self.extent.span
        if span is None:
            return Target(self._viewer, self.image.layer, self.source, new_layer=new_layer)
        stack = Stack(self.source, *span)
        return VolumeTarget(self._viewer, self.image.layer, stack, new_layer=new_layer)

    def _let_go(self) -> None:
        self.session.release()
        self._watch.watch()
        self.autosave.release()
        self.result.release()
        self.windows.release()
        self.drag.release()
        self.letters.release()
        self._viewer.bind_key(SHORTCUT, None)
        self.image.release()
        self.pixel_size.cancel()
        ahead.forget()
        self.source = None

    # -- making

    def _build(self) -> None:
        self.extent.hide()
        self.welcome.tour.setVisible(has_tour())
        self.run_button = QPushButton("Run")
        self.run_button.setProperty("primary", True)
        self.reopen = button("", "Labels, strokes and names of this image, as they were when they were last saved.")
        self.reopen.hide()
        self.run_button.setToolTip("Segment the image in view (Shift-Enter).")
        self.details = QPushButton("Copy details")
        self.details.setToolTip("Copy what a developer needs to know about this error.")
        #: A run's progress takes the place of what cannot be changed meanwhile, so that nothing below it moves.
        self.task = QStackedWidget()
        choice = QWidget()
        way_on = row(self.run_button, self.panel.next)
        column(choice, self.extent, self.choosers.form, self.advice, self.reopen, way_on).addStretch()
        # The place is as high as the choice; the progress makes do with that, without its plot if there is no room.
        self.progress.setMinimumHeight(self.progress.sizeHint().height())
        self.progress.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        for page in (choice, self.progress):
            self.task.addWidget(page)
        self.fill(self.welcome, self.choosers, self.window_chooser, self.task, self.message, self.details, self.panel)
        self._shortcut = QShortcut(QKeySequence("Shift+Return"), self)
        self._shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._stop_key = QShortcut(QKeySequence("Escape"), self)
        self._stop_key.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def _connect(self) -> None:
        self.welcome.asked.connect(self._open)
        self.choosers.image_chosen.connect(self.image.choose_nth)
        self.image.chosen.connect(self._take_image)
        self.image.listed.connect(self._show_images)
        self.image.replaced.connect(self._take_data)
        self.image.leaving.connect(self.result.release)
        self.choosers.preset_chosen.connect(self._choose_preset)
        self.choosers.presets.failed.connect(self.fail)
        self.run_button.clicked.connect(self._run_clicked)
        self.reopen.clicked.connect(self._reopen)
        self._shortcut.activated.connect(self.run)
        self._stop_key.activated.connect(self._stop_clicked)
        self.progress.stop.clicked.connect(self._stop_clicked)
        self.progress.cancel.clicked.connect(self._cancel_clicked)
        self.details.clicked.connect(self._copy_details)
        self.panel.asked.connect(self._ask)
        self.panel.unfolded.connect(self.reveal)
        self.pixel_size.given.connect(self._moved)
        self._watch.changed.connect(self._look_for_next)
        self.session.phase_changed.connect(self._enter)
        self.session.stepped.connect(self.progress.show_steps)
        self.destroyed.connect(self._cancel_run)
        self.follow_viewer(self._cancel_run)
        self._viewer.bind_key(SHORTCUT, _runner(self), overwrite=True)

    def _viewer_events(self) -> list[tuple[Any, Callable[..., None]]]:
        dims = self._viewer.dims.events
        turned = camera_of(self._viewer).events.orientation, grid_of(self._viewer).events.enabled
        return [
            *self.image.viewer_events(),
            *((getattr(dims, name), self._moved) for name in ("current_step", "order", "ndisplay")),
            *((event, self._moved) for event in turned),
        ]

    # Not as lambdas: in PySide a connection would hold on to what they know, and so to a dock that was closed.

    def _open(self, what: str) -> None:
        if what == "tour":
            open_image(self._viewer, self, "dermoscopy")
            start_tour(self.window(), self)
        else:
            open_image(self._viewer, self, what)

    def _run_clicked(self, _: bool = False) -> None:
        self.run()

    def _stop_clicked(self, _: bool = False) -> None:
        self.session.stop()

    def _cancel_clicked(self, _: bool = False) -> None:
        self.session.cancel()

    def _copy_details(self, _: bool = False) -> None:
        QApplication.clipboard().setText(self.session.details)

    # -- the image

    def _show_images(self) -> None:
        """Keep up with the layer list."""
        images = self.image.layers()
        current = images.index(self.image.layer) if self.image.layer in images else -1
        self.choosers.show_images([layer.name for layer in images], current)
        self._moved()

    def _take_image(self) -> None:
        """Work on another image, or on none: its preset is chosen anew."""
        layer = self.image.layer
        self.pixel_size.cancel()
        self.source = self._earlier = self._unreadable = None
        self.session.settle()
        if layer is None:
            self._watch.watch()
            self.result.release()
            self.windows.follow(None, None)
            self.letters.follow(None, None)
            return
        self._look_at(layer)
        self._earlier = self.autosave.session_of(layer)
        self._look_for_next()
        here = file_of(layer)
        self._watch.watch(*([] if here is None else [here.parent]), recursive=False)

    def _look_for_next(self) -> None:
        """Lead on to the image after this one, where there is one, and read it ahead."""
        following = None if self.image.layer is None else next_image(file_of(self.image.layer))
        self.panel.next.setVisible(following is not None)
        if following is not None:
            read_ahead(following)

    def _come_back(self) -> None:
        """Images may have come after this one meanwhile, or gone."""
        self._watch.look()

    def _reopen(self, _: bool = False) -> None:
        if self._earlier is not None:
            try:
                self.autosave.reopen(self._earlier)
                self._moved()
            except S3NetError as error:
                self.session.fail(str(error))

    def _take_data(self) -> None:
        """The image layer has got other data: it is looked at as another image; a run on the old one cancels itself."""
        if self.image.layer is not None:
            self._look_at(self.image.layer)
            self._moved()

    def _look_at(self, layer: ImageLayer) -> None:
        """Take the plane in view, and the preset that suits the image."""
        try:
            self.source, preset, reason = inspect_source(self._source())
        except Exception as error:  # noqa: BLE001 - a lazy array may fail in any way
            self.session.fail(f"Cannot read {layer.name}: {error}")
            return
        self.extent.choice.value = SLICE if self.source.slices == 1 or self.source.rgb else VOLUME
        self.extent.show_stack(self.source.slices, *thickness_text(self.source))
        key = self.memory.chosen_for(preset)
        if key != self.choosers.preset_key or not self._suggested:
            self._take_preset(key)
        self._suggested = preset
        self.choosers.show_preset(key, f"chosen for you: {reason}" if key == preset else "your choice last time")
        self.estimate.say()

    def _source(self) -> Source:
        return source_of(self.image.layer, self._viewer.dims.point, self._viewer.dims.order[-2:])

    def _moved(self, event: Any = None) -> None:
        """The sliders stand elsewhere, or layers have changed: describe the plane in view and show its result."""
        if self.source is not None and self.image.layer is not None and not self.session.phase.is_busy:
            self.source = replace(self._source(), kind=self.source.kind)
            follow_name(self._viewer.layers, self.image.layer)
            self.choosers.image_line.setText(describe_source(self.source))
            self.extent.show_stack(self.source.slices, *thickness_text(self.source))
            self.windows.follow(self.image.layer, self.source)
            self.letters.follow(self.image.layer, self.source)
            self.result.has_own_size = is_sized_by_hand(self.image.layer)
            self.result.show(find_result(self._viewer.layers, self.image.layer, self.source), self.source)
        self._settle()

    # -- what to do with it

    def _choose_preset(self, key: str) -> None:
        self._take_preset(key)
        self.choosers.show_preset(key, "chosen for you" if key == self._suggested else "your choice for this image")
        self.memory.choose(self._suggested, key)

    def _take_preset(self, key: str) -> None:
        self.choosers.show_preset(key, "")
        self.choosers.show_settings(self.memory.settings_of_chosen())

    # -- the run

    def _enter(self, phase: Phase, words: str) -> None:
        if phase is Phase.FAILED:
            self.fail(words)
        if not phase.is_busy:
            self.image.catch_up()
        self._moved()

    def _settle(self, *_: Any) -> None:
        """Show what the phase asks for."""
        is_in_use = self._has_focus()
        busy = self.session.phase.is_busy
        phase = self.session.phase if busy or self.image.layer is not None else Phase.NO_IMAGE
        words = self.session.message
        screen = screen_of(phase, has_result=self.result.layer is not None)
        self.welcome.setVisible(screen.welcome)
        for part in (self.choosers, self.task):
            part.setVisible(not screen.welcome)
        self.task.setCurrentIndex(int(screen.progress))
        self.choosers.setEnabled(screen.can_run)
        self.run_button.setEnabled(screen.can_run and self.source is not None)
        self.reopen.setVisible(self._earlier is not None and self.result.layer is None)
        if self._earlier is not None:
            self.reopen.setText(f"Reopen your work of {saved_at(self._earlier):%d %b, %H:%M}")
        self.message.setVisible(phase is Phase.FAILED)
        self.details.setVisible(phase is Phase.FAILED and bool(self.session.details))
        self.progress.stop.setEnabled(screen.can_stop)
        self.progress.cancel.setEnabled(screen.can_cancel)
        self.panel.setVisible(screen.results)
        self.panel.setEnabled(not busy)
        if screen.moving_bar:
            self.progress.move(words)
        if is_in_use and QApplication.focusWidget() in (None, self):
            (self if busy else self.run_button).setFocus()  # Run is disabled or comes back: Esc and Space still work

    def _has_focus(self) -> bool:
        focus = QApplication.focusWidget()
        return focus is not None and (focus is self or self.isAncestorOf(focus))

    def _ask(self, what: str) -> None:
        if what == "run_new":
            self.run(new_layer=True)
        elif what == "correct":
            show_dock(self._viewer, "Correct")
        elif what == "next_image" and self.image.layer is not None:
            self._open_next(self.image.layer)
        elif what == "pixel_size" and self.image.layer is not None:
            self.pixel_size.ask(self.image.layer)
        elif what == "show_settings" and self.result.layer is not None:
            metadata = self.result.metadata
            dialog = SettingsDialog(metadata, self)
            dialog.taken.connect(partial(_use_settings, self.choosers, metadata))
            dialog.show()
        else:
            self.result.ask(what, self.choosers.device_name)

    def _open_next(self, image: ImageLayer) -> None:
        """Open the image after this one; which one that is, is looked up now, as files come and go."""
        here = self._unreadable
        last = here if here is not None and here.exists() else file_of(image)
        following = next_image(last)
        if following is None:
            self._unreadable = None
            show_info(f"There is no image after {(here or file_of(image) or Path(image.name)).name} in the folder.")
        elif not open_in_place(self._viewer, following, image):
            self._unreadable = following


def _use_settings(choosers: Choosers, metadata: dict[str, Any]) -> None:
    """Fill in the settings that a result was made with."""
    choosers.show_preset(metadata["preset"], "as in the result")
    choosers.show_settings(Settings.from_dict(metadata["settings"]))


def _runner(dock: SegmentDock) -> Callable[[Any], None]:
    """What the key does; knows the dock only as long as it lives."""
    known = weakref.ref(dock)

    def run_from_key(_: Any) -> None:
        if (alive := known()) is not None:
            alive.run()

    return run_from_key
