"""A job beside the screen."""

import numpy as np
import pytest

from napari_s3net.correction.constraints import OBJECT
from napari_s3net.plugin.jobs import background as module
from napari_s3net.plugin.jobs.background import Background, RefinerCache, estimate_uncertainty, rerun
from napari_s3net.plugin.jobs.thread_job import Failure, is_busy
from napari_s3net.progress import Step
from napari_s3net.result import Segmentation

pytestmark = pytest.mark.viewer


@pytest.fixture
def background(qtbot):
    heard = []
    background = Background()
    background.over.connect(heard.append)
    background.heard = heard
    yield background
    background.release()
    qtbot.waitUntil(lambda: not is_busy(), timeout=30000)


def start(background, editor, make):
    background.start(editor.source, editor.result().settings, make)


def test_what_a_job_returns_is_told_once(background, editor, qtbot):
    def make(image):
        yield Step(1, 1, {}, 2)
        return image.shape

    start(background, editor, make)
    assert background.is_busy
    qtbot.waitUntil(lambda: not background.running, timeout=10000)
    qtbot.wait(100)
    assert background.heard == [(48, 64)]
    assert not background.is_busy


@pytest.mark.parametrize("error", [RuntimeError("CUDA out of memory"), ValueError("odd")])
def test_a_failure_is_told_in_words(background, editor, qtbot, error):
    def make(image):
        yield Step(1, 2, {}, 2)
        raise error

    start(background, editor, make)
    qtbot.waitUntil(lambda: not background.running, timeout=10000)
    (outcome,) = background.heard
    assert isinstance(outcome, Failure)
    assert outcome.message


def test_after_letting_go_nothing_is_heard(background, editor, qtbot):
    def make(image):
        for i in range(1000):
            yield Step(i + 1, 1000, {}, 2)
        return "late"

    start(background, editor, make)
    background.release()
    qtbot.waitUntil(lambda: not is_busy(), timeout=30000)
    assert background.heard == []


def test_a_rerun_obeys_strokes_and_prepares_the_image_once(background, editor, qtbot, monkeypatch):
    made = []
    from napari_s3net.correction import refiner as refinement

    class Counted(refinement.Refiner):
        def __init__(self, *args, **kwargs):
            made.append(1)
            super().__init__(*args, **kwargs)

    monkeypatch.setattr(refinement, "Refiner", Counted)
    prepared, drawn = RefinerCache(), np.zeros((48, 64), np.int32)
    drawn[24, 40:42] = OBJECT
    held = np.zeros((48, 64), bool)
    held[24, 41] = True
    for n in (1, 2):
        start(background, editor, rerun(prepared, editor.source, editor.result(), drawn, {3}, held))
        qtbot.waitUntil(lambda n=n: len(background.heard) == n, timeout=30000)
        result = background.heard[-1]
        assert isinstance(result, Segmentation)
        assert result.labels[24, 40] == 1
        assert result.labels[24, 41] == editor.layer.data[24, 41]
        assert ((result.labels == 3) == (editor.layer.data == 3)).all()
    assert len(made) == 1
    prepared.forget()
    start(background, editor, rerun(prepared, editor.source, editor.result(), drawn, {3}, None))
    qtbot.waitUntil(lambda: len(background.heard) == 3, timeout=30000)
    assert len(made) == 2


def test_doubt_is_asked_over_what_was_chosen(background, editor, qtbot, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "napari_s3net.correction.uncertainty.uncertainty", lambda image, result, over: asked.append(over) or "map"
    )
    start(background, editor, estimate_uncertainty(editor.result(), "transformations"))
    qtbot.waitUntil(lambda: background.heard == ["map"], timeout=10000)
    assert asked == ["transformations"]
    assert module.POLL_MS > 0
