"""Changes to labels, locks and undo, without a widget."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.correction.constraints import OBJECT
from napari_s3net.errors import InvalidImageError
from napari_s3net.plugin.correct.label_editor import LabelEditor
from napari_s3net.plugin.correct.tools import Plane
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.result_layer import metadata_of

pytestmark = pytest.mark.viewer


def test_rows_have_names_and_colours(editor):
    assert [(i, name) for i, name, _ in editor.rows()] == [(1, "Lesion"), (2, "Skin"), (3, "Dark corner")]
    assert len({colour for *_, colour in editor.rows()}) == 3


def test_of_a_model_s_labels_every_class_has_a_row_that_it_can_be_painted_from(editor):
    layer = editor.layer
    layer.data[layer.data == 3] = 0
    assert [i for i, *_ in editor.rows()] == [1, 2]
    layer.metadata = {KEY: {**layer.metadata[KEY], "model": {"weights": "0123"}}}
    assert [(i, name) for i, name, _ in editor.rows()] == [(1, "Lesion"), (2, "Skin"), (3, "Dark corner")]


def test_a_change_is_one_step_and_its_names_come_back(editor):
    before = editor.layer.data.copy()
    assert not editor.write(editor.plane)
    plane = editor.plane
    assert editor.write(Plane(np.where(plane.labels == 3, 7, plane.labels), (1, 7), {**plane.names, 7: "New"}))
    assert metadata_of(editor.layer)["names"][7] == "New"
    assert metadata_of(editor.layer)["foreground"] == [1, 7]
    editor.layer.undo()
    np.testing.assert_array_equal(editor.layer.data, before)
    assert editor.follow_undo()
    assert metadata_of(editor.layer)["foreground"] == [1]
    assert not editor.follow_undo()


def test_back_to_the_last_run(editor):
    last = editor.layer.data.copy()
    assert not editor.revert()
    editor.write(Plane(np.ones_like(last), (1,), {}))
    assert editor.revert()
    np.testing.assert_array_equal(editor.layer.data, last)


def test_a_result_has_what_the_layer_knows(editor):
    result = editor.result()
    assert result.foreground == (1,)
    assert result.names[3] == "Dark corner"
    assert not result.settings.remove_hair
    assert result.state == {}


def test_labels_made_elsewhere_have_no_object_and_suggested_settings(photograph):
    viewer = ViewerModel()
    viewer.add_image(photograph, name="mole")
    layer = plain(viewer.add_labels(np.ones((48, 64), np.uint8), name="mine"))
    editor = LabelEditor(viewer)
    editor.choose(layer)
    assert editor.result().foreground == ()
    assert editor.plane.foreground == (1,)
    assert editor.rows()[0][1] == "Label 1"
    layer.features = {"index": [0, 1], "name": ["nothing", "Liver"]}
    assert editor.rows()[0][1] == "Liver"


def test_what_tools_make_leaves_locked_parts(editor):
    part = np.zeros((48, 64), bool)
    part[:8, :8] = True
    assert editor.toggle_lock(part)
    new = editor.guarded(Plane(np.ones((48, 64), np.int32), (1,), {}))
    assert (new.labels[part] == 3).all()
    assert (new.labels[~part] == 1).all()
    assert not editor.toggle_lock(part)
    assert editor.locked_part is None


@pytest.fixture
def series():
    """A series of volumes with unequal sides, and labels made elsewhere."""
    viewer = ViewerModel()
    viewer.add_image(np.random.default_rng(0).normal(size=(2, 4, 20, 30)), name="heart")
    layer = plain(viewer.add_labels(np.ones((2, 4, 20, 30), np.int32), name="mine"))
    return viewer, layer


def view(viewer, editor, order, steps):
    viewer.dims.order = order
    for axis, step in zip(order[:2], steps, strict=True):
        viewer.dims.set_current_step(axis, step)
    editor.choose(editor.layer)


def test_revert_writes_the_labels_of_the_very_plane_in_view(series):
    viewer, layer = series
    editor = LabelEditor(viewer)
    editor.layer = layer
    views = [((0, 1, 2, 3), (0, 1)), ((0, 1, 2, 3), (1, 1)), ((0, 2, 1, 3), (0, 1)), ((3, 1, 0, 2), (1, 1))]
    for order, steps in views:
        view(viewer, editor, order, steps)
        before = layer.data.copy()
        plane = editor.plane
        assert editor.write(Plane(np.full_like(plane.labels, 7), (7,), {}))
        assert editor.revert()
        np.testing.assert_array_equal(layer.data, before)


def test_strokes_and_locks_of_a_series_belong_to_one_plane(series):
    viewer, layer = series
    editor = LabelEditor(viewer)
    editor.layer = layer
    view(viewer, editor, (0, 1, 2, 3), (0, 1))
    editor.strokes.make().data[0, 1, 2, 3] = OBJECT
    editor.toggle_lock(np.eye(20, 30, dtype=bool))
    assert editor.strokes.count() == (1, 0, 0)
    view(viewer, editor, (0, 1, 2, 3), (1, 1))
    assert editor.strokes.constraints() is None
    assert editor.locked_part is None
    view(viewer, editor, (0, 2, 1, 3), (0, 2))
    assert editor.strokes.count() == (1, 0, 0), "the same pixel, seen along another axis"


def test_labels_beyond_those_of_a_run_are_refused_and_stay(marked):
    viewer, _ = marked
    layer = plain(viewer.add_labels(np.full((48, 64), 2**40, np.int64), name="mine"))
    editor = LabelEditor(viewer)
    editor.choose(layer)
    with pytest.raises(InvalidImageError, match=r"2,147,483,647 .* 1,099,511,627,776"):
        editor.result()
