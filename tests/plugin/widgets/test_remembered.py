"""What is remembered over the end of napari."""

from napari_s3net.plugin.widgets import remembered
from napari_s3net.plugin.widgets.remembered import recall, remember


def test_what_is_remembered_comes_back(forgetful):
    assert recall("save/rgb", "nothing") == "nothing"
    remember("save/rgb", ["mask", ".png"])
    remember("folder", "/home/x")
    assert recall("save/rgb") == ["mask", ".png"]
    assert recall("folder") == "/home/x"
    assert [path.name for path in forgetful.iterdir()] == ["docks.json"]


def test_a_damaged_file_is_as_none_and_is_written_anew(forgetful):
    remember("folder", "a")
    for damaged in (b"{", b"[1]", b"\xff"):
        remembered.memory_file().write_bytes(damaged)
        assert recall("folder") is None
    remember("folder", "b")
    assert recall("folder") == "b"


def test_a_place_that_cannot_be_written_bothers_nobody(forgetful):
    forgetful.write_text("no folder")
    remember("folder", "a")
    assert recall("folder") is None
