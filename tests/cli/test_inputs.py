import json
import shutil
from pathlib import Path

import PIL.Image

from napari_s3net.cli.inputs import find_inputs
from tests.cli.helpers import names, run
from tests.io.made_files import hounsfield, write_dicom


def test_names_that_would_collide_stay_apart(tmp_path):
    (tmp_path / "b").mkdir()
    files = [tmp_path / name for name in ("a.png", "A.jpg", "b/a.png", "c.png", "c.nii.gz")]
    for path in files:
        path.touch()
    found = find_inputs([*files, tmp_path / "b" / ".." / "c.png"])
    assert [item.stem for item in found] == [f"{tmp_path.name}_a_png", "A_jpg", "b_a_png", "c_png", "c_nii_gz"]


def test_names_are_those_that_were_named(runs, photo, tmp_path, monkeypatch):
    """A link keeps its own name, whatever it leads to; a folder named by dots has the name it stands for."""
    (tmp_path / "link.png").symlink_to(photo)
    named = [photo, tmp_path / "link.png", tmp_path / ".." / tmp_path.name / "photo.png"]
    assert [item.stem for item in find_inputs(named)] == ["photo", "link"]
    assert run("segment", tmp_path / "link.png", "-o", tmp_path / "out") == 0
    assert names(tmp_path / "out") == ["link.json", "link_labels.png", "link_mask.png"]
    assert json.loads((tmp_path / "out" / "link.json").read_text(encoding="utf-8"))["source"] == "link.png"
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    assert [(item.name, item.stem) for item in find_inputs([Path()])] == [("empty", "empty")]


def test_a_folder_of_photographs_is_each_of_them(runs, photo, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("b.png", "a.png", "a_mask.png", "other_mask.png"):
        PIL.Image.open(photo).save(folder / name)
    (folder / "notes.txt").write_text("hello", encoding="utf-8")
    (folder / ".hidden.png").touch()
    assert [item.stem for item in find_inputs([folder])] == ["a", "b", "other_mask"]
    assert run("segment", folder, "-o", tmp_path / "out") == 0
    assert len(runs) == 3


def test_links_keep_their_names_and_a_lone_dicom_image_too(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "link.png").symlink_to(folder / "a.png")
    write_dicom(folder / "lone.dcm", hounsfield())
    assert [item.stem for item in find_inputs([folder])] == ["a", "link", "lone"]
    for n in range(2):
        write_dicom(folder / f"ct_{n}.dcm", hounsfield(n), position=(0.0, 0.0, 3.0 * n), series="9")
    found = find_inputs([folder])
    assert [item.stem for item in found] == ["photos", "a", "link", "lone"]
    assert sorted(found[0].files) == ["ct_0.dcm", "ct_1.dcm"], "looked into once"
    for n in range(3):
        write_dicom(folder / f"mr_{n}.dcm", hounsfield(n), position=(0.0, 0.0, 3.0 * n), series="10")
    assert find_inputs([folder])[0].files == (), "which of two series is for the reader to say"


def test_a_folder_with_nothing_to_read_says_so(runs, tmp_path, capsys):
    (tmp_path / "void").mkdir()
    assert run("segment", tmp_path / "void", "-o", tmp_path / "out") == 1
    err = capsys.readouterr().err
    assert "void" in err
    assert err.count("\n") == 1


def test_formats_that_are_left_out_are_told(runs, photo, tmp_path, capsys):
    folder = tmp_path / "photos"
    folder.mkdir()
    shutil.copy(photo, folder / "a.png")
    (folder / "b.heic").write_bytes(b"hello")
    assert run("segment", folder, "-o", tmp_path / "out") == 0
    assert capsys.readouterr().err == f"napari-s3net: {folder}: left out: 1 .heic\n"
