"""The tour through the Segment dock, by napari's own where it has one."""

import pytest
from qtpy.QtWidgets import QMainWindow

from napari_s3net.plugin.segment.tour import HOME, STOPS, has_tour, start_tour

pytestmark = pytest.mark.viewer


def titles(tour):
    return tour._tooltip._title.text()


@pytest.fixture
def shown(ready, qtbot):
    """A dock with an image in a window of its own; the result is not there yet."""
    window = QMainWindow()
    qtbot.addWidget(window)
    window.setCentralWidget(ready)
    window.show()
    return window, ready


@pytest.mark.skipif(not has_tour(), reason="this napari has no guided tour")
def test_the_tour_waits_for_the_result_and_goes_on_to_the_end(shown, qtbot):
    window, dock = shown
    start_tour(window, dock)
    tour = window._viewer_tour
    qtbot.waitUntil(lambda: titles(tour) == STOPS[0][1], timeout=2000)
    tour._on_next()
    assert titles(tour) == "Run"
    tour._on_next()
    assert titles(tour) == "Run"
    dock.run()
    qtbot.waitUntil(lambda: dock.panel.isVisible(), timeout=20_000)
    for stop in STOPS[2:]:
        tour._on_next()
        assert titles(tour) == stop[1]
    tour._on_next()
    assert window._viewer_tour is None


def test_a_napari_without_tours_offers_none(monkeypatch):
    monkeypatch.setattr("napari_s3net.plugin.segment.tour.find_spec", lambda name: None if name == HOME else object())
    assert not has_tour()
    start_tour(None, None)
