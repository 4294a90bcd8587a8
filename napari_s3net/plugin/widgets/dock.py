"""What every dock does: one column that scrolls, the theme's colours, a line for what went wrong, and letting go."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from napari.utils.events import EventEmitter
from napari.utils.notifications import show_error
from npe2 import PluginManager
from qtpy.QtCore import QEvent, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QResizeEvent, QShowEvent
from qtpy.QtWidgets import (
    QApplication,
    QDockWidget,
    QFormLayout,
    QFrame,
    QGridLayout,
    QLayout,
    QMainWindow,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_s3net.plugin import DISPLAY_NAME, PLUGIN
from napari_s3net.plugin.jobs.pause import after_pause
from napari_s3net.plugin.jobs.preload import preloading
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.undo import undo_log_of
from napari_s3net.plugin.widgets.binding import warn_of_binding
from napari_s3net.plugin.widgets.graphics import make_canvas_current
from napari_s3net.plugin.widgets.parts import message_box
from napari_s3net.plugin.widgets.style import style_sheet
from napari_s3net.plugin.widgets.undo_keys import hold_keys, release_keys

WIDTH, LEAST_WIDTH = 320, 280
#: Pause after a dock is there, before what it will need is loaded.
PRELOAD_MS = 300
#: Below this height in pixels, as on a screen of 1366 × 768, gaps between parts are half as wide.
SHORT = 720
#: Around all parts, in pixels.
MARGIN = 6

_openings: WeakKeyDictionary[Any, EventEmitter] = WeakKeyDictionary()


def openings_of(viewer: Any) -> EventEmitter:
    """The event of a dock that is opened in a viewer, by whatever way.

    Parameters
    ----------
    viewer : napari.Viewer
        With a window.

    Returns
    -------
    EventEmitter
        `dock` of its event is the one that is shown for the first time.
    """
    viewer = plain(viewer)
    if viewer not in _openings:
        _openings[viewer] = EventEmitter(type_name="opened")
    return _openings[viewer]


class Dock(QScrollArea):
    """The base of the docks.

    A dock makes its parts, hands them to `fill`, and then calls `follow_viewer`; in `_let_go` it ends what it began.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that the dock belongs to.
    """

    #: Before the dock lets go of viewer and layers: what it holds for another dock can still be taken back.
    releasing = Signal()

    #: Wanted height.
    height_hint = 600

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self._viewer = napari_viewer
        undo_log_of(napari_viewer)  # follows the layers from here on
        self._released = False
        self._has_place = self._is_short = False
        self._at_quit: list[Callable[[], None]] = []
        self.message = message_box()

    def sizeHint(self) -> QSize:
        """For Qt: the size that a new dock gets.

        Returns
        -------
        QSize
            320 pixels wide, and as high as its `height_hint`.
        """
        return QSize(WIDTH, self.height_hint)

    def event(self, event: QEvent) -> bool:
        """For Qt: napari's close button takes a dock's widget out of its window and tells it nothing else."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.release()
        answer = bool(super().event(event))
        if event.type() in (QEvent.Type.Show, QEvent.Type.WindowActivate):
            self._look_again(is_in_view=self.isVisible())
        return answer

    def showEvent(self, event: QShowEvent) -> None:
        """For Qt: when it is first shown, the dock joins the others; shown again by a menu, its tab comes to the front.

        A place that the user gives it later is left.
        """
        super().showEvent(event)
        if self._has_place and not event.spontaneous():
            QTimer.singleShot(0, self._raise)
        elif not self._has_place:
            self._has_place = True
            if (frame := frame_of(self)) is not None:  # Qt shows nothing anew that was behind another tab
                frame.visibilityChanged.connect(self._look_again)
            # Napari has still to divide the window, with the new dock below the others; nobody needs to see that.
            self.window().setUpdatesEnabled(False)
            QTimer.singleShot(0, self._join_others)
            QTimer.singleShot(0, partial(_show_again, self.window()))
            after_pause(PRELOAD_MS, _preload, self).start()
            if isinstance(self.window(), QMainWindow) and not self._released:
                hold_keys(self.window(), self._viewer, self)
            openings_of(self._viewer)(dock=self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """For Qt: a short dock puts its parts closer together; by its height alone, so that nothing moves otherwise."""
        super().resizeEvent(event)
        if self.widget() is not None and (event.size().height() < SHORT) != self._is_short:
            self._is_short = not self._is_short
            for layout in self.widget().findChildren(QLayout):
                _set_gap(layout, 0.5 if self._is_short else 1.0)

    def _look_again(self, is_in_view: bool) -> None:
        if is_in_view and not self._released:
            self._come_back()

    def _raise(self) -> None:
        if (frame := frame_of(self)) is not None and not frame.isHidden():
            frame.raise_()

    def _join_others(self) -> None:
        """Become a tab beside the other docks, at full height: none is squeezed below another."""
        own = frame_of(self)
        window = own.parent() if own is not None else None
        if own is None or own.isFloating() or not isinstance(window, QMainWindow):
            return
        own.setWindowTitle(own.windowTitle().partition(" (")[0])  # the plugin's name behind it does not fit on a tab
        for other in window.findChildren(QDockWidget):
            if other is not own and not other.isFloating() and other.findChild(Dock) is not None:
                window.tabifyDockWidget(other, own)
                own.raise_()
                return

    def fill(self, *parts: QWidget) -> QVBoxLayout:
        """Put parts one below the other, in a column that scrolls.

        Returns
        -------
        QVBoxLayout
            The column; it ends with a stretch.
        """
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setSpacing(8)
        for part in parts:
            layout.addWidget(part)
        layout.addStretch(1)
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.verticalScrollBar().rangeChanged.connect(self._leave_room)
        self._leave_room(0, 0)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.setMinimumWidth(LEAST_WIDTH)
        return layout

    def follow_viewer(self, *at_quit: Callable[[], None]) -> None:
        """Listen to the viewer and take its colours; what is given here is called when napari is closed."""
        for event, slot in self._all_events():
            event.connect(slot)
        self._at_quit += at_quit
        for slot in at_quit:
            QApplication.instance().aboutToQuit.connect(slot)
        self._restyle()

    def release(self) -> None:
        """Let go of viewer, layers and run, once; what runs ends by itself."""
        if self._released:
            return
        self._released = True
        self.releasing.emit()
        release_keys(self)
        for event, slot in self._all_events():
            event.disconnect(slot)
        for slot in self._at_quit:
            QApplication.instance().aboutToQuit.disconnect(slot)
        self._let_go()

    def hold_above(self, part: QWidget) -> None:
        """Hold a part of another dock above all of this one's, until that takes it back.

        Parameters
        ----------
        part : qtpy.QtWidgets.QWidget
            Moves here; `releasing` is the last moment to move it elsewhere.
        """
        layout = self.widget().layout()
        assert isinstance(layout, QVBoxLayout)  # noqa: S101 - as `fill` made it
        layout.insertWidget(0, part)
        for inner in part.findChildren(QLayout):
            _set_gap(inner, 0.5 if self._is_short else 1.0)
        self.verticalScrollBar().setValue(0)

    def reveal(self, part: QWidget) -> None:
        """Scroll to a part that has come into view or has grown, as far as it lies below the fold.

        Parameters
        ----------
        part : qtpy.QtWidgets.QWidget
            One of the dock's.
        """
        QTimer.singleShot(0, partial(self._scroll_to, part))

    def _scroll_to(self, part: QWidget) -> None:
        with suppress(RuntimeError):  # it may be closed by now
            if part.isVisibleTo(self):
                self.widget().layout().activate()
                self.ensureWidgetVisible(part, 0, MARGIN)

    def show_message(self, words: str) -> None:
        """Show a message; hide it where it is empty.

        Parameters
        ----------
        words : str
            One or two sentences, or nothing.
        """
        self.message.setText(words)
        self.message.setVisible(bool(words))

    def fail(self, words: str) -> None:
        """Say what went wrong, here and as napari's notification.

        Parameters
        ----------
        words : str
            One or two sentences.
        """
        self.show_message(words)
        show_error(words)

    # -- what a dock may add

    def _viewer_events(self) -> list[tuple[Any, Callable[..., None]]]:
        """Events of the viewer, and who hears them."""
        return []

    def _come_back(self) -> None:
        """Somebody looks at the dock again: its tab or its window has come to the front."""

    def _let_go(self) -> None:
        """End what the dock began; it hears nothing of the viewer any more."""

    def _all_events(self) -> list[tuple[Any, Callable[..., None]]]:
        removing = self._viewer.layers.events.removing
        return [*self._viewer_events(), (self._viewer.events.theme, self._restyle), (removing, self._before_removal)]

    def _before_removal(self, event: Any = None) -> None:
        make_canvas_current(self)

    def _leave_room(self, _: int, most: int) -> None:
        """Keep the room of the scroll bar free while there is none, so that nothing moves when it comes."""
        layout = self.widget().layout()
        bar = self.verticalScrollBar().sizeHint().width()
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN if most else MARGIN + bar, MARGIN)

    def _restyle(self, event: Any = None) -> None:
        self.setStyleSheet(style_sheet(self._viewer.theme))


def show_dock(viewer: Any, name: str) -> Any:
    """Open one of the plugin's docks, or bring it to the front where it is open, by whatever way: there is one of each.

    Parameters
    ----------
    viewer : napari.Viewer
        With a window.
    name : str
        As in the menu: "Segment", "Correct", "Learn" or "Batch".

    Returns
    -------
    Dock
        What is in view now.
    """
    dock = open_dock(viewer, name)
    if dock is None:
        widgets = PluginManager.instance().iter_widgets()
        offered = {one.display_name: one for one in widgets if one.plugin_name == PLUGIN}
        dock = offered[name].get_callable()(viewer)
        viewer.window.add_dock_widget(dock, name=_titles(name)[0])
    bring_forward(dock)
    return dock


def open_dock(viewer: Any, name: str) -> Any:
    """Find one of the plugin's docks, opened by whatever way.

    Parameters
    ----------
    viewer : napari.Viewer
        May be without a window.
    name : str
        As in the menu.

    Returns
    -------
    Dock or None
        None where it is not open.
    """
    window = getattr(viewer, "window", None)
    there = {} if window is None else window.dock_widgets
    return next((there[title] for title in _titles(name) if title in there), None)


def _titles(name: str) -> list[str]:
    """What napari's menus, and its Python, call a dock."""
    return [f"{name} ({plugin})" for plugin in (DISPLAY_NAME, PLUGIN)]


def bring_forward(widget: QWidget) -> None:
    """Show the dock that something lies in, in front of the other tabs.

    Parameters
    ----------
    widget : qtpy.QtWidgets.QWidget
        Anything within a dock.
    """
    if (frame := frame_of(widget)) is not None:
        frame.show()
        frame.raise_()


def _show_again(window: QWidget) -> None:
    with suppress(RuntimeError):  # it may be closed by now
        window.setUpdatesEnabled(True)


def _set_gap(layout: QLayout, share: float) -> None:
    """Make the vertical gaps of a layout so large a share of what they are at most."""
    if isinstance(layout, QVBoxLayout):
        read, write = layout.spacing, layout.setSpacing
    elif isinstance(layout, QGridLayout | QFormLayout):
        read, write = layout.verticalSpacing, layout.setVerticalSpacing
    else:
        return
    if layout.property("gap") is None:
        layout.setProperty("gap", read())
    write(round(share * layout.property("gap")))


def _preload() -> None:
    preloading()
    warn_of_binding()


def frame_of(widget: QWidget) -> QDockWidget | None:
    """Find the frame with a title that napari puts around a dock.

    Parameters
    ----------
    widget : qtpy.QtWidgets.QWidget
        Anything within a dock.

    Returns
    -------
    qtpy.QtWidgets.QDockWidget or None
        None where the widget stands by itself.
    """
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    return parent
