"""Which files of a folder are images, and what belongs to each."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_s3net.io.listing import (
    data_files,
    files_in,
    images_among,
    left_out_text,
    others_among,
    sort_dicom,
    unique_stems,
)
from tests.io.made_files import hounsfield, write_dicom


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("a.mhd", ["a.raw"]),
        ("a.hdr", ["a.img"]),
        ("a.img", ["a.hdr"]),
        ("a.mha", []),
        ("a.nrrd", []),
        ("a.png", []),
        ("a.nii.gz", []),
    ],
)
def test_the_files_that_an_image_consists_of(files, name, others):
    assert [path.name for path in data_files(files / name)] == others


@pytest.mark.parametrize(
    "pair", [("a.hdr", "a.img"), ("a.hdr.gz", "a.img.gz"), ("a.hdr", "a.img.gz"), ("a.HDR", "a.IMG")]
)
def test_of_a_pair_the_header_alone_is_an_image(tmp_path, pair):
    for name in (*pair, "b.img", "b_labels.hdr", "b_labels.img"):
        (tmp_path / name).touch()
    assert [path.name for path in images_among(files_in(tmp_path))] == [pair[0], "b.img"]


def test_a_detached_nrrd_names_its_pixels(files):
    (other,) = data_files(files / "a.nhdr")
    assert other.name.startswith("a.raw")


def test_neighbours_of_an_ome_tiff(tmp_path):
    text = '<OME><TiffData><UUID FileName="b.ome.tif"/></TiffData><UUID FileName="../c.ome.tif"/></OME>'
    tifffile.imwrite(tmp_path / "a.ome.tif", np.zeros((4, 4), np.uint8), description=text, metadata=None)
    (tmp_path / "b.ome.tif").touch()
    (tmp_path.parent / "c.ome.tif").touch()
    assert data_files(tmp_path / "a.ome.tif") == [tmp_path / "b.ome.tif"]


def test_what_is_named_outside_the_folder_or_is_not_there_is_no_part(tmp_path):
    (tmp_path / "a.mhd").write_text("NDims = 3\nElementDataFile = ../secret\n", encoding="utf-8")
    (tmp_path / "b.mhd").write_text("NDims = 3\nElementDataFile = gone.raw\n", encoding="utf-8")
    (tmp_path.parent / "secret").touch()
    assert data_files(tmp_path / "a.mhd") == data_files(tmp_path / "b.mhd") == []


def test_slices_belong_to_their_series_and_a_series_of_one_file_is_that_file(tmp_path):
    for n in range(3):
        write_dicom(tmp_path / f"ct{n}.dcm", hounsfield(n), position=(0.0, 0.0, 3.0 * n), series="1.1")
    write_dicom(tmp_path / "lone.dcm", hounsfield(), series="1.2")
    (tmp_path / "cut.dcm").write_bytes((tmp_path / "lone.dcm").read_bytes()[:-100])
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    images = images_among(sorted(tmp_path.iterdir()))
    singles, series = sort_dicom(images)
    assert [path.name for path in singles] == ["cut.dcm", "lone.dcm", "photo.png"]
    assert {identity: [path.name for path in its] for identity, its in series.items()} == {
        "1.1": ["ct0.dcm", "ct1.dcm", "ct2.dcm", "cut.dcm"]
    }
    assert sort_dicom([tmp_path / "photo.png"]) == ([tmp_path / "photo.png"], {})


def test_a_series_is_one_wherever_the_folder_is_named_from(tmp_path, monkeypatch):
    (tmp_path / "ct").mkdir()
    for n in range(3):
        write_dicom(tmp_path / "ct" / f"{n}.dcm", hounsfield(n), position=(0.0, 0.0, 3.0 * n))
    monkeypatch.chdir(tmp_path)
    images = files_in(Path("ct"))
    singles, series = sort_dicom(images)
    assert singles == []
    assert list(series.values()) == [tuple(images)]


def test_stems_get_longer_until_they_differ(tmp_path):
    paths = [tmp_path / name for name in ("a.png", "A.jpg", "b/a.png", "mole.jpg.png")]
    assert unique_stems(paths) == [f"{tmp_path.name}_a_png", "A_jpg", "b_a_png", "mole.jpg"]


def test_a_link_that_leads_nowhere_is_not_left_out_in_silence(tmp_path):
    (tmp_path / "b.png").touch()
    (tmp_path / "folder").mkdir()
    try:
        (tmp_path / "a.png").symlink_to(tmp_path / "gone.png")
    except OSError:
        pytest.skip("links are not allowed")
    assert [path.name for path in files_in(tmp_path)] == ["a.png", "b.png"]
    assert [path.name for path in images_among(files_in(tmp_path))] == ["a.png", "b.png"]


def test_what_nothing_here_reads_is_counted_by_format_but_no_part_of_an_image(files):
    for name in ("b.heic", "c.HEIC", "notes.txt", "LICENCE", ".hidden.txt"):
        (files / name).write_text("hello", encoding="utf-8")
    others = others_among(files_in(files))
    assert [path.name for path in others] == ["LICENCE", "b.heic", "c.HEIC", "notes.txt"]
    assert left_out_text(others) == "left out: 2 .heic, 1 without a suffix, 1 .txt"
    assert left_out_text([]) == ""
