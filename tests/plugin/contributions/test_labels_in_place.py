"""Labels that are opened beside their image lie on it, whatever part of it they are of."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer

from napari_s3net.errors import ReadWarning
from napari_s3net.image import Geometry, Image
from napari_s3net.io import read_image, write_labels
from napari_s3net.io.geometry import turn_photograph
from napari_s3net.plugin.contributions import labels_in_place
from napari_s3net.plugin.contributions.reader import labels_data, layer_data
from napari_s3net.plugin.layers.placement import KEY, lies_on
from napari_s3net.segments import Segment
from tests.io.test_on_image import save_noted

TURN = ((1.0, 0.0, 0.0), (0.0, 0.8, -0.6), (0.0, 0.6, 0.8))
PLACED = Geometry((3.0, 0.8, 0.7), (10.0, -5.0, 2.0), TURN)
IMAGE = Image(np.zeros((5, 6, 7), np.uint8), PLACED, "grey", "scan")
LABELS = np.arange(5 * 6 * 7).reshape(5, 6, 7) % 4
SEGMENTS = (Segment(1, "Lung"),)


@pytest.fixture
def viewer(monkeypatch):
    viewer = ViewerModel()
    viewer.add_layer(Layer.create(*layer_data(IMAGE)))
    monkeypatch.setattr(labels_in_place, "current_viewer", lambda: viewer)
    return viewer


def opened(path, labels, geometry):
    write_labels(path, labels, geometry, segments=SEGMENTS)
    return Layer.create(*labels_data(str(path)))


@pytest.mark.parametrize("suffix", [".nii.gz", ".seg.nrrd", ".tif"])
@pytest.mark.parametrize(("first", "last"), [(0, 4), (2, 3)])
def test_labels_of_some_slices_lie_on_these(viewer, tmp_path, suffix, first, last):
    layer = opened(tmp_path / f"a{suffix}", LABELS[first : last + 1], IMAGE.slices(first, last).geometry)
    expected = np.zeros_like(LABELS)
    expected[first : last + 1] = LABELS[first : last + 1]
    np.testing.assert_array_equal(layer.data, expected)
    assert lies_on(layer.as_layer_data_tuple()[1], layer.data.shape, viewer.layers[0], IMAGE.shape)
    assert layer.metadata[KEY]["geometry"] == PLACED
    assert list(layer.features["name"]) == ["Lung"]


def test_labels_of_one_slice_lie_on_an_image_that_was_moved_or_has_times(viewer, tmp_path):
    viewer.layers[0].translate = (1, 2, 3)
    layer = opened(tmp_path / "a.png", LABELS[3], PLACED.plane(3))
    np.testing.assert_array_equal(np.flatnonzero(layer.data.any(axis=(1, 2))), [3])
    assert tuple(layer.translate) == (1, 2, 3)
    data, attributes, kind = layer_data(IMAGE)
    attributes = {**attributes, "scale": (1.0, *PLACED.spacing), "units": ("pixel", *attributes["units"])}
    viewer.layers[0] = Layer.create(np.stack([data] * 2), attributes, kind)
    layer = opened(tmp_path / "a.png", LABELS[3], PLACED.plane(3))
    assert layer.data.shape == IMAGE.shape
    assert tuple(layer.scale) == PLACED.spacing


def test_labels_of_another_image_are_said(viewer, tmp_path):
    with pytest.warns(ReadWarning, match=r"^a\.nii: its labels lie elsewhere in space than scan: they are of another"):
        layer = opened(tmp_path / "a.nii", LABELS[1:], replace(PLACED, origin=(90.0, 0.0, 0.0)))
    assert layer.data.shape == (4, 6, 7)


@pytest.mark.parametrize("nothing", ["no viewer", "no image", "no place"])
def test_without_a_place_labels_are_as_in_their_file(viewer, tmp_path, monkeypatch, nothing):
    if nothing == "no viewer":
        monkeypatch.setattr(labels_in_place, "current_viewer", lambda: None)
    elif nothing == "no image":
        viewer.layers.clear()
    geometry = Geometry.identity(3) if nothing == "no place" else IMAGE.slices(1, 4).geometry
    with warnings.catch_warnings():
        warnings.simplefilter("error", ReadWarning)
        assert opened(tmp_path / "a.tif", LABELS[1:], geometry).data.shape == (4, 6, 7)


@pytest.mark.parametrize("noted", [3, 6])
def test_labels_of_the_stored_pixels_of_a_photograph_are_turned_as_it_is_or_it_is_said(viewer, tmp_path, noted):
    viewer.layers.clear()
    stored = np.arange(24, dtype=np.uint8).reshape(4, 6)
    save_noted(tmp_path / "photo.jpg", stored, noted)
    viewer.add_layer(Layer.create(*layer_data(read_image(tmp_path / "photo.jpg"))))
    save_noted(tmp_path / "b.png", stored, 1)
    how = "are turned as it is" if noted == 6 else "taken to lie as it is shown"
    with pytest.warns(ReadWarning, match=rf"^b\.png on photo: their image's file has a note .*{how}"):
        layer = Layer.create(*labels_data(str(tmp_path / "b.png")))
    np.testing.assert_array_equal(layer.data, turn_photograph(stored, noted) if noted == 6 else stored)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ReadWarning)
        assert opened(tmp_path / "ours.png", layer.data, viewer.layers[0].metadata[KEY]["geometry"])


@pytest.mark.parametrize("is_turned", [False, True])
@pytest.mark.parametrize("slices", [(0, 4), (2, 3), (1, 1)])
def test_labels_of_a_time_series_lie_on_the_series_that_is_open(viewer, tmp_path, is_turned, slices):
    data, attributes, kind = layer_data(IMAGE)
    placed = {**attributes, "scale": (1.0, *PLACED.spacing), "units": ("pixel", *attributes["units"])}
    viewer.add_layer(Layer.create(np.stack([data] * 3), {**placed, "translate": (0, 1, 2, 3)}, kind))
    first, last = slices
    series = np.stack([(LABELS + n) % 5 for n in range(3)])
    some, geometry = series[:, first : last + 1], PLACED.part(first, last)
    if is_turned:
        geometry, some = geometry.along(2), np.moveaxis(some, 3, 1)
    layer = opened(tmp_path / "a.nii.gz", some, geometry)
    expected = np.zeros_like(series)
    expected[:, first : last + 1] = series[:, first : last + 1]
    np.testing.assert_array_equal(layer.data, expected)
    assert tuple(layer.scale) == tuple(viewer.layers[1].scale)
    assert tuple(layer.translate) == (0, 1, 2, 3)
    viewer.layers.pop(1)
    assert opened(tmp_path / "a.nii.gz", some, geometry).data.shape[0] == 3, "beside one volume they stay a series"
