"""Reading ahead: what was asked for comes once, and nothing else comes in its place."""

from threading import Event, get_ident

import pytest

from napari_s3net.errors import ReadError
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
