import errno
import io
import sys
import warnings

import pytest

from napari_s3net.cli.output import printable, remarks_as_lines, say, say_more
from napari_s3net.errors import ReadWarning, WriteError


def test_nothing_moves_the_cursor():
    assert printable("a\x1b[31mb\nc\u202ed – é") == "a?[31mb?c?d – é"


def test_one_line_goes_to_stderr(capsys):
    say("First,\n  second.\x07")
    assert capsys.readouterr() == ("", "napari-s3net: First, second.?\n")


def test_nobody_to_tell_is_no_error(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Broken(OSError(errno.EPIPE, "gone")))
    say("Lost.")


class Broken(io.StringIO):
    """A stream that cannot be written to."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, text):
        raise self.error


def test_a_full_disk_is_told_and_a_reader_that_has_ended_passed_on(monkeypatch, capsys):
    say_more("one line")
    assert capsys.readouterr().out == "one line\n"
    monkeypatch.setattr(sys, "stdout", Broken(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(WriteError, match="No space left on device"):
        say_more("lost")
    monkeypatch.setattr(sys, "stdout", Broken(BrokenPipeError()))
    with pytest.raises(BrokenPipeError):
        say_more("lost")


def test_what_reading_remarks_is_a_line_each_time(capsys):
    with remarks_as_lines():
        for _ in range(2):
            warnings.warn("a.png: a\nword", ReadWarning, stacklevel=1)
        with pytest.warns(UserWarning, match="another"):
            warnings.warn("another", UserWarning, stacklevel=1)
    assert capsys.readouterr().err == 2 * "napari-s3net: a.png: a word\n"
