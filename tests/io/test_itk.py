from __future__ import annotations

import numpy as np
import pytest

from napari_s3net.io import itk
from napari_s3net.io.itk import alias, decode_pixels, plain_path
from tests.io.made_files import phantom


def test_pixels_alone(files):
    np.testing.assert_array_equal(decode_pixels(files / "a.mha", "MetaImageIO"), phantom())
    with pytest.raises(RuntimeError):
        decode_pixels(files / "a.mha", "PNGImageIO")
    assert itk.STUMBLED.is_set()


def test_a_name_that_is_utf8_is_left_alone(files):
    with plain_path(files / "a.mha") as path:
        assert path == files / "a.mha"


def test_an_alias_leaves_the_file_alone(files):
    for path in (files / "a.mha", files):
        with alias(path, "other") as other:
            assert other.samefile(path)
        assert path.exists()
        assert not other.parent.exists()


def test_an_alias_is_a_copy_where_links_are_not_allowed(files, monkeypatch):
    monkeypatch.setattr("pathlib.Path.symlink_to", lambda *_: (_ for _ in ()).throw(OSError("no privilege")))
    with alias(files / "a.mha", "other.mha") as other:
        assert other.read_bytes() == (files / "a.mha").read_bytes()
    assert (files / "a.mha").exists()
