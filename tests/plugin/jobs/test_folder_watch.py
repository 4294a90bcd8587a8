"""Folders that are looked at again."""

import pytest

from napari_s3net.plugin.jobs import folder_watch
from napari_s3net.plugin.jobs.folder_watch import FolderWatch, fingerprint

pytestmark = pytest.mark.viewer


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "photos"
    (folder / "within").mkdir(parents=True)
    (folder / "a.png").write_bytes(b"a")
    (folder / "within" / "b.png").write_bytes(b"b")
    return folder


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "c.png").write_bytes(b"c"),
        lambda folder: (folder / "a.png").unlink(),
        lambda folder: (folder / "a.png").rename(folder / "d.png"),
        lambda folder: (folder / "a.png").write_bytes(b"longer"),
        lambda folder: (folder / "within" / "b.png").unlink(),
        lambda folder: folder.rename(folder.with_name("away")),
    ],
    ids=["a file came", "one went", "one was renamed", "one has changed", "one within went", "the folder went"],
)
def test_what_comes_goes_and_changes_is_noticed_at_the_next_look_and_once(folder, qtbot, change):
    watch, told = FolderWatch(), []
    watch.changed.connect(lambda: told.append(1))
    watch.watch(folder)
    qtbot.waitUntil(lambda: watch._running is None)
    for expected in ([], [1], [1]):
        watch.look()
        qtbot.waitUntil(lambda: watch._running is None)
        assert told == expected
        if not told:
            change(folder)


def test_what_comes_while_a_look_goes_on_is_noticed(folder, qtbot):
    watch, told = FolderWatch(), []
    watch.changed.connect(lambda: told.append(1))
    watch.watch(folder)
    qtbot.waitUntil(lambda: watch._running is None)
    watch.look()
    watch._running.result()
    (folder / "c.png").write_bytes(b"c")
    watch.look()
    qtbot.waitUntil(lambda: watch._running is None)
    assert told == [1]


def test_folders_within_count_where_they_are_asked_for(folder):
    whole, above = (fingerprint((folder,), recursive=recursive) for recursive in (True, False))
    (folder / "within" / "c.png").write_bytes(b"c")
    assert fingerprint((folder,), recursive=True) != whole
    assert fingerprint((folder,), recursive=False) == above


def test_a_file_and_what_is_not_there_can_be_watched(folder):
    report = folder / "report.jsonl"
    before = fingerprint((folder / "nowhere", report), recursive=False)
    report.write_text("a row")
    assert fingerprint((folder / "nowhere", report), recursive=False) != before


def test_of_a_vast_folder_a_part_is_looked_at(folder, monkeypatch):
    monkeypatch.setattr(folder_watch, "MOST", 0)
    assert fingerprint((folder,), recursive=True) == fingerprint((), recursive=True)
