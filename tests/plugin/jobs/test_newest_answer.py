"""Questions are answered beside the window, as how many voxels each label of a volume has."""

from functools import partial

import numpy as np
import pytest

from napari_s3net.labels.measure import count_voxels
from napari_s3net.plugin.jobs.newest_answer import NewestAnswer

pytestmark = pytest.mark.viewer


@pytest.fixture
def counter(qtbot):
    counter, answers = NewestAnswer(), []
    counter.answered.connect(answers.append)
    return counter, answers


def test_the_newest_question_is_answered(counter, qtbot):
    counter, answers = counter
    labels = np.ones((3, 20, 20), np.uint8)
    counter.ask(partial(count_voxels, labels))
    counter.ask(partial(count_voxels, 2 * labels))
    counter.ask(partial(count_voxels, 3 * labels))
    qtbot.waitUntil(lambda: bool(answers), timeout=3000)
    qtbot.wait(200)
    assert answers == [{3: 1200}]


def test_what_was_dropped_has_no_answer(counter, qtbot):
    counter, answers = counter
    counter.ask(partial(count_voxels, np.ones((3, 20, 20), np.uint8)))
    counter.drop()
    qtbot.wait(200)
    assert answers == []
