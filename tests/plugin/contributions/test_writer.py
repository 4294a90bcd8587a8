from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from napari.layers import Labels

from napari_s3net.errors import WriteError
from napari_s3net.image import Geometry
from napari_s3net.io import read_image
from napari_s3net.plugin.contributions.reader import layer_data
from napari_s3net.plugin.contributions.writer import write_labels
from napari_s3net.runtime import child_process as process


@pytest.fixture(scope="module", autouse=True)
def one_child():
    yield
    process.close_all()


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


def test_any_other_layer_is_placed_by_its_scale_and_translation(tmp_path):
    layer = Labels(np.ones((3, 8, 9), int), scale=(3.0, -0.6, 0.5), translate=(1.0, 2.0, 3.0))
    save(tmp_path / "a.nrrd", layer)
    geometry = read_image(tmp_path / "a.nrrd").geometry
    assert geometry.spacing == (3.0, 0.6, 0.5)
    assert geometry.origin == (1.0, 2.0, 3.0)


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
        save(tmp_path / "a.png", Labels(np.ones((3, 8, 9), int)))
    with pytest.raises(WriteError, match=r"shape \(2, 3, 8, 9\)"):
        save(tmp_path / "a.nii", Labels(np.ones((2, 3, 8, 9), int)))


@pytest.mark.viewer
@pytest.mark.parametrize("name", ["a.nii.gz", "a.mha", "a.png", "a.tif"])
def test_napari_saves_through_ours(make_napari_viewer_proxy, tmp_path, name):
    viewer = make_napari_viewer_proxy()
    viewer.add_labels(np.eye(8, dtype=int) * 3)
    written = viewer.layers.save(str(tmp_path / name), plugin="napari-s3net")
    assert written == [str(tmp_path / name)]
    np.testing.assert_array_equal(read_image(tmp_path / name).array, np.eye(8) * 3)
