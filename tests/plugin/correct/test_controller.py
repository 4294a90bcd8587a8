"""Layer, plane, strokes, locks and undo, without a widget."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.correction.constraints import BACKGROUND, OBJECT
from napari_s3net.errors import InvalidImageError
from napari_s3net.plugin.correct.controller import Correcting
from napari_s3net.plugin.correct.tools import Plane
from napari_s3net.plugin.layers.result_layer import metadata_of, plain

pytestmark = pytest.mark.viewer


def test_only_labels_on_an_image_of_their_size_are_offered(marked):
    viewer, layer = marked
    viewer.add_labels(np.zeros((5, 5), int), name="elsewhere")
    work = Correcting(viewer)
    work.choose(layer)
    work.make_strokes()
    assert work.candidates() == [layer]
    viewer.layers.remove("mole")
    assert work.candidates() == []
    assert not work.is_there
    with pytest.raises(InvalidImageError, match="no labels on an image"):
        work.constraints()


def test_rows_have_names_and_colours(work):
    assert [(i, name) for i, name, _ in work.rows()] == [(1, "Lesion"), (2, "Skin"), (3, "Dark corner")]
    assert len({colour for *_, colour in work.rows()}) == 3


def test_a_change_is_one_step_and_its_names_come_back(work):
    before = work.layer.data.copy()
    assert not work.write(work.plane)
    plane = work.plane
    assert work.write(Plane(np.where(plane.labels == 3, 7, plane.labels), (1, 7), {**plane.names, 7: "New"}))
    assert metadata_of(work.layer)["names"][7] == "New"
    assert metadata_of(work.layer)["foreground"] == [1, 7]
    work.layer.undo()
    np.testing.assert_array_equal(work.layer.data, before)
    assert work.follow_undo()
    assert metadata_of(work.layer)["foreground"] == [1]
    assert not work.follow_undo()


def test_back_to_the_last_run(work):
    last = work.layer.data.copy()
    assert not work.revert()
    work.write(Plane(np.ones_like(last), (1,), {}))
    assert work.revert()
    np.testing.assert_array_equal(work.layer.data, last)


def test_strokes_are_counted_by_what_they_say(work):
    assert work.constraints() is None
    assert work.count_strokes() == (0, 0, 0)
    strokes = work.make_strokes()
    assert work.make_strokes() is strokes
    strokes.data[2:4, 2:4], strokes.data[2:4, 20:24], strokes.data[30, 30:40] = OBJECT, OBJECT, BACKGROUND
    strokes.data[40, 5], strokes.data[41, 6], strokes.data[40, 20] = 2, 2, 3
    assert work.count_strokes() == (2, 1, 2)
    assert work.constraints().dtype == np.int32
    work.clear_strokes()
    assert work.constraints() is None
    strokes.undo()
    assert work.count_strokes() == (2, 1, 2)


def test_strokes_from_elsewhere_have_to_fit(work):
    drawn = np.zeros((48, 64), np.uint16)
    drawn[4, 5] = OBJECT
    work.put_strokes(drawn)
    assert work.constraints()[4, 5] == OBJECT
    with pytest.raises(InvalidImageError, match=r"\(3, 3\)"):
        work.put_strokes(np.zeros((3, 3), int))


def test_a_result_has_what_the_layer_knows(work):
    result = work.result()
    assert result.foreground == (1,)
    assert result.names[3] == "Dark corner"
    assert not result.settings.remove_hair
    assert result.state == {}


def test_labels_made_elsewhere_have_no_object_and_suggested_settings(photograph):
    viewer = ViewerModel()
    viewer.add_image(photograph, name="mole")
    layer = plain(viewer.add_labels(np.ones((48, 64), np.uint8), name="mine"))
    work = Correcting(viewer)
    work.choose(layer)
    assert work.result().foreground == ()
    assert work.plane.foreground == (1,)
    assert work.rows()[0][1] == "Label 1"


def test_what_tools_make_leaves_locked_parts(work):
    part = np.zeros((48, 64), bool)
    part[:8, :8] = True
    assert work.toggle_hold(part)
    new = work.guarded(Plane(np.ones((48, 64), np.int32), (1,), {}))
    assert (new.labels[part] == 3).all()
    assert (new.labels[~part] == 1).all()
    assert not work.toggle_hold(part)
    assert work.held is None


def test_areas_are_in_mm_where_the_image_is(work):
    assert work.pixel_size() == (1.0, "px")
    image = work._viewer.layers["mole"]
    image.units, image.scale = ("mm", "mm"), (0.5, 0.2)
    assert work.pixel_size() == (pytest.approx(0.1), "mm²")
