from __future__ import annotations

import os
import shutil

import numpy as np
import pytest

from napari_s3net.errors import AmbiguousSeriesError, ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.io.dicom import list_series, read_series
from tests.io.made_files import hounsfield, write_dicom


def test_a_series_is_a_volume_in_the_order_of_space(series):
    image = read_series(series, None, "name")
    np.testing.assert_array_equal(image.array, np.stack([hounsfield(i) for i in range(4)]))
    assert image.kind == "ct"
    assert image.geometry.spacing == (3.0, 0.7, 0.7)
    assert image.geometry.origin == (10.0, 6.0, 5.0)
    assert image.name == "name"


def test_files_of_other_kinds_in_the_folder_do_not_matter(series):
    (series / "README.txt").write_text("hello", encoding="utf-8")
    (series / "empty").touch()
    (series / "inside").mkdir()
    assert read_series(series, None, "a").shape == (4, 24, 20)


def test_several_series_are_listed_without_patient_data(series):
    write_dicom(
        series / "scout", hounsfield(9), series="1.2.9", number=7, modality="MR", tags={"0018|0050": "5"}.items()
    )
    with pytest.raises(AmbiguousSeriesError, match="2 series") as caught:
        read_series(series, None, "a")
    listed = dict(caught.value.series)
    assert list(caught.value.series) == list_series(series)
    assert listed["1.2.3"] == "CT, series 1, 4 files of 20 × 24"
    assert listed["1.2.9"] == "MR, series 7, 1 file of 20 × 24, 5 mm thick"
    assert all(series_id in str(caught.value) for series_id in listed)
    assert "SECRET" not in str(caught.value)


def test_one_of_several_series_is_chosen(series):
    write_dicom(series / "scout", hounsfield(9), series="1.2.9", modality="MR")
    image = read_series(series, "1.2.9", "a")
    np.testing.assert_array_equal(image.array, hounsfield(9))
    assert image.kind == "mr"
    assert read_series(series, "1.2.3", "a").shape == (4, 24, 20)
    with pytest.raises(ReadError, match=r"no series '4'.*1\.2\.3: CT"):
        read_series(series, "4", "a")


def test_free_text_where_a_code_belongs_is_not_shown(tmp_path):
    write_dicom(tmp_path / "a", hounsfield(), modality="JOHN DOE")
    assert list_series(tmp_path) == [("1.2.3", "image, series 1, 1 file of 20 × 24")]


def test_a_folder_without_images_says_what_is_in_it(tmp_path):
    (tmp_path / "inside").mkdir()
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    assert list_series(tmp_path) == []
    with pytest.raises(UnsupportedFormatError, match=r"no DICOM images \(1 other files, 1 folders\)"):
        read_series(tmp_path, None, "a")


def test_a_missing_slice_is_said(series):
    write_dicom(series / "far", hounsfield(9), position=(5.0, 6.0, 28.0))
    with pytest.warns(ReadWarning, match="unevenly spaced, 3 to 9 mm"):
        assert read_series(series, None, "a").shape == (5, 24, 20)


def test_two_images_at_one_place_are_refused(series):
    write_dicom(series / "twin", hounsfield(9), position=(5.0, 6.0, 13.0))
    with pytest.raises(ReadError, match="same place"):
        read_series(series, None, "a")


def test_a_folder_whose_name_is_no_utf8(series):
    odd = series.parent / os.fsdecode(b"caf\xe9")
    shutil.move(series, odd)
    assert read_series(odd, None, "a").shape == (4, 24, 20)
    assert len(list_series(odd)) == 1


def test_more_than_the_memory_is_refused(series, monkeypatch):
    monkeypatch.setattr("napari_s3net.io.validation.limits.physical_memory", lambda: 1000)
    with pytest.raises(ReadError, match="20 × 24 × 4 values"):
        read_series(series, None, "a")


def test_a_file_that_was_cut_off_is_not_left_out_in_silence(series):
    path = series / "file0"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ReadError, match=r"in its file file0 the header promises .* cut off"):
        read_series(series, None, "a")
