"""What was learned, as layers; and corrections, as files."""

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers._source import layer_source
from napari.utils.colormaps import DirectLabelColormap

from napari_s3net.errors import InvalidImageError, ReadError
from napari_s3net.image import Geometry, Image
from napari_s3net.io import read_image, read_labels
from napari_s3net.io.write import write_labels, write_png
from napari_s3net.learning.files import UNLABELLED, find_images_with_labels
from napari_s3net.plugin.layers.metadata_history import history_of
from napari_s3net.plugin.layers.ownership import belongs_to
from napari_s3net.plugin.layers.palette import LIGHT, hex_colour
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.result_layer import metadata_of
from napari_s3net.plugin.layers.run_cache import cached_run
from napari_s3net.plugin.layers.slice_states import states_of
from napari_s3net.plugin.layers.source import source_of
from napari_s3net.plugin.layers.stack import Stack
from napari_s3net.plugin.learn.result import (
    add_result,
    is_kept,
    keep_correction,
    kept_slices,
    open_image,
    put_result,
    replaces_changes,
)
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.runtime import child_pool
from napari_s3net.settings import Settings
from tests.learning.conftest import scene


@pytest.fixture(scope="module", autouse=True)
def close_children():
    yield
    child_pool.close_all()


def test_a_result_lies_on_its_image_and_knows_its_names():
    viewer = ViewerModel()
    grey, labels = scene(0)
    geometry = Geometry((0.5, 0.5), (3.0, 4.0), Geometry.identity(2).direction)
    image = open_image(viewer, Image(grey, geometry, "grey", "a0"))
    made = Provenance(settings=Settings())
    names = {1: "Bright", 2: "Dark"}
    layer = add_result(viewer, image, Segmentation(labels, (1, 2), geometry, made, names, object_name="Discs"))
    assert list(viewer.layers) == [image, layer]
    np.testing.assert_array_equal(layer.scale, image.scale)
    np.testing.assert_array_equal(layer.translate, image.translate)
    about = metadata_of(layer)
    assert about["names"] == names
    assert tuple(about["foreground"]) == (1, 2)
    assert belongs_to(layer, image, "a0")
    layer.data[0, 0] = 2
    assert labels[0, 0] == 0, "the result's own array is not painted in"


def answer(labels, **about):
    made = Provenance(settings=Settings(), model={"weights": "0123", "settings": {}})
    names = {1: "Bright", 2: "Dark"}
    geometry = Geometry.identity(labels.ndim)
    return Segmentation(labels, (1,), geometry, made, names, object_name="Discs", **about)


@pytest.mark.parametrize("slices", [1, 3])
def test_applied_again_a_model_s_labels_are_replaced_as_one_step_of_undo(slices):
    viewer = ViewerModel()
    grey, labels = scene(0)
    grey, labels = (array if slices == 1 else np.stack([array] * slices) for array in (grey, labels))
    image = open_image(viewer, Image(grey, Geometry.identity(grey.ndim), "grey", "a0"))
    stack = Stack.whole(source_of(image, viewer.dims.point, range(viewer.dims.ndim)[-2:]))
    layer = put_result(viewer, image, stack, answer(labels))
    later = np.where(labels == 1, 2, labels)
    assert put_result(viewer, image, stack, replace(answer(later), foreground=(2,))) is layer
    assert list(viewer.layers) == [image, layer]
    assert (layer.data == later).all()
    assert metadata_of(layer)["foreground"] == [2]
    key = stack.key(0)
    assert (cached_run(layer, key).labels == layer.data[key.index]).all()
    layer.undo()
    assert (layer.data == labels).all()
    now = metadata_of(layer)
    assert history_of(layer).recall(key, layer.data[key.index], now)["foreground"] == [1]
    layer.redo()
    assert (layer.data == later).all()


@pytest.mark.parametrize("slices", [1, 3])
def test_what_was_changed_since_the_model_made_it_can_be_reverted_and_is_known(slices, tmp_path):
    viewer = ViewerModel()
    grey, labels = scene(0)
    grey, labels = (array if slices == 1 else np.stack([array] * slices) for array in (grey, labels))
    path = tmp_path / "a0.nii.gz"
    write_labels(path, grey, Geometry.identity(grey.ndim))
    image = open_image(viewer, Image(grey, Geometry.identity(grey.ndim), "grey", "a0"))
    stack = Stack.whole(source_of(image, viewer.dims.point, range(viewer.dims.ndim)[-2:]))
    layer = put_result(viewer, image, stack, answer(labels))
    key = stack.key(slices - 1)
    assert is_kept(layer)
    assert not replaces_changes(viewer, image, stack)
    layer.data[key.index][:3] = 2
    assert (cached_run(layer, key).first.labels == labels[key.index]).all(), "to revert to"
    assert not is_kept(layer)
    assert replaces_changes(viewer, image, stack)
    keep_correction(path, layer, tmp_path / "labels")
    assert is_kept(layer)
    layer.data[key.index][:4] = 2
    assert not is_kept(layer)


def test_labels_of_a_run_stay_beside_those_of_a_model_which_are_called_so(marked):
    viewer, run = marked
    image = viewer.layers["mole"]
    stack = Stack.whole(source_of(image, viewer.dims.point, (0, 1)))
    before = run.data.copy()
    layer = put_result(viewer, image, stack, answer(np.ones_like(before)))
    assert (run.data == before).all()
    assert layer.name == "mole – learned"
    assert put_result(viewer, image, stack, answer(np.ones_like(before))) is layer


def test_the_usual_colours_from_a_file_leave_the_object_a_light_fill():
    viewer = ViewerModel()
    grey, labels = scene(0)
    image = open_image(viewer, Image(grey, Geometry.identity(2), "grey", "a0"))
    usual = {1: hex_colour(1, is_object=True), 2: "#ff0000"}
    layer = add_result(viewer, image, answer(labels), usual)
    assert layer.get_color(1)[3] == LIGHT
    np.testing.assert_allclose(layer.get_color(2), (1, 0, 0, 1), atol=0.01)


@pytest.mark.parametrize("suffix", [".png", ".nii.gz"])
def test_a_correction_is_found_again_beside_its_image(tmp_path, suffix):
    grey, labels = scene(1)
    path = tmp_path / "images" / f"a1{suffix}"
    geometry = Geometry((2.0, 2.0, 2.0), (0.0, 5.0, 6.0), Geometry.identity(3).direction)
    if suffix == ".png":
        write_png(path, grey)
    else:
        write_labels(path, np.stack([grey] * 3), geometry)
        labels = np.stack([labels] * 3)
    colours = DirectLabelColormap(color_dict={None: "grey", 0: "transparent", 1: "#c92107", 2: "#010203"})
    features = {"index": [1], "name": ["Nodule"]}
    layer = ViewerModel().add_labels(labels, colormap=colours, features=features)
    kept = keep_correction(path, layer, tmp_path / "labels")
    assert kept.name == f"a1{suffix}"
    back = read_labels(kept)
    np.testing.assert_array_equal(back.array, labels)
    assert [(one.own_name, one.colour) for one in back.segments] == [("Nodule", (201, 33, 7)), ("", (1, 2, 3))]
    if suffix != ".png":
        assert back.geometry.spacing == geometry.spacing
        assert back.geometry.origin == geometry.origin
    (pair,) = find_images_with_labels(tmp_path / "images", tmp_path / "labels")
    assert pair.labels == kept


def test_a_correction_in_the_folder_of_the_images_replaces_none(tmp_path):
    grey, labels = scene(1)
    path = tmp_path / "a1.png"
    write_png(path, grey)
    kept = keep_correction(path, ViewerModel().add_labels(labels), tmp_path, tmp_path)
    np.testing.assert_array_equal(read_image(path).array, grey)
    (pair,) = find_images_with_labels(tmp_path, tmp_path)
    assert (pair.image, pair.labels) == (path, kept)
    np.testing.assert_array_equal(read_labels(kept).array, labels)


@pytest.mark.parametrize("corrected", [(), ("masks",), ("labels",), ("labels", "masks")])
def test_a_correction_is_found_again_in_the_output_of_a_batch(tmp_path, corrected):
    images, output = tmp_path / "images", tmp_path / "output"
    grey, labels = scene(1)
    for name in ("a", "b", "within/a"):
        write_png(images / f"{name}.png", grey)
    output.mkdir()
    (output / "report.jsonl").touch()
    for name in corrected:
        write_png(output / "corrected" / name / "b.png", np.where(labels, 255, 0).astype(np.uint8))
    layer = ViewerModel().add_labels(labels)
    other = ViewerModel().add_labels(labels[::-1])
    kept = keep_correction(images / "a.png", layer, output, images)
    within = keep_correction(images / "within" / "a.png", other, output, images)
    found = {pair.name: pair.labels for pair in find_images_with_labels(images, output)}
    assert (found["a"], found["within/a"]) == (kept, within)
    assert (found["b"] is not None) == bool(corrected), "what was corrected before counts as well"
    np.testing.assert_array_equal(read_labels(kept).array, labels)
    np.testing.assert_array_equal(read_labels(within).array, labels[::-1])


def test_a_missing_image_is_told(tmp_path):
    layer = ViewerModel().add_labels(np.ones((4, 5), int))
    with pytest.raises(ReadError):
        keep_correction(tmp_path / "gone.png", layer, tmp_path)


def volume_of(tmp_path, slices=6):
    grey, labels = scene(1)
    path = tmp_path / "images" / "v1.nii.gz"
    geometry = Geometry((8.0, 2.0, 2.0), (1000.0, 5.0, 6.0), Geometry.identity(3).direction)
    write_labels(path, np.stack([grey] * slices), geometry)
    return path, np.stack([labels] * slices), geometry


def opened(path, labels):
    viewer = ViewerModel()
    image = read_image(path)
    layer = add_result(viewer, open_image(viewer, image), replace(answer(labels), geometry=image.geometry))
    return viewer, layer


def test_slices_that_nobody_has_looked_at_are_no_corrections(tmp_path):
    path, labels, _ = volume_of(tmp_path)
    _, layer = opened(path, labels)
    states_of(layer).seen.add(PlaneKey((2, None, None)))
    states_of(layer).corrected.add(PlaneKey((4, None, None)))
    states_of(layer).seen.add(PlaneKey((None, 7, None)))  # a coronal plane
    layer.data[2, :4] = 2
    back = read_labels(keep_correction(path, layer, tmp_path / "labels")).array
    expected = np.full(labels.shape, UNLABELLED)
    for index in ((2,), (4,), (slice(None), 7)):
        expected[index] = layer.data[index]
    assert (back == expected).all()
    assert kept_slices(layer) == ": 6 of 6 slices, where you have looked"


def test_labels_that_a_person_painted_count_where_they_are_and_those_of_a_file_everywhere(tmp_path):
    path, labels, _ = volume_of(tmp_path)
    painted = np.zeros_like(labels)
    painted[3] = labels[3]
    layer = ViewerModel().add_labels(painted)
    back = read_labels(keep_correction(path, layer, tmp_path / "labels")).array
    assert (back[3] == labels[3]).all()
    assert (np.delete(back, 3, 0) == UNLABELLED).all()
    assert kept_slices(layer) == ": 1 of 6 slices, where you have looked"
    with layer_source(path="gt.nii.gz"):
        layer = ViewerModel().add_labels(painted)
    states_of(layer).seen.add(PlaneKey((3, None, None)))
    assert (read_labels(keep_correction(path, layer, tmp_path / "labels")).array == painted).all()
    assert kept_slices(layer) == ""


def test_background_alone_where_somebody_has_looked_is_not_kept_as_a_mask_of_the_rest(tmp_path):
    path, labels, _ = volume_of(tmp_path)
    labels[0] = 0
    _, layer = opened(path, labels)
    states_of(layer).seen.add(PlaneKey((0, None, None)))
    with pytest.raises(InvalidImageError, match="background only"):
        keep_correction(path, layer, tmp_path / "labels")
    assert not (tmp_path / "labels").exists()
