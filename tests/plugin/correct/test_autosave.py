"""A session on the disk: whole or not at all, and nobody else's to read."""

import json
import os
import stat

import numpy as np
import pytest

from napari_s3net.errors import ReadError, WriteError
from napari_s3net.image import Geometry
from napari_s3net.plugin.correct import autosave as keeping
from napari_s3net.plugin.correct.autosave import SavedSession, SessionWriter, find, load, recent, save
from napari_s3net.plugin.layers.packed import PackedPlane
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.slice_states import SliceStates


def session(**changed):
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    known = {
        "image": "mole",
        "path": "/pictures/mole.png",
        "labels": labels,
        "strokes": (labels > 9).astype(np.int32),
        "name": "mole – S³-Net",
        "metadata": {"names": {1: "Lesion"}, "foreground": [1], "colours": {1: "#c92107"}},
        "locked": (3, 7),
        "locked_part": labels == 5,
    }
    return SavedSession(**{**known, **changed})


def only(folder):
    """The one session in a folder."""
    (file,) = folder.glob("*.npz")
    return file


def test_what_was_saved_comes_back(tmp_path):
    save(tmp_path / "a" / "b", session())
    back = load(only(tmp_path / "a" / "b"))
    for name in ("labels", "strokes", "locked_part"):
        np.testing.assert_array_equal(getattr(back, name), getattr(session(), name))
        assert getattr(back, name).dtype == getattr(session(), name).dtype
    assert (back.image, back.path, back.name) == ("mole", "/pictures/mole.png", "mole – S³-Net")
    assert back.metadata == {"names": {1: "Lesion"}, "foreground": [1], "colours": {1: "#c92107"}}
    assert back.locked == (3, 7)


def test_without_metadata_and_without_locked_parts(tmp_path):
    save(tmp_path, session(metadata={}, locked_part=None, locked=(), path=None))
    back = load(only(tmp_path))
    assert back.locked_part is None
    assert (back.metadata, back.locked, back.path) == ({}, (), None)


def test_a_session_of_an_earlier_version_had_no_locked_parts(tmp_path):
    about = {"image": "mole", "path": None, "name": "l", "note": {}, "locked": [2]}
    text = np.frombuffer(json.dumps(about).encode(), np.uint8)
    np.savez(tmp_path / "session.npz", about=text, labels=np.ones((2, 2)), strokes=np.zeros((2, 2)))
    assert load(tmp_path / "session.npz").locked_part is None
    assert load(tmp_path / "session.npz").locked == (2,)


def test_the_geometry_is_not_written(tmp_path):
    save(tmp_path, session(metadata={"names": {}, "geometry": Geometry.identity(2)}))
    assert "geometry" not in load(only(tmp_path)).metadata


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_nobody_else_can_read_it(tmp_path):
    save(tmp_path / "session", session())
    assert stat.S_IMODE((tmp_path / "session").stat().st_mode) == 0o700


def test_a_failure_leaves_the_session_before_it(tmp_path, monkeypatch):
    save(tmp_path, session())

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keeping.np, "savez_compressed", full)
    with pytest.raises(WriteError, match="No space left on device"):
        save(tmp_path, session(labels=np.zeros((3, 4))))
    assert load(only(tmp_path)).labels.any()


def test_what_cannot_be_read_is_explained(tmp_path):
    with pytest.raises(ReadError, match="no earlier session"):
        load(tmp_path / "none.npz")
    (tmp_path / "session.npz").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(ReadError, match="damaged"):
        load(tmp_path / "session.npz")
    assert recent(tmp_path) == [], "a damaged one is not offered"


def test_every_image_and_every_label_layer_has_a_session_of_its_own(tmp_path):
    save(tmp_path, session())
    save(tmp_path, session(path="/other/mole.png"))
    save(tmp_path, session(name="another look"))
    save(tmp_path, session(path=None, image="sample"))
    save(tmp_path, session(locked=(1,)))
    assert len(list(tmp_path.glob("*.npz"))) == 4
    assert load(find(tmp_path, "renamed", "/pictures/mole.png", (3, 4))).locked == (1,)
    assert load(find(tmp_path, "mole", "/other/mole.png", (3, 4))).path == "/other/mole.png"
    assert find(tmp_path, "mole", "/third/mole.png", (3, 4)) is None
    assert load(find(tmp_path, "sample", None, (3, 4))).image == "sample"
    assert find(tmp_path, "sample", None, (4, 4)) is None


def test_the_newest_come_first_and_the_oldest_go(tmp_path, monkeypatch):
    for n, name in enumerate("abc"):
        save(tmp_path, session(image=name, path=f"/{name}.png"))
        os.utime(find(tmp_path, name, f"/{name}.png", (3, 4)), (1000 + n, 1000 + n))
    assert [one.image for one in recent(tmp_path, 2)] == ["c", "b"]
    monkeypatch.setattr(keeping, "MOST", 2)
    save(tmp_path, session(image="d", path="/d.png"))
    assert [one.image for one in recent(tmp_path)] == ["d", "c"]


def test_the_writer_saves_beside_and_tells_what_went_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "session_folder", lambda: tmp_path / "session")
    writer = SessionWriter()
    assert writer.collect() == ("", [])
    writer.save(session(), "the layer")
    writer.wait()
    assert writer.collect() == ("", [])
    assert load(only(tmp_path / "session")).locked == (3, 7)
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setattr(keeping, "session_folder", lambda: tmp_path / "file" / "session")
    writer.save(session(), "the layer")
    writer.wait()
    words, failed = writer.collect()
    assert "Save the labels yourself" in words
    assert failed == ["the layer"]
    assert writer.collect() == ("", []), "told once"


def test_states_of_slices_and_the_planes_that_were_changed_come_back(tmp_path):
    labels = np.zeros((3, 4, 5), np.int32)
    keys = [PlaneKey((n, None, None)) for n in range(3)]
    first = {key: PackedPlane.of(labels[key.index]) for key in keys}
    labels[1] = 7
    states = SliceStates({keys[0]}, {keys[1]}, {keys[2]: 12})
    save(tmp_path, session(labels=labels, strokes=labels, locked_part=None, states=states, first=first))
    back = load(only(tmp_path))
    assert (back.states.seen, back.states.corrected, back.states.carried) == ({keys[0]}, {keys[1]}, {keys[2]: 12})
    assert list(back.first) == [keys[1]]
    assert not back.first[keys[1]].labels.any()
