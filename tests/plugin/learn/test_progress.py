"""What is said of work while it goes on."""

from dataclasses import replace

import pytest
from qtpy.QtCore import QObject

from napari_s3net.learning.steps import LearnStep, ReadStep
from napari_s3net.plugin.learn.progress import Progress

pytestmark = pytest.mark.viewer


@pytest.fixture
def told(qtbot):
    parent = QObject()
    progress, words = Progress(parent), []
    qtbot.addWidget(progress.bar)
    qtbot.addWidget(progress.plot)
    qtbot.addWidget(progress.told)
    progress.said.connect(words.append)
    progress.begin("Reading…", "Preparing…")
    yield progress, words
    parent.deleteLater()


def learned(iteration):
    return LearnStep(iteration, 40, {"dice": 0.5}, None, None)


def test_once_all_images_are_read_it_says_what_comes_and_the_bar_moves_without_a_number(told):
    progress, words = told
    progress.show(ReadStep(1, 2))
    assert progress.bar.maximum() == 2
    progress.show(ReadStep(2, 2))
    assert words == ["Reading…", "1 of 2 images", "2 of 2 images", "Preparing…"]
    assert progress.bar.maximum() == 0
    progress.show(learned(1))
    assert (progress.bar.value(), progress.bar.maximum(), words[-1]) == (1, 40, "Step 1 of 40")


def test_paused_it_says_so_until_it_goes_on(told):
    progress, words = told
    progress.show(learned(1))
    progress.pause(True)
    progress.show(learned(2))
    assert words[-2:] == ["Paused · Step 1 of 40", "Paused · Step 2 of 40"]
    progress.pause(False)
    assert words[-1] == "Step 2 of 40"


def test_once_it_is_stopping_no_step_takes_the_place_of_that(told):
    progress, words = told
    progress.pause(True)
    progress.stop("Stopping…")
    assert words[-1] == "Stopping…", "it waits no longer"
    progress.show(learned(3))
    assert words[-1] == "Stopping…"


def test_each_step_has_its_place_in_the_plot_also_of_a_run_that_is_taken_up_again(told):
    progress, _ = told
    added = []
    progress.plot.add = added.extend
    for iteration in (31, 32, 1):  # from a checkpoint, and begun anew with less memory
        progress.show(learned(iteration))
    assert len(added) == 32


@pytest.mark.parametrize("term", ["pseudo-labels", "cross pseudo"])
def test_losses_are_called_by_the_images_that_they_are_of(told, term):
    progress, _ = told
    added = []
    progress.plot.add = added.extend
    progress.show(replace(learned(1), losses={"supervised": 0.5, term: 0.2}))
    assert added == [{"corrected": 0.5, "others": 0.2}]
    assert all(f"{name}:" in progress.plot.toolTip() for name in added[0])


def test_what_was_found_out_stays_and_what_is_being_done_goes(told):
    progress, _ = told
    for notice in ("Goes on after step 4.", "1 left out.", "Looking for keypoints…"):
        progress.tell(notice)
    assert progress.told.text() == "Goes on after step 4. 1 left out. Looking for keypoints…"
    progress.tell("Learning to look closer…")
    assert progress.told.text() == "Goes on after step 4. 1 left out. Learning to look closer…"
    progress.tell()
    assert progress.told.text() == "Goes on after step 4. 1 left out."
    progress.begin("Reading…", "")
    assert progress.told.text() == ""
