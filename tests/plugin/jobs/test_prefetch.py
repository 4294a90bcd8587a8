"""Reading ahead: what was asked for comes once, and nothing else comes in its place."""

import warnings
from pathlib import Path
from threading import Event, get_ident

import pytest

from napari_s3net.errors import ReadError, ReadWarning
from napari_s3net.io.reader_process import warn_of
from napari_s3net.plugin.jobs import prefetch
from napari_s3net.plugin.jobs.prefetch import Prefetch, stamp


def refuse():
    raise AssertionError("read a second time")


def test_what_was_read_ahead_in_a_thread_is_handed_over_once():
    ahead = Prefetch()
    ahead.begin("a", get_ident)
    ahead.begin("a", refuse)
    assert ahead.take("a", refuse) != get_ident()
    assert ahead.take("a", get_ident) == get_ident()


def test_what_is_being_read_is_waited_for():
    ahead, begun = Prefetch(), Event()

    def read():
        begun.set()
        return "image"

    ahead.begin("a", read)
    assert begun.wait(10)
    assert ahead.take("a", refuse) == "image"


def test_anything_else_is_read_now_and_drops_what_was_ahead():
    ahead = Prefetch()
    ahead.begin("a", lambda: "a")
    assert ahead.take("b", lambda: "b") == "b"
    assert ahead.take("a", lambda: "anew") == "anew"


def test_forgotten_it_is_read_anew():
    ahead = Prefetch()
    ahead.begin("a", lambda: "a")
    ahead.forget()
    assert ahead.take("a", lambda: "anew") == "anew"


def test_what_went_wrong_is_raised_where_it_is_taken():
    ahead = Prefetch()

    def fail():
        raise ReadError("the drive is gone")

    ahead.begin("a", fail)
    with pytest.raises(ReadError, match="drive"):
        ahead.take("a", refuse)


def test_a_file_that_has_changed_has_another_stamp_and_a_large_one_none(tmp_path, monkeypatch):
    file = tmp_path / "a.png"
    file.write_bytes(b"12")
    before = stamp(file)
    assert before == stamp(file)
    file.write_bytes(b"123")
    assert stamp(file) != before
    monkeypatch.setattr(prefetch, "MOST", 2)
    assert stamp(file) is stamp(tmp_path) is stamp(tmp_path / "none") is None


def test_what_is_remarked_on_it_is_told_when_it_is_taken_and_not_before():
    def read():
        warn_of(Path("b.dcm"), ["white is zero."], 1)
        return "image"

    ahead = Prefetch()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ahead.begin("b", read)
        ahead._ahead[1].result(10)
        assert not caught
    with pytest.warns(ReadWarning, match=r"b\.dcm: white is zero\."):
        assert ahead.take("b", refuse) == "image"
    ahead.begin("b", read)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ahead.take("c", lambda: "c") == "c"
