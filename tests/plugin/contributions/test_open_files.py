"""The ways to a first image; file dialogs are answered for the user."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from napari.components import ViewerModel

from napari_s3net.errors import AmbiguousSeriesError, ReadError
from napari_s3net.image import Geometry, Image
from napari_s3net.plugin.contributions import open_files as module


class Viewer(ViewerModel):
    """Opening is napari's business; here it is only seen."""

    def open(self, path, plugin=None):
        opened.append((path, plugin))
        if isinstance(error := errors.get(path), Exception):
            raise error

    def open_sample(self, plugin, key):
        opened.append((key, plugin))


opened, errors = [], {}


@pytest.fixture
def viewer():
    opened.clear()
    errors.clear()
    return Viewer()


@pytest.fixture
def said(monkeypatch):
    words = []
    monkeypatch.setattr(module, "show_error", words.append)
    return words


def answer(monkeypatch, paths=(), folder=""):
    monkeypatch.setattr(module.QFileDialog, "getOpenFileNames", lambda *_: (list(paths), ""))
    monkeypatch.setattr(module.QFileDialog, "getExistingDirectory", lambda *_: folder)


def test_files(viewer, monkeypatch):
    answer(monkeypatch, ["a.png", "b.nii.gz"])
    module.open_image(viewer, None, "file")
    assert opened == [("a.png", "napari-s3net"), ("b.nii.gz", "napari-s3net")]


def test_folder(viewer, monkeypatch):
    answer(monkeypatch, folder="/scans/1")
    module.open_image(viewer, None, "folder")
    assert opened == [("/scans/1", "napari-s3net")]


@pytest.mark.parametrize("what", ["file", "folder"])
def test_from_the_menu(viewer, monkeypatch, what):
    answer(monkeypatch, ["/scans/1"], folder="/scans/1")
    monkeypatch.setattr(module, "current_viewer", lambda: viewer)
    getattr(module, f"open_{what}")()
    assert opened == [("/scans/1", "napari-s3net")]


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_dialog_that_is_closed_opens_nothing(viewer, monkeypatch, what):
    answer(monkeypatch)
    module.open_image(viewer, None, what)
    assert opened == []


def test_sample(viewer):
    module.open_image(viewer, None, "chest_ct")
    assert opened == [("chest_ct", "napari-s3net")]


def test_what_napari_does_not_hand_to_us_is_opened_all_the_same(viewer, monkeypatch, said, tmp_path):
    PIL.Image.fromarray(np.zeros((20, 30), np.uint8)).save(tmp_path / "scan", "PNG")
    answer(monkeypatch, [str(tmp_path / "scan")])
    errors[str(tmp_path / "scan")] = ValueError("no reader for this name")
    module.open_image(viewer, None, "file")
    assert [layer.name for layer in viewer.layers] == ["scan"]
    assert said == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ReadError("Cannot read a.png: the file is empty (0 bytes)."), "Cannot read a.png: the file is empty"),
        (OSError("gone"), "Cannot read a.png: there is no such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_and_the_next_one_opened(viewer, monkeypatch, said, error, words):
    answer(monkeypatch, ["a.png", "b.png"])
    errors["a.png"] = error
    module.open_image(viewer, None, "file")
    assert len(said) == 1
    assert said[0].startswith(words)
    assert len(opened) == 2


@pytest.mark.parametrize("chosen", [True, False])
def test_one_of_several_series_is_asked_for(viewer, monkeypatch, said, chosen):
    answer(monkeypatch, folder="/scans/2")
    errors["/scans/2"] = AmbiguousSeriesError("Two series.", (("1.2", "CT 20 files"), ("1.3", "CT 20 files")))
    asked, read = [], []
    monkeypatch.setattr(
        module.QInputDialog, "getItem", lambda *args, **_: asked.append(args[3]) or (args[3][1], chosen)
    )
    image = Image(np.zeros((20, 30), np.int16), Geometry.identity(2), "ct", "chest")
    monkeypatch.setattr(module, "read_image", lambda path, series: read.append((path, series)) or image)
    module.open_image(viewer, None, "folder")
    assert asked == [["1. CT 20 files", "2. CT 20 files"]]
    assert read == ([("/scans/2", "1.3")] if chosen else [])
    assert [layer.name for layer in viewer.layers] == (["chest"] if chosen else [])
    assert said == []


def test_the_next_image_as_people_count_without_what_was_saved(tmp_path):
    saved = ("a10_mask.png", "a9_labels.nii.gz", "a9.seg.dcm", "a10_overlay.png", "._a10.jpg", "c.img")
    for name in ("a9.jpg", "a10.jpg", *saved, "notes.txt", "b.PNG", "c.hdr"):
        (tmp_path / name).write_bytes(b"")
    walk = [str(tmp_path / "a9.jpg")]
    while (after := module.next_image(Path(walk[-1]))) is not None:
        walk.append(str(after))
    assert [path.rpartition("/")[2].rpartition("\\")[2] for path in walk] == ["a9.jpg", "a10.jpg", "b.PNG", "c.hdr"]
    assert module.next_image(tmp_path) is None
    assert module.next_image(None) is None


def test_a_name_without_a_number_comes_before_those_with_one(tmp_path):
    names = ["mole.png", "mole.tif", "mole2.png", "mole2b.png", "mole10.nii.gz", "mole10.png", "moles.png"]
    for name in names:
        (tmp_path / name).write_bytes(b"")
    walk = [tmp_path / names[0]]
    while (after := module.next_image(walk[-1])) is not None:
        walk.append(after)
    assert [path.name for path in walk] == names
