"""What a run does to a layer, from its first preview to its end."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.image import Geometry
from napari_s3net.plugin.layers.metadata_history import history_of
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.result_layer import metadata_of
from napari_s3net.plugin.layers.run_cache import cached_run
from napari_s3net.plugin.layers.source import source_of
from napari_s3net.plugin.layers.target import FRAMES, REPLACED, Target, dissolve
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.segments import Meaning
from napari_s3net.settings import Settings


@pytest.fixture
def viewer(photograph):
    viewer = ViewerModel()
    viewer.add_image(photograph, name="mole", scale=(0.5, 0.5), units=("mm", "mm"), translate=(3, 4))
    return viewer


@pytest.fixture
def stack():
    viewer = ViewerModel()
    viewer.add_image(np.random.default_rng(0).normal(size=(4, 20, 30)), name="scan")
    viewer.dims.set_current_step(0, 1)
    return viewer


def target(viewer, *, new_layer=False):
    image = viewer.layers[0]
    source = source_of(image, viewer.dims.point, viewer.dims.order[-2:])
    return Target(viewer, image, source, new_layer=new_layer)


def result(shape, corner, names=None, foreground=(1,), seed=0):
    labels = np.full(shape, 2, np.int32)
    labels[:corner, :corner] = 1
    names = names or {1: "Lesion", 2: "Skin"}
    made = Provenance(settings=Settings(seed=seed), device="cpu", version="1.2.3", seconds=1.0)
    meanings = {i: Meaning(name) for i, name in names.items()}
    return Segmentation(labels, foreground, Geometry.identity(2), made, names, meanings)


def finish(viewer, corner, **kwargs):
    one = target(viewer, new_layer=kwargs.pop("new_layer", False))
    return one.finish(result(one.source.plane_shape, corner, **kwargs), "skin")


def test_one_label_layer_that_lies_on_the_image(viewer):
    layer = finish(viewer, 5)
    image = viewer.layers[0]
    assert [one.name for one in viewer.layers] == ["mole", "mole – S³-Net"]
    for name in ("scale", "translate", "units"):
        np.testing.assert_array_equal(getattr(layer, name), getattr(image, name))
    assert layer.data.dtype == np.int32
    assert (layer.data[:5, :5] == 1).all()
    assert viewer.layers.selection.active is image


def test_a_model_s_labels_are_left_alone_and_what_was_changed_is_told_of_when_it_is_replaced(viewer):
    layer = finish(viewer, 5)
    layer.metadata = {KEY: {**layer.metadata[KEY], "model": {"weights": "0123"}}}
    learned = layer.data.copy()
    run = target(viewer)
    assert "stays as it is" in run.remark
    own = run.finish(result(run.source.plane_shape, 9), "skin")
    assert own is not layer
    assert (layer.data == learned).all()
    again = target(viewer)
    assert again.finish(result(again.source.plane_shape, 7), "skin") is own
    assert again.remark == ""
    own.data[0, 0] = 2
    last = target(viewer)
    last.finish(result(last.source.plane_shape, 5), "skin")
    assert last.remark == REPLACED


def test_the_layer_tells_how_it_was_made(viewer):
    note = metadata_of(finish(viewer, 5, seed=7))
    assert note["settings"] == Settings(seed=7).to_dict()
    wanted = {"version": "1.2.3", "device": "cpu", "seconds": 1.0, "source": "mole", "preset": "skin"}
    assert wanted.items() <= note.items()
    assert note["foreground"] == [1]
    assert note["names"] == {1: "Lesion", 2: "Skin"}
    assert note["geometry"].spacing == (0.5, 0.5)
    assert note["geometry"].unit == "mm"


def test_a_first_result_leaves_nothing_to_undo(viewer):
    layer = finish(viewer, 5)
    before = layer.data.copy()
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)


def test_a_second_run_is_one_step_that_undo_takes_back(viewer):
    first = finish(viewer, 5)
    old = first.data.copy()
    again = target(viewer)
    again.preview(np.full((48, 64), 3, np.uint8))
    second = again.finish(result((48, 64), 9), "skin")
    assert second is first
    assert len(viewer.layers) == 2
    assert (first.data[:9, :9] == 1).all()
    first.undo()
    np.testing.assert_array_equal(first.data, old)
    first.redo()
    assert (first.data[:9, :9] == 1).all()


def test_strokes_before_a_second_run_stay_undoable(viewer):
    layer = finish(viewer, 5)
    clean = layer.data.copy()
    layer.data_setitem((np.array([40]), np.array([40])), 1)
    painted = layer.data.copy()
    one = target(viewer)
    one.preview(np.full((48, 64), 3, np.uint8))
    one.finish(result((48, 64), 9), "skin")
    layer.undo()
    np.testing.assert_array_equal(layer.data, painted)
    layer.undo()
    np.testing.assert_array_equal(layer.data, clean)


def test_undo_brings_back_the_note_as_well(viewer):
    layer = finish(viewer, 5, names={1: "Lesion", 2: "Skin"})
    finish(viewer, 9, names={1: "Ruler", 2: "Skin"}, foreground=())
    layer.undo()
    earlier = history_of(layer).recall(PlaneKey((None, None)), layer.data, metadata_of(layer))
    assert earlier["names"][1] == "Lesion"
    assert earlier["foreground"] == [1]


def test_a_run_as_new_layer_leaves_the_earlier_result_alone(viewer):
    first = finish(viewer, 5)
    second = finish(viewer, 9, new_layer=True)
    assert second is not first
    assert (first.data[5:9, 5:9] == 2).all()
    assert len(viewer.layers) == 3


def show_preview(one, value):
    """Until the preview has come in."""
    one.preview(np.full((48, 64), value, np.uint8))
    for _ in range(FRAMES):
        one.advance()


def test_previews_are_shown_and_leave_no_trace(viewer):
    one = target(viewer)
    show_preview(one, 3)
    (layer,) = viewer.layers[1:]
    assert (layer.data == 3).all()
    assert layer.name == "mole – S³-Net"
    show_preview(one, 4)
    assert (layer.data == 4).all()
    assert viewer.layers.selection.active is viewer.layers[0]
    one.restore()
    assert [one.name for one in viewer.layers] == ["mole"]


def test_cancel_puts_back_labels_colours_and_mode(viewer):
    layer = finish(viewer, 5)
    layer.mode = "paint"
    before, colours = layer.data.copy(), dict(layer.colormap.color_dict)
    one = target(viewer)
    show_preview(one, 3)
    assert (layer.data == 5).all(), "above the two labels that are there"
    one.restore()
    np.testing.assert_array_equal(layer.data, before)
    assert layer.colormap.color_dict.keys() == colours.keys()
    assert layer.mode == "paint"
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)


def test_a_preview_comes_in_over_what_is_shown(viewer):
    layer = finish(viewer, 5)
    before, colours = layer.data.copy(), dict(layer.colormap.color_dict)
    one = target(viewer)
    one.preview(np.full((48, 64), 1, np.uint8))
    shares = []
    for _ in range(FRAMES + 1):
        one.advance()
        new = layer.data == 3
        np.testing.assert_array_equal(layer.data[~new], before[~new])
        shares.append(new.mean())
    np.testing.assert_allclose(shares, [0.25, 0.5, 0.75, 1, 1], atol=0.04)
    assert all((layer.colormap.color_dict[i] == colours[i]).all() for i in (1, 2))
    assert colours.keys().isdisjoint({3})


def test_on_a_large_plane_a_preview_comes_at_once(monkeypatch):
    monkeypatch.setattr("napari_s3net.plugin.layers.target.FRAME_PIXELS", 99)
    frames = list(dissolve(np.zeros((10, 10), int), np.ones((10, 10), int)))
    assert [frame.sum() for frame in frames] == [100]


def test_the_brush_rests_while_a_preview_is_shown(viewer):
    layer = finish(viewer, 5)
    one = target(viewer)
    one.preview(np.full((48, 64), 3, np.uint8))
    layer.mode = "paint"
    assert layer.mode == "pan_zoom"
    one.restore()
    layer.mode = "paint"
    assert layer.mode == "paint"


@pytest.mark.parametrize("previewed", [True, False])
def test_a_layer_that_was_removed_is_not_written_to(viewer, previewed):
    layer = finish(viewer, 5)
    one = target(viewer)
    if previewed:
        one.preview(np.full((48, 64), 3, np.uint8))
    viewer.layers.remove(layer)
    held = layer.data.copy()
    assert one.gone
    one.preview(np.full((48, 64), 4, np.uint8))
    np.testing.assert_array_equal(layer.data, held)
    one.restore()
    assert len(viewer.layers) == 1


def test_without_its_image_a_result_goes_nowhere(viewer):
    one = target(viewer)
    viewer.layers.clear()
    assert one.gone
    assert one.finish(result((48, 64), 5), "skin") is None
    assert len(viewer.layers) == 0


def test_a_layer_of_another_shape_is_not_written_to(viewer):
    layer = finish(viewer, 5)
    one = target(viewer)
    layer.data = np.zeros((10, 10), np.int32)
    one.preview(np.full((48, 64), 4, np.uint8))
    assert not layer.data.any()
    made = one.finish(result((48, 64), 5), "skin")
    assert made is not layer
    assert not layer.data.any()


def test_a_stack_gets_the_slice_in_view_and_keeps_the_others(stack):
    layer = finish(stack, 5)
    assert layer.data.shape == (4, 20, 30)
    assert [bool(plane.any()) for plane in layer.data] == [False, True, False, False]
    stack.dims.set_current_step(0, 2)
    finish(stack, 7, seed=3)
    assert [bool(plane.any()) for plane in layer.data] == [False, True, True, False]
    assert (layer.data[1, :5, :5] == 1).all()
    assert [part.slice for part in Provenance.from_dict(metadata_of(layer)).slices] == [1, 2]
    layer.undo()
    assert [bool(plane.any()) for plane in layer.data] == [False, True, False, False]


def test_in_a_stack_an_id_keeps_its_meaning(stack):
    layer = finish(stack, 5)
    stack.dims.set_current_step(0, 2)
    finish(stack, 7, names={1: "Skin", 2: "Lesion"}, foreground=(2,))
    assert (layer.data[2, :7, :7] == 2).all()
    assert metadata_of(layer)["foreground"] == [1]


@pytest.mark.parametrize("neighbour", [0, 2])
def test_in_a_stack_an_id_follows_the_overlap(stack, neighbour):
    names = {1: "Lesion", 2: "Skin", 3: "Skin"}
    one = target(stack)
    first = result((20, 30), 5, names=names)
    first.labels[:, 20:] = 3
    layer = one.finish(first, "skin")
    stack.dims.set_current_step(0, neighbour)
    other = result((20, 30), 5, names=names)
    other.labels[:, 20:], other.labels[5:, :20] = 2, 3
    target(stack).finish(other, "skin")
    np.testing.assert_array_equal(layer.data[neighbour, 5:], layer.data[1, 5:])


def test_a_slice_that_is_left_during_the_run_still_gets_its_result(stack):
    one = target(stack)
    one.preview(np.full((20, 30), 3, np.uint8))
    stack.dims.set_current_step(0, 3)
    one.preview(np.full((20, 30), 4, np.uint8))
    layer = one.finish(result((20, 30), 5), "skin")
    assert [bool(plane.any()) for plane in layer.data] == [False, True, False, False]


def test_an_undo_during_a_run_is_neither_lost_nor_doubled(viewer):
    layer = finish(viewer, 5)
    clean = layer.data.copy()
    layer.data_setitem((np.array([40]), np.array([40])), 1)
    painted = layer.data.copy()
    one = target(viewer)
    one.preview(np.full((48, 64), 3, np.uint8))
    one.advance()
    layer.undo()
    for _ in range(FRAMES):
        one.advance()
    one.finish(result((48, 64), 9), "skin")
    new = layer.data.copy()
    layer.undo()
    np.testing.assert_array_equal(layer.data, clean)
    layer.undo()
    np.testing.assert_array_equal(layer.data, clean)
    layer.redo()
    np.testing.assert_array_equal(layer.data, new)
    assert not np.array_equal(new, painted)


def test_an_undo_during_a_cancelled_run_can_be_done_again(viewer):
    layer = finish(viewer, 5)
    clean = layer.data.copy()
    layer.data_setitem((np.array([40]), np.array([40])), 1)
    painted = layer.data.copy()
    one = target(viewer)
    one.preview(np.zeros((48, 64), np.uint8))
    for _ in range(FRAMES):
        one.advance()
    layer.undo()
    one.restore()
    np.testing.assert_array_equal(layer.data, clean)
    layer.redo()
    np.testing.assert_array_equal(layer.data, painted)


def test_a_result_of_other_data_is_written_nowhere(viewer, photograph):
    layer = finish(viewer, 5)
    before = layer.data.copy()
    one = target(viewer)
    viewer.layers["mole"].data = photograph[::-1]
    assert one.gone == "The image was replaced"
    one.preview(np.full((48, 64), 3, np.uint8))
    one.restore()
    np.testing.assert_array_equal(layer.data, before)


def test_in_a_rolled_series_each_plane_is_written_and_known_by_itself():
    viewer = ViewerModel()
    viewer.add_image(np.random.default_rng(0).normal(size=(2, 4, 20, 30)), name="heart")
    views = {(0, 1, 2, 3): (1, 2), (0, 2, 1, 3): (0, 7), (3, 1, 0, 2): (5, 3), (0, 1, 3, 2): (0, 2)}
    keys, layer = [], None
    for order, steps in views.items():
        viewer.dims.order = order
        for axis, step in zip(order[:2], steps, strict=True):
            viewer.dims.set_current_step(axis, step)
        one = target(viewer)
        layer = one.finish(result(one.source.plane_shape, 2), "generic")
        keys.append(one.source.key)
    assert [key.steps for key in keys] == [
        (1, 2, None, None),
        (0, None, 7, None),
        (None, 3, None, 5),
        (0, 2, None, None),
    ]
    assert all(cached_run(layer, key).labels.shape == key.shape_in(layer.data.shape) for key in keys)
    made = metadata_of(layer)["slices"]
    assert len(made) == 4
