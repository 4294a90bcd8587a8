"""What a run on a volume does to a layer, from its first slice to its end."""

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.image import Geometry
from napari_s3net.plugin.layers.result_layer import metadata_of
from napari_s3net.plugin.layers.source import source_of
from napari_s3net.plugin.layers.stack import Stack
from napari_s3net.plugin.layers.target import REPLACED
from napari_s3net.plugin.layers.volume_target import VolumeTarget
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.settings import presets

SHAPE = (4, 20, 30)


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    viewer.add_image(np.random.default_rng(0).normal(size=SHAPE), name="scan")
    return viewer


def target(viewer):
    image = viewer.layers[0]
    stack = Stack.whole(source_of(image, viewer.dims.point, viewer.dims.order[-2:]))
    return VolumeTarget(viewer, image, stack, new_layer=False)


def result(corner, done=range(4)):
    """Lung in a corner of each slice that is done; the others are empty."""
    labels = np.full(SHAPE, 2, np.int32)
    labels[:, :corner, :corner] = 1
    labels[[k for k in range(4) if k not in done]] = 0
    made = Provenance(settings=presets["ct-lung"].settings, stopped=len(done) < 4)
    made = replace(made, slices=tuple(replace(made, slice=k) for k in done))
    return Segmentation(labels, (1,), Geometry.identity(3), made, {1: "Lung", 2: "Other"}, object_name="Lung")


def test_slices_are_shown_as_they_come_and_the_brush_is_kept_away(viewer):
    run = target(viewer)
    run.show_slice(2, result(5).labels[2])
    layer = viewer.layers["scan – S³-Net"]
    assert layer.data.any(axis=(1, 2)).tolist() == [False, False, True, False]
    layer.mode = "paint"
    assert layer.mode == "pan_zoom"
    assert run.finish(result(5), "ct-lung") is layer
    np.testing.assert_array_equal(layer.data, result(5).labels)
    assert metadata_of(layer)["foreground"] == [1]
    layer.mode = "paint"
    assert layer.mode == "paint"


def test_of_slices_that_were_changed_it_is_told_that_they_are_replaced(viewer):
    layer = target(viewer).finish(result(5), "ct-lung")
    run = target(viewer)
    run.finish(result(9), "ct-lung")
    assert run.remark == ""
    layer.data[3, 0, 0] = 2
    run = target(viewer)
    run.finish(result(5, done=range(3)), "ct-lung")
    assert run.remark == "", "the slice was not done"
    run = target(viewer)
    run.finish(result(9), "ct-lung")
    assert run.remark == REPLACED


def test_cancelled_a_first_run_leaves_no_layer(viewer):
    run = target(viewer)
    run.show_slice(0, result(5).labels[0])
    run.restore()
    assert [layer.name for layer in viewer.layers] == ["scan"]


def test_cancelled_a_second_run_puts_every_slice_back(viewer):
    layer = target(viewer).finish(result(5), "ct-lung")
    known, run = metadata_of(layer), target(viewer)
    for index in (0, 3):
        run.show_slice(index, result(9).labels[index])
    assert not np.array_equal(layer.data, result(5).labels)
    run.restore()
    np.testing.assert_array_equal(layer.data, result(5).labels)
    assert metadata_of(layer) == known


def test_stopped_it_keeps_the_slices_that_are_done_and_what_the_others_had(viewer):
    layer = target(viewer).finish(result(5), "ct-lung")
    run = target(viewer)
    for index in (0, 1, 2):
        run.show_slice(index, result(9).labels[index])
    assert run.finish(result(9, done=range(2)), "ct-lung") is layer
    np.testing.assert_array_equal(layer.data[:2], result(9).labels[:2])
    np.testing.assert_array_equal(layer.data[2:], result(5).labels[2:])


def test_labels_of_planes_that_a_run_leaves_alone_keep_their_meaning(viewer):
    """Stopped, or on another moment of a series: what is lung there stays lung, whatever numbers the run gives."""
    layer = target(viewer).finish(result(5), "ct-lung")
    stopped = result(9, done=range(2))
    swapped = np.where(stopped.labels > 0, 3 - stopped.labels, 0).astype(np.int32)  # 2 is the lung, 1 the rest
    target(viewer).finish(replace(stopped, labels=swapped, foreground=(2,), names={2: "Lung", 1: "Other"}), "ct-lung")
    about = metadata_of(layer)
    lung = np.isin(layer.data, about["foreground"])
    np.testing.assert_array_equal(lung[:2], result(9).labels[:2] == 1)
    np.testing.assert_array_equal(lung[2:], result(5).labels[2:] == 1)
    assert {about["names"][i] for i in np.unique(layer.data[lung])} == {"Lung"}
    assert [part.slice for part in Provenance.from_dict(about).slices] == [2, 3, 0, 1]


def test_a_second_run_is_one_step_that_undo_takes_back(viewer):
    layer = target(viewer).finish(result(5), "ct-lung")
    target(viewer).finish(result(9), "ct-lung")
    np.testing.assert_array_equal(layer.data, result(9).labels)
    layer.undo()
    np.testing.assert_array_equal(layer.data, result(5).labels)


def test_what_was_painted_keeps_its_colour_while_a_run_goes_on(viewer):
    """Also labels without a name, wherever they lie: the ids of a preview begin above all of the layer."""
    layer = target(viewer).finish(result(5), "ct-lung")
    layer.data[3, 10, 10] = 40
    before = np.asarray(layer.get_color(40))
    run = target(viewer)
    run.show_slice(0, np.full(SHAPE[1:], 38, np.int32))
    np.testing.assert_array_equal(np.asarray(layer.get_color(40)), before)
    assert layer.data[0].min() > 40


@pytest.mark.parametrize("end", ["cancelled", "finished"])
def test_what_was_undone_while_a_run_goes_on_stays_undone(viewer, end):
    layer = target(viewer).finish(result(5), "ct-lung")
    layer.selected_label = 7
    layer.data_setitem((np.array([1, 1]), np.array([2, 3]), np.array([15, 15])), 7)
    run = target(viewer)
    run.show_slice(1, result(9).labels[1])
    layer.undo()
    run.show_slice(1, result(9).labels[1])
    if end == "cancelled":
        run.restore()
    else:
        run.finish(result(9), "ct-lung")
        layer.undo()
    np.testing.assert_array_equal(layer.data, result(5).labels)


def test_without_its_image_a_result_goes_nowhere(viewer):
    run = target(viewer)
    viewer.layers.clear()
    assert run.finish(result(5), "ct-lung") is None
    assert not viewer.layers
