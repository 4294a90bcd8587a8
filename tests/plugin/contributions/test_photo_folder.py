"""A dropped folder of photographs is worked through, not refused."""

import numpy as np
import PIL.Image
import pytest

from napari_s3net.errors import UnsupportedFormatError
from napari_s3net.plugin.contributions import photo_folder, reader

pytestmark = pytest.mark.viewer


@pytest.fixture
def photographs(tmp_path):
    folder = tmp_path / "photographs"
    folder.mkdir()
    for name in ("a.png", "b.jpg"):
        PIL.Image.fromarray(np.full((32, 32, 3), 128, np.uint8)).save(folder / name)
    (folder / "notes.txt").write_text("no image")
    return folder


def test_a_folder_of_photographs_opens_the_batch_dock_on_it(make_napari_viewer, qtbot, photographs, monkeypatch):
    said = []
    monkeypatch.setattr(photo_folder, "show_info", said.append)
    viewer = make_napari_viewer()
    assert viewer.open(str(photographs), plugin="napari-s3net") == []
    (dock,) = (each for name, each in viewer.window.dock_widgets.items() if name.startswith("Batch"))
    assert str(dock.form.source.value) == str(photographs)
    assert "2 images and no series" in said[0]
    qtbot.waitUntil(lambda: dock.form.source_line.text() == "2 images · left out: 1 .txt", timeout=20000)
    assert dock.start_button.isEnabled()
    dock.release()


def test_a_folder_without_images_is_refused(make_napari_viewer, tmp_path):
    make_napari_viewer()
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(UnsupportedFormatError, match="no DICOM images"):
        reader.read(str(tmp_path))


def test_without_a_window_a_folder_of_photographs_is_refused(photographs):
    with pytest.raises(UnsupportedFormatError, match="no DICOM images"):
        reader.read(str(photographs))
