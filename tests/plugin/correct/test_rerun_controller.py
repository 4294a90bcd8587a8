"""Runs with strokes and what becomes of their result, without a dock or a thread."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from napari_s3net.correction.constraints import OBJECT
from napari_s3net.plugin.correct.rerun_controller import RerunController

pytestmark = pytest.mark.viewer


@pytest.fixture
def background():
    """Notes what is begun, and runs nothing."""
    background = SimpleNamespace(running=[], started=[])
    background.start = lambda *asked: background.started.append(asked)
    return background


@pytest.fixture
def reruns(editor, background):
    return RerunController(editor, background)


@pytest.fixture
def drawn(editor, reruns):
    """An editor with a stroke."""
    editor.strokes.make().data[2, 3] = OBJECT
    reruns.note_stroke()
    return editor


def answer(editor):
    result = editor.result()
    made = replace(result.provenance, note="Tried again.")
    return replace(result, labels=np.full_like(result.labels, 2), provenance=made)


def test_without_strokes_nothing_is_begun(reruns, background):
    assert not reruns.can_begin
    reruns.begin()
    assert not reruns.is_on
    assert not background.started


def test_a_result_is_written_where_it_was_asked_for(reruns, background, drawn):
    assert reruns.can_begin
    reruns.begin()
    assert reruns.is_on
    assert len(background.started) == 1
    assert reruns.take(answer(drawn)) == (True, "Tried again.")
    assert (drawn.layer.data == 2).all()
    assert not reruns.is_on


def test_labels_that_changed_meanwhile_are_kept(reruns, drawn):
    reruns.begin()
    result = answer(drawn)
    drawn.layer.data[0, 0] = 7
    is_written, words = reruns.take(result)
    assert not is_written
    assert "The labels changed during the run" in words
    assert drawn.layer.data[0, 0] == 7


def test_whoever_went_elsewhere_gets_no_result_there(reruns, drawn):
    reruns.begin()
    result = answer(drawn)
    drawn.choose(None)
    is_written, words = reruns.take(result)
    assert not is_written
    assert "You went elsewhere during the run" in words


def test_what_stands_in_the_way_of_leaving(reruns, background, drawn):
    assert "Your strokes have changed nothing yet" in reruns.obstacle
    background.running.append(1)
    assert "still going on" in reruns.obstacle
    background.running.clear()
    reruns.leave(drawn.layer)
    assert reruns.obstacle, "the same labels"
    reruns.begin()
    reruns.take(answer(drawn))
    assert reruns.obstacle == "", "the strokes have done what they can"


@pytest.mark.parametrize("leave", [lambda reruns: reruns.leave(None), lambda reruns: reruns.begin_anew()])
def test_strokes_on_labels_that_are_left_stand_in_nobody_s_way(reruns, drawn, leave):
    leave(reruns)
    assert reruns.obstacle == ""
