from functools import partial
from pathlib import Path

import pytest
from napari.components import ViewerModel
from napari.utils.events import Event
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QDockWidget, QLabel, QMainWindow, QWidget

from napari_s3net.plugin.widgets import dock as module
from napari_s3net.plugin.widgets.dock import LEAST_WIDTH, WIDTH, Dock, bring_forward, frame_of, show_dock
from napari_s3net.plugin.widgets.parts import column

pytestmark = pytest.mark.viewer


class Small(Dock):
    """A dock that counts what it hears."""

    def __init__(self, viewer):
        super().__init__(viewer)
        self.heard, self.let_go, self.quits, self.came_back = 0, 0, 0, 0
        self.line = QLabel("line")
        self.fill(self.line, self.message)
        self.follow_viewer(self.quit)

    def quit(self):
        self.quits += 1

    def _viewer_events(self):
        return [(self._viewer.layers.events.inserted, self._hear)]

    def _hear(self, event: Event):
        self.heard += 1

    def _come_back(self):
        self.came_back += 1

    def _let_go(self):
        self.let_go += 1


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def dock(qtbot, viewer):
    dock = Small(viewer)
    qtbot.addWidget(dock)
    yield dock
    dock.release()


def test_its_parts_lie_in_a_column_as_wide_as_a_dock(dock):
    assert dock.sizeHint().width() == WIDTH
    assert dock.minimumWidth() == LEAST_WIDTH
    layout = dock.widget().layout()
    assert [layout.itemAt(n).widget() for n in range(layout.count())] == [dock.line, dock.message, None]


def test_a_short_dock_puts_its_parts_closer_together(dock):
    part = QWidget()
    inner = column(part, QLabel("one"), QLabel("two"))
    dock.resize(320, 640)
    dock.show()
    dock.hold_above(part)
    outer = dock.widget().layout()
    assert (outer.spacing(), inner.spacing()) == (4, 3)
    dock.resize(320, 760)
    assert (outer.spacing(), inner.spacing()) == (8, 6)
    dock.resize(320, 640)
    assert (outer.spacing(), inner.spacing()) == (4, 3)


def test_nothing_moves_when_the_scroll_bar_comes(dock, qtbot):
    dock.resize(320, 400)
    dock.show()
    qtbot.waitExposed(dock)
    places = []
    for height in (20, 3000):
        dock.line.setFixedHeight(height)
        qtbot.waitUntil(lambda height=height: (dock.verticalScrollBar().maximum() > 0) == (height > 400), timeout=2000)
        qtbot.waitUntil(lambda: dock.line.width() > 200, timeout=2000)
        places.append((dock.line.x(), dock.line.width()))
    assert places[0] == places[1]


def test_what_has_come_into_view_below_the_fold_is_scrolled_to(dock, qtbot):
    dock.resize(320, 200)
    dock.show()
    dock.line.setMinimumHeight(600)
    dock.show_message("What went wrong.")
    dock.reveal(dock.message)
    qtbot.waitUntil(lambda: dock.verticalScrollBar().value() > 300)
    assert not dock.message.visibleRegion().isEmpty()
    at = dock.verticalScrollBar().value()
    dock.reveal(dock.message)
    qtbot.wait(20)
    assert dock.verticalScrollBar().value() == at, "what is in view stays where it is"


def test_released_it_hears_nothing_more_and_lets_go_once(dock, viewer):
    viewer.add_points()
    QApplication.instance().aboutToQuit.emit()
    dock.release()
    dock.release()
    viewer.add_points()
    QApplication.instance().aboutToQuit.emit()
    assert (dock.heard, dock.quits, dock.let_go) == (1, 1, 1)


def test_it_lets_go_when_napari_takes_it_out_of_its_window(dock, qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    dock.setParent(window)
    assert dock.let_go == 0
    dock.setParent(None)
    assert dock.let_go == 1


def test_it_follows_the_theme_until_it_is_released(dock, viewer):
    dark = dock.styleSheet()
    viewer.theme = "light"
    light = dock.styleSheet()
    assert dark != light
    dock.release()
    viewer.theme = "dark"
    assert dock.styleSheet() == light


def test_what_it_says_is_shown_as_it_is_and_taken_back(dock, monkeypatch):
    shown = []
    monkeypatch.setattr(module, "show_error", shown.append)
    assert dock.message.isHidden()
    dock.fail("<b>scan</b> is empty")
    assert shown == [dock.message.text()] == ["<b>scan</b> is empty"]
    assert dock.message.textFormat().name == "PlainText"
    assert not dock.message.isHidden()
    dock.show_message("")
    assert dock.message.isHidden()


@pytest.mark.parametrize(
    "path", sorted(Path(module.__file__).parents[1].glob("*/dock.py")), ids=lambda p: p.parent.name
)
def test_no_signal_is_connected_to_a_lambda_of_a_dock(path):
    """In PySide such a connection keeps a dock alive that was closed; its bound methods are held weakly."""
    assert ".connect(lambda" not in path.read_text(encoding="utf-8")


def framed(window, widget):
    """As napari does it: a frame with a title, and the widget somewhere within."""
    frame, box = QDockWidget("title", window), QWidget()
    widget.setParent(box)
    frame.setWidget(box)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, frame)
    frame.show()
    return frame


@pytest.fixture
def window(qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    window.setCentralWidget(QWidget())
    window.resize(900, 600)
    window.show()
    return window


def test_docks_are_tabs_of_full_height_and_a_new_one_is_in_front(qtbot, viewer, window):
    foreign, first = framed(window, QLabel("another plugin")), framed(window, Small(viewer))
    qtbot.wait(50)
    assert window.tabifiedDockWidgets(first) == [], "others stay where they are"
    height = first.height()
    second = framed(window, Small(viewer))
    assert not window.updatesEnabled(), "nobody sees it squeeze the others, with scroll bars, until it is their tab"
    qtbot.waitUntil(lambda: window.tabifiedDockWidgets(first) == [second])
    qtbot.waitUntil(window.updatesEnabled)
    third = framed(window, Small(viewer))
    qtbot.waitUntil(lambda: set(window.tabifiedDockWidgets(third)) == {first, second})
    qtbot.waitUntil(lambda: not third.visibleRegion().isEmpty() and first.visibleRegion().isEmpty())
    assert third.height() >= height - 40, "but for the tabs"
    assert not foreign.visibleRegion().isEmpty()
    for frame in (first, second, third):
        frame.findChild(Dock).release()


def test_a_dock_that_is_shown_again_is_in_front(qtbot, viewer, window):
    first, second = framed(window, Small(viewer)), framed(window, Small(viewer))
    qtbot.waitUntil(lambda: window.tabifiedDockWidgets(first) == [second] and first.visibleRegion().isEmpty())
    first.hide()
    qtbot.wait(20)
    first.show()
    qtbot.waitUntil(lambda: not first.visibleRegion().isEmpty() and second.visibleRegion().isEmpty())
    bring_forward(second.findChild(Dock))
    qtbot.waitUntil(lambda: first.visibleRegion().isEmpty())
    for frame in (first, second):
        frame.findChild(Dock).release()


def test_a_dock_looks_again_when_its_tab_comes_to_the_front(qtbot, viewer, window):
    first, second = framed(window, Small(viewer)), framed(window, Small(viewer))
    qtbot.waitUntil(lambda: window.tabifiedDockWidgets(first) == [second] and first.visibleRegion().isEmpty())
    front, behind = second.findChild(Dock), first.findChild(Dock)
    seen = front.came_back, behind.came_back
    first.raise_()
    qtbot.waitUntil(lambda: behind.came_back > seen[1])
    assert front.came_back == seen[0]
    first.findChild(Dock).release()
    seen = behind.came_back
    second.raise_()
    first.raise_()
    qtbot.waitUntil(lambda: not first.visibleRegion().isEmpty())
    assert behind.came_back == seen, "it has let go"
    second.findChild(Dock).release()


@pytest.mark.viewer
def test_the_way_on_leads_to_a_dock_that_is_open_behind(make_napari_viewer, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_s3net.plugin.correct.autosave.session_folder", lambda: tmp_path)
    viewer = make_napari_viewer(show=True)
    correct, segment = show_dock(viewer, "Correct"), show_dock(viewer, "Segment")
    behind, front = frame_of(correct), frame_of(segment)
    qtbot.waitUntil(lambda: behind.visibleRegion().isEmpty() and not front.visibleRegion().isEmpty())
    segment.panel.correct.click()
    qtbot.waitUntil(lambda: front.visibleRegion().isEmpty() and not behind.visibleRegion().isEmpty())
    correct.empty.segment.click()
    qtbot.waitUntil(lambda: behind.visibleRegion().isEmpty())


@pytest.mark.viewer
@pytest.mark.parametrize("name", ["Segment", "Correct", "Learn", "Batch"])
def test_there_is_one_dock_of_a_name_whichever_way_it_is_opened(make_napari_viewer, name):
    from napari._app_model import get_app_model

    viewer = make_napari_viewer(show=True)

    def opened():
        return [one for one in viewer.window._qt_window.findChildren(Dock) if type(one).__name__ == f"{name}Dock"]

    menu = partial(get_app_model().commands.execute_command, f"napari-s3net.{name.lower()}")
    menu().result()
    (first,) = opened()
    assert show_dock(viewer, name) is first
    viewer.window.remove_dock_widget(first)
    second = show_dock(viewer, name)
    menu().result()  # napari's menu shows and hides what is there
    assert frame_of(second).isHidden()
    assert show_dock(viewer, name) is second
    assert [one for one in opened() if one is not first] == [second]
    viewer.window.remove_dock_widget(second)
    scripted = viewer.window.add_plugin_dock_widget("napari-s3net", name)[1]
    assert show_dock(viewer, name) is scripted


def test_a_dock_stays_where_the_user_has_put_it(qtbot, viewer, window):
    first, second = framed(window, Small(viewer)), framed(window, Small(viewer))
    qtbot.waitUntil(lambda: window.tabifiedDockWidgets(first) == [second])
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, second)
    second.hide()
    second.show()
    qtbot.wait(50)
    assert window.tabifiedDockWidgets(first) == []
    for frame in (first, second):
        frame.findChild(Dock).release()
