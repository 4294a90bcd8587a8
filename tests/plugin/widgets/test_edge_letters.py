import pytest
from qtpy.QtCore import Qt
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_s3net.plugin.widgets.edge_letters import EdgeLetters

pytestmark = pytest.mark.viewer


@pytest.fixture
def letters(qtbot):
    """A window with a canvas in its middle."""
    window = QMainWindow()
    window.setCentralWidget(QOpenGLWidget())
    window.resize(400, 300)
    dock = QWidget(window)
    qtbot.addWidget(window)
    window.show()
    made = EdgeLetters(dock)
    made.canvas = window.centralWidget()
    yield made
    made.release()


def words(letters):
    return [label.text() if label.isVisible() else "" for label in letters.labels]


def test_each_stands_at_its_edge_also_of_a_canvas_that_was_resized(letters, qtbot):
    letters.show_letters(("R", "L", "A", "P"))
    assert words(letters) == ["R", "L", "A", "P"]
    for size in ((400, 300), (300, 200)):
        letters.canvas.window().resize(*size)
        qtbot.wait(20)
        left, right, top, bottom = (label.geometry().center() for label in letters.labels)
        assert (left.x() < 30, right.x() > letters.canvas.width() - 30) == (True, True)
        assert (top.y() < 30, bottom.y() > letters.canvas.height() - 30) == (True, True)
        assert abs(left.y() - letters.canvas.height() / 2) < 3


def test_they_come_and_go(letters):
    letters.show_letters(("R", "L", "A", "P"))
    letters.show_letters(None)
    assert words(letters) == [""] * 4
    letters.show_letters(("A", "P", "S", "I"))
    assert words(letters) == ["A", "P", "S", "I"]
    letters.release()
    assert letters.labels == []


def test_without_a_canvas_nothing_is_shown(qtbot):
    alone = QWidget()
    qtbot.addWidget(alone)
    letters = EdgeLetters(alone)
    letters.show_letters(("R", "L", "A", "P"))
    assert letters.labels == []


def test_letters_that_were_asked_for_before_the_dock_was_in_the_window_come_with_it(qtbot):
    window, dock = QMainWindow(), QWidget()
    qtbot.addWidget(window)
    window.setCentralWidget(QOpenGLWidget())
    window.show()
    letters = EdgeLetters(dock)
    letters.show_letters(("R", "L", "A", "P"))
    assert letters.labels == []
    frame = QDockWidget(window)
    frame.setWidget(dock)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, frame)
    qtbot.waitUntil(lambda: words(letters) == ["R", "L", "A", "P"])
    letters.release()
