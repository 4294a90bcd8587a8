"""Voxels are counted beside the window."""

import numpy as np
import pytest

from napari_s3net.plugin.segment.volume_counter import VolumeCounter

pytestmark = pytest.mark.viewer


@pytest.fixture
def counter(qtbot):
    counter, answers = VolumeCounter(), []
    counter.counted.connect(answers.append)
    return counter, answers


def test_the_newest_question_is_answered(counter, qtbot):
    counter, answers = counter
    labels = np.ones((3, 20, 20), np.uint8)
    counter.ask(labels)
    counter.ask(2 * labels)
    counter.ask(3 * labels)
    qtbot.waitUntil(lambda: bool(answers), timeout=3000)
    qtbot.wait(200)
    assert answers == [{3: 1200}]


def test_what_was_dropped_has_no_answer(counter, qtbot):
    counter, answers = counter
    counter.ask(np.ones((3, 20, 20), np.uint8))
    counter.drop()
    qtbot.wait(200)
    assert answers == []
