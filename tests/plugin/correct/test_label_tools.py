"""The label tools as functions and as forms: one step of undo each, locks respected, nothing done in silence."""

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt

from napari_s3net.errors import InvalidImageError
from napari_s3net.plugin.correct import label_tools as module
from napari_s3net.plugin.correct.label_editor import LabelEditor
from napari_s3net.plugin.correct.measurement_table import MeasurementTable
from napari_s3net.plugin.layers.locks import locks_of
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.result_layer import metadata_of
from napari_s3net.plugin.layers.undo import undo_log_of


def areas(layer):
    return {int(i): int((layer.data == i).sum()) for i in np.unique(layer.data)}


@pytest.fixture
def messy(marked):
    """The labels of `marked` with a hole in the object, and a speck of it elsewhere."""
    viewer, layer = marked
    layer.data[23:25, 29:31] = 2
    layer.data[40:43, 55:58] = 1
    return viewer, layer


@pytest.mark.parametrize(
    ("use", "objects"),
    [
        (module.fill_holes, lambda before: before + 4),
        (module.keep_largest, lambda before: before - 9),
        (lambda *a: module.remove_small(*a, smallest=10.0), lambda before: before - 9),
    ],
)
def test_what_a_tool_does_to_the_object(messy, use, objects):
    viewer, layer = messy
    before = layer.data.copy()
    assert use(viewer, layer)
    assert areas(layer)[1] == objects((before == 1).sum())
    np.testing.assert_array_equal(layer.data == 3, before == 3)
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)


def test_growing_and_shrinking(marked):
    viewer, layer = marked
    before = areas(layer)[1]
    assert module.dilate(viewer, layer, pixels=2)
    grown = areas(layer)[1]
    assert module.dilate(viewer, layer, pixels=-3)
    assert grown > before > areas(layer)[1]


def test_a_larger_radius_rounds_off_more(messy):
    viewer, layer = messy
    before = layer.data.copy()
    module.smooth(viewer, layer, radius=0.5)
    little = (layer.data != before).sum()
    layer.undo()
    module.smooth(viewer, layer, radius=4.0)
    assert (layer.data != before).sum() > little


def test_a_scope_of_one_label_leaves_the_others_to_their_neighbours(marked):
    viewer, layer = marked
    before = areas(layer)
    assert module.dilate(viewer, layer, scope=3, pixels=1)
    assert areas(layer)[3] > before[3]
    assert areas(layer)[1] == before[1]


def test_parts_are_measured_in_square_millimetres_where_the_image_knows_them(messy):
    viewer, layer = messy
    viewer.layers["mole"].units, viewer.layers["mole"].scale = ("mm", "mm"), (0.5, 0.5)
    assert not module.remove_small(viewer, layer, smallest=9 * 0.25 - 0.1)
    assert module.remove_small(viewer, layer, smallest=9 * 0.25 + 0.1)
    assert layer.data[41, 56] == 2


def test_splitting_carries_names_and_object_along_and_an_undo_brings_them_back(messy):
    viewer, layer = messy
    before = metadata_of(layer)
    assert module.split_parts(viewer, layer, ids=[1])
    assert metadata_of(layer)["foreground"] == [1, 4]
    assert metadata_of(layer)["names"][4] == "Lesion 2"
    layer.undo()
    another = LabelEditor(viewer)
    another.choose(layer)
    another.follow_undo()
    assert metadata_of(layer)["names"] == before["names"]
    assert metadata_of(layer)["foreground"] == before["foreground"]


def test_merging_takes_the_lowest_number_and_swapping_the_other_side(marked):
    viewer, layer = marked
    assert module.merge(viewer, layer, ids=[2, 3])
    assert set(areas(layer)) == {1, 2}
    mask = layer.data == 1
    assert module.swap_sides(viewer, layer)
    np.testing.assert_array_equal(np.isin(layer.data, metadata_of(layer)["foreground"]), ~mask)
    undo_log_of(viewer).undo()
    np.testing.assert_array_equal(np.isin(layer.data, metadata_of(layer)["foreground"]), mask)


def test_a_colour_and_a_code_of_one_s_own_stay_with_their_label(messy):
    viewer, layer = messy
    own = {"colours": {1: "#123456", 3: "#654321"}, "codes": {1: "a code", 3: "another"}}
    layer.metadata = {KEY: {**metadata_of(layer), **own}}
    assert module.swap_sides(viewer, layer)
    assert module.merge(viewer, layer, ids=[2, 3])
    assert module.split_parts(viewer, layer, ids=[1])
    editor = LabelEditor(viewer)
    editor.choose(layer)
    rows = {label: (name, colour) for label, name, colour in editor.rows()}
    assert set(rows) == {1, 2, 4}, "the number of a label that is gone is given to no other"
    assert rows[1] == ("Lesion", "#123456")
    assert rows[4][0] == "Lesion 2"
    assert rows[4][1] not in own["colours"].values()
    assert metadata_of(layer)["codes"] == own["codes"]


@pytest.mark.parametrize(
    "use",
    [
        module.smooth,
        module.fill_holes,
        module.keep_largest,
        module.dilate,
        lambda *a: module.merge(*a, ids=[1, 2]),
        lambda *a: module.split_parts(*a, ids=[1]),
    ],
)
def test_locked_labels_and_parts_stay(messy, use):
    viewer, layer = messy
    before = layer.data.copy()
    locks_of(layer).labels.update({1, 2})
    assert not use(viewer, layer)
    locks_of(layer).labels.clear()
    locks_of(layer).toggle_part(layer.data.shape, PlaneKey((None, None)), np.ones(layer.data.shape, bool))
    assert not use(viewer, layer)
    np.testing.assert_array_equal(layer.data, before)


def test_only_the_slice_in_view_changes(photograph):
    viewer = ViewerModel()
    viewer.add_image(np.stack([photograph[..., 0]] * 3), name="scan")
    square = np.zeros((48, 64), np.int32)
    square[10:20, 10:20] = 1
    layer = plain(viewer.add_labels(np.stack([square] * 3)))
    viewer.dims.set_current_step(0, 1)
    assert module.dilate(viewer, layer, pixels=1)
    assert [int((one == 1).sum()) > 100 for one in layer.data] == [False, True, False]


def test_labels_without_an_image_are_refused():
    viewer = ViewerModel()
    layer = viewer.add_labels(np.ones((5, 5), np.int32))
    with pytest.raises(InvalidImageError, match="no labels on an image"):
        module.smooth(viewer, layer)


def test_measurements_are_rows_and_the_features_of_the_layer(marked):
    viewer, layer = marked
    rows = module.measure(viewer, layer)
    assert [row["label"] for row in rows] == ["object", 1, 2, 3]
    assert rows[0]["area_px"] == rows[1]["area_px"] == areas(layer)[1]
    assert rows[3]["name"] == "Dark corner"
    assert list(layer.features["index"]) == [1, 2, 3]
    assert list(layer.features["area_px"]) == [areas(layer)[i] for i in (1, 2, 3)]
    assert rows[1]["mean_red"] < rows[2]["mean_red"]


# -- the forms, in napari


@pytest.fixture
def window(make_napari_viewer, marked, monkeypatch):
    told = []
    for name in ("show_error", "show_info"):
        monkeypatch.setattr(module, name, told.append)
    viewer = make_napari_viewer()
    for layer in marked[0].layers:
        viewer.add_layer(layer)
    return viewer, marked[1], told


def opened(viewer, name):
    return viewer.window.add_plugin_dock_widget("napari-s3net", name)[1]


@pytest.mark.viewer
def test_a_form_acts_on_what_is_chosen_in_it(window):
    viewer, layer, told = window
    form = opened(viewer, "Grow or shrink labels")
    assert [field.name for field in form][:4] == ["viewer", "layer", "scope", "pixels"]
    assert form.scope.choices == ("object", "all", 1, 2, 3)
    before = areas(layer)
    form.scope.value, form.pixels.value = 3, 2
    form.call_button.native.click()
    assert areas(layer)[3] > before[3]
    layer.undo()
    assert areas(layer) == before
    assert not told


@pytest.mark.viewer
def test_ctrl_z_takes_back_a_swap_that_a_form_made_without_any_dock(window, qtbot):
    viewer, layer, _ = window
    main = viewer.window._qt_window
    main.show()
    main.activateWindow()
    qtbot.waitUntil(main.isActiveWindow)
    opened(viewer, "Swap object and background").call_button.native.click()
    assert metadata_of(layer)["foreground"] == [2, 3]
    main.setFocus()
    qtbot.keyClick(main, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert metadata_of(layer)["foreground"] == [1]
    opened(viewer, "Grow or shrink labels").call_button.native.click()
    grown = layer.data.copy()
    viewer.window.remove_dock_widget("all")
    main.setFocus()
    qtbot.keyClick(main, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (layer.data != grown).any()


@pytest.mark.viewer
def test_a_form_says_that_nothing_changed(window):
    viewer, _, told = window
    opened(viewer, "Fill holes of labels").call_button.native.click()
    assert told == [module.UNCHANGED]


@pytest.mark.viewer
def test_a_form_says_what_is_missing_and_lists_new_labels(window):
    viewer, layer, told = window
    form = opened(viewer, "Merge labels")
    form.call_button.native.click()
    assert "two or more" in told[0]
    assert form.ids.choices == (1, 2, 3)
    form.ids.value = [2, 3]
    form.call_button.native.click()
    assert set(areas(layer)) == {1, 2}
    assert form.ids.choices == (1, 2)


@pytest.mark.viewer
def test_the_measurements_are_shown_in_the_form(window):
    form = opened(window[0], "Measure labels")
    form.call_button.native.click()
    table = form.native.findChild(MeasurementTable)
    assert table.isVisibleTo(form.native)
    assert list(table.table.value["index"]) == ["Object", "1  Lesion", "2  Skin", "3  Dark corner"]


@pytest.mark.viewer
@pytest.mark.parametrize("name", [name for name in vars(module) if name.endswith("_form") and name != "_form"])
def test_every_field_of_a_form_says_what_it_does(window, name):
    form = getattr(module, name)()
    fields = [field for field in form if field.name not in ("viewer", "call_button")]
    assert [field.name for field in fields if not field.tooltip] == []
