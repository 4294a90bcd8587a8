"""Results one after another: what was not changed makes room, and what comes next is read ahead."""

import pytest
from napari.components import ViewerModel

from napari_s3net.plugin.batch import result_opener as module
from napari_s3net.plugin.batch.result_opener import ResultOpener
from tests.plugin.batch.test_open_row import folders, row

__all__ = ["folders"]
pytestmark = pytest.mark.viewer


class Plan:
    def __init__(self, folders):
        self.source, self.output = folders


@pytest.fixture
def said(monkeypatch):
    words = []
    monkeypatch.setattr(module, "show_error", words.append)
    return words


def test_what_was_not_changed_makes_room_for_the_next(folders, said):
    viewer = ViewerModel()
    results = ResultOpener(viewer)
    first = results.open(Plan(folders), {}, row("labels"))
    second = results.open(Plan(folders), {}, row("labels"))
    assert len(viewer.layers) == 2
    assert second is not first
    second.layer.data[0, 0] = 3
    results.open(Plan(folders), {}, row("labels"))
    assert len(viewer.layers) == 4, "what was changed stays"
    assert [layer.visible for layer in viewer.layers] == [False, False, True, True], "and is hidden"
    assert not said


def test_a_result_that_cannot_be_opened_is_told_and_the_one_before_is_closed(folders, said):
    viewer = ViewerModel()
    results = ResultOpener(viewer)
    results.open(Plan(folders), {}, row("labels"))
    (folders[0] / "a.png").unlink()
    assert results.open(Plan(folders), {}, row("labels")) is None
    assert len(said) == 1
    assert not viewer.layers


def test_what_comes_next_is_read_ahead_once(folders, said, monkeypatch):
    read, results = [], ResultOpener(ViewerModel())
    monkeypatch.setattr(module, "read_result", lambda *given, of=module.read_result: read.append(1) or of(*given))
    results.open(Plan(folders), {}, row("labels"), following=row("labels"))
    results.open(Plan(folders), {}, row("labels"))
    assert len(read) == 2
    results.open(Plan(folders), {}, row("labels"), following=row("labels"))
    results.forget_ahead()
    results.open(Plan(folders), {}, row("labels"))
    assert len(read) in (4, 5), "what was forgotten may have been read"
    results.release()
    assert not said
