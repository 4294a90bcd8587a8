import threading

import numpy as np
import pytest

from napari_s3net.image import as_image
from napari_s3net.plugin.jobs.newest_answer import POLL_MS
from napari_s3net.plugin.segment import measuring as module
from napari_s3net.plugin.segment.measuring import Measurer

pytestmark = pytest.mark.viewer


@pytest.fixture
def measuring(qtbot):
    one = Measurer()
    one.answers = []
    one.measured.connect(lambda key, clusters: one.answers.append((key, [c.pixels for c in clusters])))
    return one


def question(n):
    labels = np.ones((40, 50), np.int32)
    labels[:, :n] = 2
    return labels, as_image(np.arange(2000).reshape(40, 50))


def test_a_small_plane_is_measured_at_once(measuring):
    measuring.ask("a", *question(10))
    assert measuring.answers == [("a", [1600, 400])]


def test_a_small_plane_of_many_that_go_by_is_measured_beside_the_screen(measuring, qtbot):
    measuring.ask("a", *question(10), aside=True)
    assert measuring.answers == []
    qtbot.waitUntil(lambda: measuring.answers == [("a", [1600, 400])], timeout=3000)


def test_a_large_plane_is_measured_beside_the_screen(measuring, monkeypatch, qtbot):
    monkeypatch.setattr(module, "SMALL", 100)
    seen = []
    real = module.measure_clusters
    monkeypatch.setattr(module, "measure_clusters", lambda *a: seen.append(threading.get_ident()) or real(*a))
    measuring.ask("a", *question(10))
    assert measuring.answers == []
    qtbot.waitUntil(lambda: len(measuring.answers) == 1, timeout=3000)
    assert seen[0] != threading.get_ident()


def test_the_newest_question_wins(measuring, monkeypatch, qtbot):
    monkeypatch.setattr(module, "SMALL", 100)
    for n in (1, 2, 3, 4):
        measuring.ask(n, *question(n))
    qtbot.waitUntil(lambda: len(measuring.answers) == 1, timeout=3000)
    qtbot.wait(3 * POLL_MS)
    assert measuring.answers == [(4, [1840, 160])]


def test_labels_may_change_meanwhile(measuring, monkeypatch, qtbot):
    monkeypatch.setattr(module, "SMALL", 100)
    labels, image = question(10)
    measuring.ask("a", labels, image)
    labels[:] = 7
    qtbot.waitUntil(lambda: len(measuring.answers) == 1, timeout=3000)
    assert measuring.answers == [("a", [1600, 400])]


def test_what_was_dropped_is_not_answered(measuring, monkeypatch, qtbot):
    monkeypatch.setattr(module, "SMALL", 100)
    measuring.ask("a", *question(10))
    measuring.drop()
    qtbot.wait(5 * POLL_MS)
    assert measuring.answers == []
