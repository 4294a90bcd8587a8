from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from napari.layers import Labels

from napari_s3net.errors import WriteError
from napari_s3net.image import Geometry
from napari_s3net.io import read_image, read_labels
from napari_s3net.plugin.contributions import writer
from napari_s3net.plugin.contributions.reader import layer_data
from napari_s3net.plugin.contributions.writer import write_labels
from napari_s3net.runtime import child_pool


@pytest.fixture(scope="module", autouse=True)
def one_child():
    yield
    child_pool.close_all()


@pytest.fixture
def scan(tmp_path):
    image = sitk.GetImageFromArray(np.arange(480, dtype=np.int16).reshape(4, 12, 10))
    image.SetSpacing((0.5, 0.6, 3.0))
    image.SetOrigin((5.0, 6.0, 7.0))
    image.SetDirection((0, 0, 1, -1, 0, 0, 0, 1, 0))
    sitk.WriteImage(image, str(tmp_path / "scan.nii.gz"))
    return tmp_path / "scan.nii.gz"


def save(path, layer):
    data, attributes, kind = layer.as_layer_data_tuple()
    assert kind == "labels"
    return write_labels(str(path), data, attributes)


def test_a_layer_of_ours_lies_on_the_voxels_of_the_image_s_file(tmp_path, scan):
    array, attributes, _ = layer_data(read_image(scan))
    layer = Labels((array % 7).astype(np.int32), scale=attributes["scale"], metadata=attributes["metadata"])
    assert save(tmp_path / "labels.nii", layer) == [str(tmp_path / "labels.nii")]
    raw, written = (sitk.ReadImage(str(path)) for path in (scan, tmp_path / "labels.nii"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(written), sitk.GetArrayFromImage(raw) % 7)
    np.testing.assert_allclose(written.GetDirection(), raw.GetDirection(), atol=1e-6)
    np.testing.assert_allclose(written.GetOrigin(), raw.GetOrigin(), atol=1e-5)
    np.testing.assert_allclose(written.GetSpacing(), raw.GetSpacing(), rtol=1e-6)


def test_a_mask_of_ours_is_written_as_one(tmp_path):
    note = {"geometry": Geometry.identity(2), "mask_of": "image – S³-Net"}
    save(tmp_path / "a.png", Labels(np.eye(8, dtype=int), metadata={"napari_s3net": note}))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").array, np.eye(8) * 255)
    save(tmp_path / "a.mha", Labels(np.eye(8, dtype=int), metadata={"napari_s3net": note}))
    np.testing.assert_array_equal(read_image(tmp_path / "a.mha").array, np.eye(8))


def test_any_other_layer_is_placed_by_its_own_transform(tmp_path):
    layer = Labels(np.ones((3, 8, 9), int), scale=(3.0, -0.6, 0.5), translate=(1.0, 2.0, 3.0))
    save(tmp_path / "a.nrrd", layer)
    geometry = read_image(tmp_path / "a.nrrd").geometry
    assert geometry.spacing == (3.0, 0.6, 0.5)
    assert geometry.origin == pytest.approx((1.0, 2.0 - 7 * 0.6, 3.0)), "read from its lower end"


@pytest.mark.parametrize("shape", [(8, 9), (3, 8, 9)])
def test_a_geometry_that_does_not_fit_is_left_out(tmp_path, shape):
    note = {"napari_s3net": {"geometry": Geometry.identity(5 - len(shape))}}
    save(tmp_path / "a.nii", Labels(np.ones(shape, int), scale=(2.0,) * len(shape), metadata=note))
    assert read_image(tmp_path / "a.nii").geometry.spacing == (2.0,) * len(shape)


def test_of_a_multiscale_layer_the_finest_level_is_saved(tmp_path):
    fine = np.arange(64).reshape(8, 8)
    save(tmp_path / "a.tif", Labels([fine, fine[::2, ::2]], multiscale=True))
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").array, fine)


def test_a_lazy_layer_is_saved(tmp_path):
    dask = pytest.importorskip("dask.array")
    save(tmp_path / "a.tif", Labels(dask.ones((8, 8), dtype=int, chunks=4)))
    assert read_image(tmp_path / "a.tif").array.all()


def test_attributes_may_be_missing(tmp_path):
    write_labels(str(tmp_path / "a.nii"), np.ones((4, 4), int), {})
    assert read_image(tmp_path / "a.nii").geometry.spacing == (1.0, 1.0)


def test_what_cannot_be_saved_says_why(tmp_path):
    with pytest.raises(WriteError, match="single plane"):
        save(tmp_path / "a.png", Labels(np.ones((2, 3, 8, 9), int)))
    with pytest.raises(WriteError, match=r"shape \(2, 2, 3, 8, 9\)"):
        save(tmp_path / "a.nii", Labels(np.ones((2, 2, 3, 8, 9), int)))


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nrrd", "a.mha"])
def test_a_series_of_volumes_is_saved_with_the_place_of_one(tmp_path, name):
    series = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5) % 7
    save(tmp_path / name, Labels(series, scale=(1, 3, 0.5, 0.7), translate=(0, 1, 2, 3), units=("s", "mm", "mm", "mm")))
    written = sitk.ReadImage(str(tmp_path / name))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(written), series)
    np.testing.assert_allclose(written.GetSpacing()[:3], (0.7, 0.5, 3), rtol=1e-6)
    np.testing.assert_allclose(written.GetOrigin()[:3], (3, 2, 1), rtol=1e-6)


def test_a_negative_scale_is_a_direction(tmp_path):
    layer = Labels(np.arange(24).reshape(2, 3, 4), scale=(3, -0.5, 0.7), units=("mm",) * 3)
    save(tmp_path / "a.mha", layer)
    written = sitk.ReadImage(str(tmp_path / "a.mha"))
    for point in ((0, 0, 0), (1, 2, 3)):
        place = written.TransformContinuousIndexToPhysicalPoint(tuple(map(float, point[::-1])))
        np.testing.assert_allclose(place[::-1], layer.data_to_world(point), atol=1e-6)


def test_what_is_left_out_of_a_transform_is_told(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(writer, "show_warning", told.append)
    save(tmp_path / "a.mha", Labels(np.eye(4, dtype=int), shear=[0.5], units=("mm", "mm"), name="mine"))
    assert "mine" in told[0]
    assert "sheared" in told[0]
    assert read_image(tmp_path / "a.mha").geometry.spacing == (1, 1)


@pytest.mark.viewer
@pytest.mark.parametrize("opened", [{}, {"translate": (5, 5, 5)}])
def test_labels_made_by_napari_take_the_place_of_the_image_they_lie_on(make_napari_viewer, tmp_path, scan, opened):
    viewer = make_napari_viewer()
    array, attributes, _ = layer_data(read_image(scan))
    viewer.add_image(array, **attributes, **opened)
    viewer._new_labels()
    labels = viewer.layers[-1]
    labels.data[...] = array % 7
    viewer.layers.selection = {labels}
    viewer.layers.save(str(tmp_path / "labels.nii"), selected=True, plugin="napari-s3net")
    raw, written = (sitk.ReadImage(str(path)) for path in (scan, tmp_path / "labels.nii"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(written), sitk.GetArrayFromImage(raw) % 7)
    np.testing.assert_allclose(written.GetDirection(), raw.GetDirection(), atol=1e-6)
    np.testing.assert_allclose(written.GetOrigin(), raw.GetOrigin(), atol=1e-5)


@pytest.mark.viewer
def test_an_open_image_is_not_replaced_by_labels(make_napari_viewer, scan):
    viewer = make_napari_viewer()
    viewer.open(str(scan), plugin="napari-s3net")
    before = scan.read_bytes()
    with pytest.raises(WriteError, match="is the image itself"):
        save(scan, Labels(np.ones((4, 12, 10), np.int32)))
    assert scan.read_bytes() == before


@pytest.mark.viewer
@pytest.mark.parametrize("name", ["a.nii.gz", "a.mha", "a.png", "a.tif"])
def test_napari_saves_through_ours(make_napari_viewer_proxy, tmp_path, name):
    viewer = make_napari_viewer_proxy()
    viewer.add_labels(np.eye(8, dtype=int) * 3)
    written = viewer.layers.save(str(tmp_path / name), plugin="napari-s3net")
    assert written == [str(tmp_path / name)]
    np.testing.assert_array_equal(read_image(tmp_path / name).array, np.eye(8) * 3)


@pytest.mark.parametrize("large", [70_000, 2_000_000_001])
@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".tif"])
def test_a_label_of_a_large_number_keeps_its_name(tmp_path, large, suffix):
    labels = np.zeros((6, 7), np.int32)
    labels[2, 3], labels[4] = large, 2
    features = {"index": [2, large], "name": ["Bone", "Cyst"]}
    layer = Labels(labels, features=features)
    write_labels(str(tmp_path / f"a{suffix}"), *layer.as_layer_data_tuple()[:2])
    back = read_labels(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(back.array, labels)
    assert back.names == {2: "Bone", large: "Cyst"}
