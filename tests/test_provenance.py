import json
import math
from contextlib import suppress
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_s3net.errors import InvalidSettingsError, ReadError, S3NetError
from napari_s3net.image import Geometry
from napari_s3net.provenance import FORMAT, ImageFacts, Provenance
from napari_s3net.result import Segmentation
from napari_s3net.segments import Code, Meaning
from napari_s3net.settings import Settings, presets

SKIN = presets["skin"].settings
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
LOSSES = st.lists(st.dictionaries(st.text(), NUMBER, max_size=3), max_size=3).map(tuple)
COUNT = st.none() | st.integers(0, 10**6)
FACTS = st.builds(
    ImageFacts,
    kind=st.sampled_from(["rgb", "ct", "mr", "grey"]),
    shape=st.lists(st.integers(1, 999), min_size=2, max_size=3).map(tuple),
    spacing=st.lists(NUMBER, min_size=2, max_size=3).map(tuple),
    unit=st.sampled_from(["mm", "pixel"]),
)
WORDS = {name: st.text() for name in ("version", "preset", "device", "note", "certainty", "source", "input_digest")}
PLANE = {
    **WORDS,
    "settings": st.integers(0, 99).map(lambda seed: SKIN.replace(seed=seed)),
    "seconds": NUMBER,
    "confidence": NUMBER,
    "stopped": st.booleans(),
    "axis": COUNT,
    "slice": COUNT,
    "time": COUNT,
    "image": st.none() | FACTS,
    "iterations": st.integers(0, 999),
    "losses": LOSSES,
    "model": st.dictionaries(st.text(), st.text() | st.dictionaries(st.text(), NUMBER, max_size=2), max_size=2),
}
PLANES = st.builds(Provenance, **PLANE)
STACKS = st.builds(Provenance, **PLANE, slices=st.lists(PLANES, max_size=3).map(tuple))


def through_json(values):
    return json.loads(json.dumps(values, allow_nan=False))


@settings(max_examples=25, deadline=None)
@given(STACKS)
def test_the_record_survives_json(made):
    assert Provenance.from_dict(through_json(made.to_dict())) == made


def test_every_field_is_written_and_read():
    """A field that is added and forgotten in `to_dict` or `from_dict` would be lost without a word."""
    assert PLANE.keys() | {"slices"} == {f.name for f in fields(Provenance)}
    assert {f.name for f in fields(Provenance)} <= Provenance(settings=SKIN).to_dict().keys()


def test_a_slice_repeats_nothing_of_its_stack():
    part = Provenance(settings=SKIN, version="1", slice=3, seconds=0.5, losses=({"cluster": 1.0},))
    stack = replace(part, slice=None, seconds=9.0, losses=(), slices=(part,))
    assert stack.to_dict()["slices"] == [{"slice": 3, "seconds": 0.5, "losses": [{"cluster": 1.0}]}]


def test_what_is_not_finite_can_be_written():
    again = Provenance.from_dict(through_json(Provenance(settings=SKIN, confidence=math.nan).to_dict()))
    assert math.isnan(again.confidence)


#: As version 0.1 wrote it beside the labels of a photograph.
OLD = {
    "program": "napari-s3net", "version": "0.1.0", "seed": 7, "device": "cpu", "seconds": 1.234, "stopped": False,
    "note": "", "confidence": 0.75, "foreground": [1], "names": {"1": "Lesion", "2": "Skin, darker"},
    "image": {"kind": "rgb", "shape": [96, 128], "spacing": [1.0, 1.0], "unit": "pixel"}, "clusters": [{"id": 1}],
    "settings": SKIN.replace(seed=7).to_dict(), "history": [{"cluster": 2.0}, {"cluster": 1.0}],
    "source": "mole.jpg", "preset": "skin", "slice": None,
}  # fmt: skip


def test_files_of_earlier_versions_are_read():
    made = Provenance.from_dict(OLD)
    assert (made.settings.seed, made.source, made.preset, made.confidence) == (7, "mole.jpg", "skin", 0.75)
    assert made.losses == ({"cluster": 2.0}, {"cluster": 1.0})
    assert made.iterations == 2
    assert made.image == ImageFacts(kind="rgb", shape=(96, 128), spacing=(1.0, 1.0), unit="pixel")


def test_stacks_of_earlier_versions_are_read():
    line = {"slice": 4, "iterations": 3, "seconds": 0.5, "confidence": 0.9, "cluster": 1.0}
    made = Provenance.from_dict({**OLD, "history": [{**line, "slice": 2}, line]})
    assert made.losses == ()
    assert made.iterations == 6
    assert [part.slice for part in made.slices] == [2, 4]
    last = made.slices[-1]
    assert (last.iterations, last.seconds, last.confidence, last.losses) == (3, 0.5, 0.9, ({"cluster": 1.0},))
    assert last.settings == made.settings


def test_layers_of_earlier_versions_are_read():
    """As a session that was kept by version 0.1 holds them."""
    part = {"settings": SKIN.replace(seed=3).to_dict(), "seed": 3, "device": "cuda:0", "seconds": 0.5}
    made = Provenance.from_dict({**OLD, "history": [], "iterations": 4, "slice": 2, "slices": {"2": part, "5": part}})
    assert (made.iterations, made.losses, made.slice) == (4, (), 2)
    assert [(one.slice, one.settings.seed, one.device, one.seconds) for one in made.slices] == [
        (2, 3, "cuda:0", 0.5),
        (5, 3, "cuda:0", 0.5),
    ]


def test_settings_alone_are_enough_and_unknown_names_are_left_out():
    assert Provenance.from_dict({"settings": {}, "hue": 3}) == Provenance(settings=Settings())


@pytest.mark.parametrize("values", [None, [], "text", {}, {"settings": None}, {"settings": [1]}])
def test_what_is_no_record(values):
    with pytest.raises(ReadError, match="how a result was made"):
        Provenance.from_dict(values)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, 3) for name in WORDS),
        ("seconds", "long"),
        ("confidence", True),
        ("stopped", 1),
        ("slice", -1),
        ("slice", 1.5),
        ("iterations", None),
        ("image", {"kind": "rgb"}),
        ("losses", {"cluster": 1.0}),
        ("losses", [3]),
        ("slices", "all"),
    ],
)
def test_a_wrong_value_is_named(name, value):
    with pytest.raises(ReadError, match=name):
        Provenance.from_dict({"settings": {}, "format": FORMAT, name: value})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBER | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["1", "slice", "losses", "x"]), inner),
    max_leaves=4,
)


#: What a result knows of its labels by their numbers.
KNOWN = ("foreground", "names", "meanings", "object_name", "colours", "codes")


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(
        [*PLANE, "slices", "history", "format", "names", "meanings", "foreground", "colours", "codes"]
    ),
    value=JSON,
)
def test_whatever_stands_in_a_file_is_read_or_refused_in_words(name, value):
    labels = np.zeros((2, 3), np.int32)
    with suppress(S3NetError):  # and no other error
        Segmentation.from_metadata(labels, Geometry.identity(2), {"settings": {}, name: value})


def test_what_a_newer_version_wrote_is_not_guessed_at():
    with pytest.raises(ReadError, match="newer version"):
        Provenance.from_dict({"settings": {}, "format": FORMAT + 1})
    with pytest.raises(InvalidSettingsError, match="hue"):
        Provenance.from_dict({"settings": {"hue": 1}})


IDS = st.integers(1, 99)
COLOURS = st.tuples(*[st.integers(0, 255)] * 3)
CODES = st.tuples(*[st.builds(Code, st.text(), st.text(), st.text())] * 2)
MEANINGS = st.builds(Meaning, st.text(), st.sampled_from([-1, 0, 1]), st.integers(0, 9))


@settings(max_examples=25, deadline=None)
@given(
    made=PLANES,
    foreground=st.lists(IDS, max_size=3).map(tuple),
    names=st.dictionaries(IDS, st.text(), max_size=3),
    meanings=st.dictionaries(IDS, MEANINGS, max_size=3),
    object_name=st.text(),
    colours=st.dictionaries(IDS, COLOURS, max_size=3),
    codes=st.dictionaries(IDS, CODES, max_size=3),
)
def test_what_is_known_about_labels_survives_json(made, **known):
    labels = np.zeros((2, 3), np.int32)
    result = Segmentation(labels, geometry=Geometry.identity(2), provenance=made, **known)
    again = Segmentation.from_metadata(labels, result.geometry, through_json(result.metadata()))
    for name in (
        "labels",
        "foreground",
        "geometry",
        "provenance",
        "names",
        "meanings",
        "object_name",
        "colours",
        "codes",
    ):
        assert getattr(again, name) is labels or getattr(again, name) == getattr(result, name)


@pytest.mark.parametrize(
    "values",
    [
        {"foreground": 3},
        {"foreground": ["a"]},
        {"names": []},
        {"names": {"a": "b"}},
        {"meanings": {"1": 3}},
        {"colours": {"1": "red"}},
    ],
)
def test_wrong_ids_are_told(values):
    with pytest.raises(ReadError, match="by their numbers"):
        Segmentation.from_metadata(np.zeros((2, 3), np.int32), Geometry.identity(2), {"settings": {}, **values})
