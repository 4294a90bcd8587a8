from __future__ import annotations

import subprocess
import sys

import nibabel
import numpy as np
import PIL.Image
import pytest
import SimpleITK as sitk
import tifffile
from napari.layers import Image as ImageLayer

from napari_s3net.errors import ReadError, UnsupportedFormatError
from napari_s3net.image import Geometry, Image
from napari_s3net.io import read_image
from napari_s3net.plugin.contributions.reader import contrast_limits, get_reader, layer_data
from napari_s3net.plugin.layers.source import source_of
from napari_s3net.runtime import child_pool
from napari_s3net.settings import preset_settings
from tests.io.dicom.test_segmentation import LEFT, RIGHT, write_segmentation

RGB = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)


@pytest.fixture(scope="module", autouse=True)
def one_child():
    yield
    child_pool.close_all()


@pytest.fixture
def photo(tmp_path):
    PIL.Image.fromarray(RGB).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def scan(tmp_path):
    image = sitk.GetImageFromArray(np.arange(480, dtype=np.int16).reshape(4, 12, 10))
    image.SetSpacing((0.5, 0.6, 3.0))
    image.SetDirection((-1, 0, 0, 0, 1, 0, 0, 0, 1))
    sitk.WriteImage(image, str(tmp_path / "scan.nii.gz"))
    return tmp_path / "scan.nii.gz"


def opened(path):
    return get_reader(path)(path)


def test_a_photograph(photo):
    ((data, attributes, kind),) = opened(str(photo))
    np.testing.assert_array_equal(data, RGB)
    assert kind == "image"
    assert attributes["name"] == "photo"
    assert attributes["rgb"]
    assert attributes["scale"] == (1.0, 1.0)
    assert attributes["units"] == ("pixel", "pixel")
    assert "contrast_limits" not in attributes


@pytest.mark.parametrize("name", ["heart.nii.gz", "heart.mha", "heart.nrrd"])
def test_a_time_series_has_a_slider_of_time(tmp_path, recwarn, name):
    volumes = np.stack([np.arange(480, dtype=np.int16).reshape(4, 12, 10) * n for n in (1, 2, 3)])
    if name == "heart.nii.gz":
        placing = np.diag([-0.5, -0.6, 3.0, 1.0])
        nibabel.save(nibabel.Nifti1Image(volumes.transpose(3, 2, 1, 0), placing), tmp_path / name)
    else:
        image = sitk.GetImageFromArray(volumes, isVector=False)
        image.SetSpacing([0.5, 0.6, 3.0, 1.0])
        sitk.WriteImage(image, str(tmp_path / name))
    ((data, attributes, _),) = opened(str(tmp_path / name))
    np.testing.assert_array_equal(data, volumes)
    layer = ImageLayer(data, **attributes)
    np.testing.assert_allclose(layer.scale, (1.0, 3.0, 0.6, 0.5), rtol=1e-6)
    source = source_of(layer, (2, 0, 0, 0), (2, 3))
    assert (source.key.time, source.slices) == (2, 4)
    assert source.stack_geometry == read_image(tmp_path / name, time=2).geometry
    assert not source.problem
    assert not recwarn


def test_a_volume_has_its_scale_in_mm_and_no_affine(scan):
    ((data, attributes, _),) = opened(str(scan))
    assert data.shape == (4, 12, 10)
    np.testing.assert_allclose(attributes["scale"], (3.0, 0.6, 0.5))
    assert attributes["units"] == ("mm",) * 3
    assert not {"affine", "rotate", "shear"} & set(attributes)
    kept = attributes["metadata"]["napari_s3net"]
    assert kept["kind"] == "grey"
    assert isinstance(kept["geometry"], Geometry)
    assert kept["geometry"].orientation == "RPS"


def test_napari_takes_what_the_reader_gives(photo, scan):
    from napari.layers import Layer

    for path in (photo, scan):
        for data in opened(str(path)):
            layer = Layer.create(*data)
            assert layer.metadata["napari_s3net"]["geometry"].ndim == layer.ndim
            assert tuple(layer.scale) == pytest.approx(data[1]["scale"])


def test_several_planes_are_one_stack(photo):
    ((data, attributes, _),) = opened([str(photo), str(photo), str(photo)])
    assert data.shape == (3, 20, 30, 3)
    assert attributes["rgb"]
    assert attributes["scale"] == (1.0, 1.0, 1.0)
    ((data, _, _),) = opened([str(photo)])
    assert data.shape == (20, 30, 3)


def test_planes_that_do_not_fit_together_are_refused(photo, scan):
    with pytest.raises(ReadError, match="as a stack"):
        opened([str(photo), str(scan)])


@pytest.mark.parametrize("path", ["https://example.org/a.png", "a.npy", "folder.zarr", "missing", "notes.txt", []])
def test_what_is_not_ours_is_left_to_others(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.zarr").mkdir()
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    np.save(tmp_path / "a.npy", RGB)
    assert get_reader(path) is None
    assert get_reader([path, path] if path else []) is None


def test_a_file_of_ours_is_known_by_its_content_too(photo):
    photo.rename(photo.with_name("nameless"))
    ((data, _, _),) = opened(str(photo.with_name("nameless")))
    np.testing.assert_array_equal(data, RGB)


def test_a_damaged_file_is_claimed_and_says_what_is_wrong(tmp_path, photo):
    photo.write_bytes(photo.read_bytes()[:100])
    (tmp_path / "empty.nii.gz").touch()
    with pytest.raises(ReadError, match=r"Cannot read photo\.png: its header or its pixels are damaged"):
        opened(str(photo))
    with pytest.raises(ReadError, match=r"Cannot read empty\.nii\.gz: the file is empty"):
        opened(str(tmp_path / "empty.nii.gz"))
    with pytest.raises(UnsupportedFormatError, match="holds no DICOM images"):
        opened(str(tmp_path))


def image_of(array, kind="grey"):
    return Image(array, Geometry.identity(array.ndim), kind)


def test_the_window_of_a_ct_is_that_of_its_preset():
    soft = np.full((64, 64), 40, np.int16)
    soft[:4] = -1000
    lung = soft.copy()
    lung[20:50, 10:50] = -800
    for array, name in ((soft, "ct-soft"), (lung, "ct-lung")):
        window = preset_settings(name)
        assert contrast_limits(image_of(array, "ct")) == (window.window_low, window.window_high)


@pytest.mark.parametrize(
    ("array", "low", "high"),
    [
        (np.arange(100, dtype=np.uint8).reshape(10, 10), 0, 255),
        (np.arange(1001, dtype=np.uint16).reshape(7, 143), 5, 995),
        (np.append(np.linspace(0, 1, 999), 1e9).reshape(10, 100), 0, 1),
        (np.full((8, 8), 3.0), 3, 4),
        (np.full((8, 8), np.nan), 0, 1),
        (np.array([[np.nan, 0.0], [1.0, np.inf]]), 0, 1),
    ],
)
def test_the_window_of_any_other_image(array, low, high):
    limits = contrast_limits(image_of(array))
    assert limits == pytest.approx((low, high), abs=0.02)
    assert limits[0] < limits[1]


def test_a_large_volume_is_sampled(monkeypatch):
    asked = []
    percentile = np.percentile
    monkeypatch.setattr(np, "percentile", lambda values, *how: asked.append(values.size) or percentile(values, *how))
    contrast_limits(image_of(np.zeros((40, 300, 300), np.uint16)))
    assert asked[0] < 2_000_000


def test_colours_of_16_bits(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", RGB.astype(np.uint16) * 257, photometric="rgb")
    ((data, attributes, _),) = opened(str(tmp_path / "a.tif"))
    assert data.dtype == np.uint16
    assert attributes["rgb"]


def test_layer_data_keeps_what_the_dock_needs():
    _, attributes, _ = layer_data(image_of(np.zeros((8, 8), np.uint8), "mr"))
    assert attributes["metadata"] == {"napari_s3net": {"geometry": Geometry.identity(2), "kind": "mr"}}


def test_opening_a_photograph_loads_neither_torch_nor_simpleitk(photo):
    code = (
        "import sys; from napari_s3net.plugin.contributions.reader import get_reader; "
        "p = sys.argv[1]; get_reader(p)(p); "
        "assert not {'torch', 'SimpleITK', 'qtpy', 'napari'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, photo], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.viewer
def test_napari_shows_the_message_and_stays_as_it_was(make_napari_viewer_proxy, tmp_path, photo):
    from napari._qt.dialogs.qt_reader_dialog import QtReaderDialog, handle_gui_reading
    from napari.errors import ReaderPluginError
    from napari.utils.notifications import Notification

    viewer = make_napari_viewer_proxy()
    (tmp_path / "scan.nii.gz").touch()
    for path, layers in ((photo, 1), (tmp_path / "scan.nii.gz", 1)):
        if path == photo:
            viewer.open(str(path), plugin="napari-s3net")
        else:
            with pytest.raises(ReadError) as caught:
                viewer.open(str(path), plugin="napari-s3net")
            assert Notification.from_exception(caught.value).message == (
                "Cannot read scan.nii.gz: the file is empty (0 bytes)."
            )
        assert len(viewer.layers) == layers
    # Where ours is the remembered reader, napari offers the others, and says what ours found.
    shown = []
    error = ReaderPluginError("failed", "napari-s3net", [str(path)], original_error=caught.value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QtReaderDialog, "__init__", lambda _, **how: shown.append(how["error_message"]))
        patch.setattr(QtReaderDialog, "get_user_choices", lambda _: ("", False))
        handle_gui_reading([str(path)], None, False, "napari-s3net", error)
    assert "Cannot read scan.nii.gz: the file is empty (0 bytes)." in shown[0]


def test_a_dicom_segmentation_is_a_labels_layer(tmp_path):
    from napari.layers import Labels, Layer

    path = write_segmentation(tmp_path / "lungs.dcm", [(1, 0.0, LEFT), (2, 0.0, RIGHT), (2, 2.5, RIGHT)])
    ((data, attributes, kind),) = opened(str(path))
    np.testing.assert_array_equal(data, [LEFT + 2 * RIGHT, 2 * RIGHT])
    assert kind == "labels"
    layer = Layer.create(data, attributes, kind)
    assert isinstance(layer, Labels)
    assert layer.name == "lungs"
    assert tuple(layer.scale) == (2.5, 0.5, 0.4)
    assert list(layer.features["name"]) == ["Left lung", "Right"]
