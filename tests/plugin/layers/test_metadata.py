import json
from dataclasses import replace

import numpy as np
import pytest

from napari_s3net.image import Geometry
from napari_s3net.plugin.layers import metadata as notes
from napari_s3net.plugin.layers.numbering import numbered_as_before, numbered_as_stack
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.source import Source
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.segments import Meaning
from napari_s3net.settings import Settings

PLANE = PlaneKey((None, None))
PLACE = Geometry.identity(2)


def result(labels, foreground, names):
    array = np.asarray(labels, np.int32)
    made = Provenance(settings=Settings(seed=9), device="cpu", version="1.0", seconds=2.0)
    meanings = {i: Meaning(name) for i, name in names.items()}
    return Segmentation(array, foreground, Geometry.identity(2), made, names, meanings)


def meant(names):
    return {i: list(Meaning(name)) for i, name in names.items()}


def source(key=PLANE, shape=(2, 3)):
    return Source(
        "scan", None, shape, key, rgb=False, kind="ct", geometry=Geometry.identity(2), path="/data/DOE^JANE/scan.nii"
    )


def test_a_note_tells_how_a_result_was_made():
    made = notes.make_metadata(result([[1, 2, 2]], (1,), {1: "Lung"}), source(), Geometry.identity(2), "ct-lung")
    assert made["settings"] == Settings(seed=9).to_dict()
    wanted = {"version": "1.0", "device": "cpu", "seconds": 2.0, "foreground": [1], "source": "scan"}
    assert wanted.items() <= made.items()
    assert made["geometry"] == Geometry.identity(2)
    assert "JANE" not in str(made), "a folder may be called like a patient"


def test_a_result_can_be_made_again_of_its_layer():
    one = result([[1, 2, 2]], (1,), {1: "Lung", 2: "Body"})
    of = source(PlaneKey((3, None, None)), (4, 2, 3))
    note = notes.make_metadata(one, of, Geometry.identity(3), "ct-lung")
    plain = {key: value for key, value in note.items() if key != "geometry"}
    again = Segmentation.from_metadata(one.labels, one.geometry, json.loads(json.dumps(plain)))
    assert again.provenance == replace(one.provenance, source="scan", axis=0, slice=3, preset="ct-lung")
    assert (again.foreground, again.names, again.meanings) == (one.foreground, one.names, one.meanings)


def test_ids_mean_the_same_in_every_slice():
    names = {1: "Lung", 2: "Body", 3: "Bone"}
    known = {"names": {**names, 1: "My lung"}, "meanings": meant(names), "foreground": [1]}
    made = result([[1, 2, 3, 0]], (2,), {1: "Bone", 2: "Lung", 3: "Table"})
    made = numbered_as_stack(made, known, None)
    assert made.labels.tolist() == [[3, 1, 4, 0]]
    assert made.foreground == (1,)
    assert made.names == {3: "Bone", 1: "My lung", 4: "Table"}, "a name that the user gave stays, and decides nothing"
    assert made.meanings == {3: Meaning("Bone"), 1: Meaning("Lung"), 4: Meaning("Table")}


def test_the_same_name_twice_gets_two_ids():
    names = {1: "Lung", 2: "Body"}
    known = {"names": names, "meanings": meant(names), "foreground": [1]}
    made = numbered_as_stack(result([[1, 2]], (1, 2), {1: "Lung", 2: "Lung"}), known, None)
    assert made.labels.tolist() == [[1, 3]]
    assert set(made.foreground) == {1, 3}


def test_ids_stay_in_an_empty_stack():
    made = numbered_as_stack(result([[1, 2]], (2,), {1: "a", 2: "b"}), {}, None)
    assert made.labels.tolist() == [[1, 2]]
    assert made.foreground == (2,)
    assert made.names == {1: "a", 2: "b"}


def test_a_stack_remembers_each_slice():
    key = PlaneKey((0, None, None))
    first = notes.make_metadata(
        result([[1]], (1,), {1: "Lung"}), source(key, (4, 2, 3)), Geometry.identity(3), "ct-lung"
    )
    stack = notes.with_slice({}, first)
    second = {**first, "slice": 2, "foreground": [5], "names": {5: "Lung"}, "settings": Settings(seed=1).to_dict()}
    both = notes.with_slice(stack, second)
    assert both["foreground"] == [1, 5]
    assert both["names"] == {1: "Lung", 5: "Lung"}
    made = Provenance.from_dict(both)
    assert [(part.slice, part.settings.seed) for part in made.slices] == [(0, 9), (2, 1)]
    again = Provenance.from_dict(notes.with_slice(both, first))
    assert [part.slice for part in again.slices] == [2, 0], "a slice that is segmented again is told once"


def test_colours_of_the_user_stay_when_a_plane_is_segmented_again():
    old = {**notes.make_metadata(result([[1, 2, 2]], (1,), {1: "Lung", 2: "Body"}), source(), PLACE, "ct-lung")}
    old["colours"] = {1: "#c92107", 9: "#010203"}
    new = result([[1, 2, 2]], (1,), {1: "Lung", 2: "Body"})
    about = notes.make_metadata(new, source(), PLACE, "ct-lung")
    assert notes.with_slice(old, about)["colours"] == old["colours"], "slices have one table of colours"
    _, again = numbered_as_before(new, old, np.array([[1, 2, 2]]), about)
    assert again["colours"] == {1: "#c92107"}


def test_a_cluster_that_comes_beside_one_of_its_name_gets_another():
    names = {1: "Lesion", 2: "Skin", 3: "Skin, darker"}
    old = {"names": names, "meanings": {2: ["Skin", 0, 0], 3: ["Skin", -1, 0]}, "foreground": [1]}
    new = result([[1, 2, 3, 4, 5]], (1,), {1: "Lesion", 2: "Skin", 3: "Skin, darker", 4: "Skin", 5: "Hair"})
    meanings = {2: Meaning("Skin"), 3: Meaning("Skin", -1), 4: Meaning("Skin"), 5: Meaning("Hair")}
    new = replace(new, meanings=meanings)
    ids = {1: 1, 2: 3, 3: 6, 4: 7, 5: 8}
    _, about = numbered_as_before(new, old, np.array([[1, 2, 3, 3, 3]]), {}, ids)
    assert about["names"] == {1: "Lesion", 3: "Skin, darker", 6: "Skin, 2 shades darker", 7: "Skin 2", 8: "Hair"}
    assert about["meanings"] == {3: ["Skin", -1, 0], 6: ["Skin", -1, 2], 7: ["Skin", 0, 2], 8: ["Hair", 0, 0]}


def test_ticks_names_and_new_ids_leave_the_old_note_alone():
    note = {"foreground": [1], "names": {1: "Lesion", 2: "Skin"}}
    assert notes.with_tick(note, 2, is_object=True)["foreground"] == [1, 2]
    assert notes.with_tick(note, 1, is_object=False)["foreground"] == []
    assert notes.with_name(note, 2, "Ruler")["names"][2] == "Ruler"
    assert notes.with_new_ids(note, [0, 1, 7])["names"] == {1: "Lesion", 2: "Skin", 7: ""}
    assert notes.with_new_ids(note, [0, 1]) is note
    assert note == {"foreground": [1], "names": {1: "Lesion", 2: "Skin"}}


@pytest.mark.parametrize("foreground", [[], [1], [1, 3], [99]])
def test_mask(foreground):
    labels = np.array([[0, 1, 2], [3, 3, 0]], np.int32)
    mask = notes.mask_of_layer(labels, {"foreground": foreground})
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, np.isin(labels, foreground))


def test_an_undo_brings_back_the_note_of_its_labels():
    now, then = (
        {"source": "x", "slice": None, "names": {1: "b"}, "foreground": []},
        {"source": "x", "slice": None, "names": {1: "a"}, "foreground": [1]},
    )
    assert notes.restored(now, None) is now
    assert notes.restored(now, then) == then
    assert notes.restored(then, dict(then)) is then
    assert notes.restored({**now, "source": "new name"}, then)["source"] == "new name"
