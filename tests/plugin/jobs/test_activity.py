"""What napari's activity bar says of long jobs."""

import pytest
from qtpy.QtGui import QMovie
from qtpy.QtWidgets import QLabel, QMainWindow

from napari_s3net.plugin.jobs.activity import Activity

pytestmark = pytest.mark.viewer


def test_an_activity_tells_how_far_it_is(activities, capsys, qtbot):
    activity, shown = Activity(), []
    activity.begin("Segmenting mole")
    (bar,) = activities
    assert "Segmenting mole" in bar.desc
    bar.events.value.connect(lambda event: shown.append(event.value))
    activity.show(3, 10)
    activity.show(3, 10)
    activity.show(10, 10)
    assert not shown, "napari's bar handles clicks while it moves: not before whoever calls is done"
    qtbot.waitUntil(lambda: len(shown) > 1)
    assert (shown, bar.total) == ([3, 10], 10)
    activity.show(11, 12)
    activity.close()
    assert (shown, bar.total) == ([3, 10, 11], 12), "the last word, though"
    assert not activities
    qtbot.wait(10)
    assert len(shown) == 3
    assert capsys.readouterr().err == ""


def test_the_busy_sign_turns_slower_until_the_job_is_over(qtbot):
    window, label, movie = QMainWindow(), QLabel(), QMovie()
    label.setMovie(movie)
    window.statusBar().addPermanentWidget(label)
    qtbot.addWidget(window)
    activity, another = Activity(), Activity()
    activity.begin("Segmenting mole")
    another.begin("Batch in photographs")
    assert movie.speed() < 50
    activity.close()
    activity.close()
    assert movie.speed() < 50, "the other job still goes on"
    another.close()
    assert movie.speed() == 100


def test_of_one_job_after_another_each_has_a_bar_of_its_own(activities, qtbot):
    activity = Activity()
    activity.begin("Segmenting mole")
    activity.show(3, 10)
    activity.begin("Segmenting lung")
    (bar,) = activities
    qtbot.wait(10)
    assert "lung" in bar.desc
    assert bar.total == 0, "what was still to be shown of the first is not shown of the second"
    activity.close()
    assert not activities
    activity.close()
