"""Sizes in a TIFF: those for measuring count, those for printing do not."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
import tifffile

from napari_s3net.errors import InvalidImageError, ReadWarning
from napari_s3net.image import Geometry
from napari_s3net.io import read_image, read_labels, read_stack, write_labels
from napari_s3net.io.on_image import read_labels_on
from napari_s3net.io.tiff import read_tiff
from napari_s3net.io.tiff_sizes import sizes_of
from napari_s3net.runtime import child_pool
from tests.io.made_files import phantom

STACK = phantom((5, 24, 32), np.uint8)
PLANE = STACK[0]


@pytest.fixture(scope="module", autouse=True)
def one_child():
    yield
    child_pool.close_all()


def write_ome(path, array=STACK, *, axes="ZYX", x=0.25, y=0.5, z=2.0, unit="µm", **more):
    sizes = {f"PhysicalSize{axis}": size for axis, size in zip("XYZ", (x, y, z), strict=True) if size is not None}
    units = {} if unit is None else {f"{key}Unit": unit for key in sizes}
    metadata = {"axes": axes, **sizes, **units, **more}
    tifffile.imwrite(path, array, ome=True, photometric="minisblack", metadata=metadata)
    return path


def write_imagej(path, array=STACK, *, axes="ZYX", resolution=(4, 2), **metadata):
    tifffile.imwrite(path, array, imagej=True, resolution=resolution, metadata={"axes": axes, **metadata})
    return path


@pytest.mark.parametrize(
    ("unit", "factor"), [("µm", 1e-3), (None, 1e-3), ("nm", 1e-6), ("mm", 1.0), ("cm", 10.0), ("m", 1e3)]
)
def test_sizes_of_ome_are_millimetres(tmp_path, recwarn, unit, factor):
    image = read_tiff(write_ome(tmp_path / "a.ome.tif", unit=unit), "a")
    assert image.geometry.unit == "mm"
    np.testing.assert_allclose(image.geometry.spacing, np.array((2.0, 0.5, 0.25)) * factor)
    np.testing.assert_array_equal(image.array, STACK)
    assert not recwarn.list


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("um", 1e-3), ("micron", 1e-3), ("\\u00B5m", 1e-3), ("microns", 1e-3), ("nm", 1e-6), ("cm", 10)],
)
def test_sizes_of_imagej_are_millimetres(tmp_path, recwarn, unit, factor):
    image = read_tiff(write_imagej(tmp_path / "a.tif", unit=unit, spacing=-2.0), "a")
    assert image.geometry.unit == "mm"
    np.testing.assert_allclose(image.geometry.spacing, np.array((2.0, 0.5, 0.25)) * factor)
    assert not recwarn.list


def test_the_sizes_of_a_plane_need_no_distance(tmp_path):
    for path in (
        write_ome(tmp_path / "a.ome.tif", PLANE, axes="YX", z=None),
        write_imagej(tmp_path / "b.tif", PLANE, axes="YX", unit="um"),
    ):
        image = read_tiff(path, "a")
        assert (image.geometry.unit, image.geometry.spacing) == ("mm", (0.0005, 0.00025))


@pytest.mark.parametrize(
    "told",
    [
        {"unit": "pixel"},
        {"unit": "reference frame"},
        {"x": None},
        {"y": 0.0},
        {"x": float("nan")},
        {"x": float("inf")},
    ],
)
def test_sizes_of_ome_that_are_not_clear_are_pixels(tmp_path, told):
    image = read_tiff(write_ome(tmp_path / "a.ome.tif", **told), "a")
    assert image.geometry == Geometry.identity(3)


@pytest.mark.parametrize(
    ("resolution", "metadata"),
    [
        ((4, 4), {}),
        ((4, 4), {"unit": "pixel", "spacing": 2}),
        ((72, 72), {"unit": "inch", "spacing": 1}),
        ((28.346, 28.346), {"unit": "cm", "spacing": 1}),
        ((118.11, 118.11), {"unit": "cm", "spacing": 1}),
        ((4, 4), {"unit": "um", "yunit": "mm", "spacing": 1}),
        ((4, 0), {"unit": "um", "spacing": 1}),
    ],
)
def test_sizes_of_imagej_that_are_not_clear_are_pixels(tmp_path, resolution, metadata):
    image = read_tiff(write_imagej(tmp_path / "a.tif", resolution=resolution, **metadata), "a")
    assert image.geometry == Geometry.identity(3)


@pytest.mark.parametrize("unit", ["INCH", "CENTIMETER"])
def test_the_resolution_for_printing_is_no_size(tmp_path, unit):
    tifffile.imwrite(tmp_path / "a.tif", PLANE, resolution=(300, 300), resolutionunit=unit)
    assert read_tiff(tmp_path / "a.tif", "a").geometry == Geometry.identity(2)


@pytest.mark.parametrize("kind", ["ome", "imagej", "times"])
def test_planes_that_do_not_tell_how_far_apart_they_lie_are_in_pixels_with_a_word(tmp_path, kind):
    if kind == "imagej":
        path = write_imagej(tmp_path / "a.tif", unit="um")
    else:
        path = write_ome(tmp_path / "a.ome.tif", axes="TYX" if kind == "times" else "ZYX", z=None)
    with pytest.warns(ReadWarning) as caught:
        assert read_tiff(path, "a").geometry == Geometry.identity(3)
    assert any("in pixels, each 0.00025 × 0.0005 mm" in str(one.message) for one in caught)


@pytest.mark.parametrize("alike", [True, False])
def test_of_several_images_of_one_size_the_sizes_have_to_be_one(tmp_path, alike):
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as writer:
        for size in (0.25, 0.25 if alike else 0.5):
            writer.write(PLANE, metadata={"axes": "YX", "PhysicalSizeX": size, "PhysicalSizeY": size})
        writer.write(PLANE[:9, :9], metadata={"axes": "YX", "PhysicalSizeX": 9, "PhysicalSizeY": 9})
    with pytest.warns(ReadWarning, match="3 images"):
        geometry = read_tiff(tmp_path / "a.ome.tif", "a").geometry
    assert geometry.spacing == ((0.00025, 0.00025) if alike else (1.0, 1.0))


def test_the_sizes_of_an_image_on_its_side_go_with_it(tmp_path):
    path = tmp_path / "a.tif"
    tags = [(274, "H", 1, 6, True)]
    tifffile.imwrite(path, PLANE, imagej=True, resolution=(4, 2), metadata={"unit": "um"}, extratags=tags)
    image = read_tiff(path, "a")
    assert (image.shape, image.geometry.spacing) == ((32, 24), (0.00025, 0.0005))


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha", ".tif"])
def test_labels_keep_the_sizes_and_lie_on_their_image(tmp_path, suffix):
    image = read_image(write_ome(tmp_path / "a.ome.tif"))
    write_labels(tmp_path / f"labels{suffix}", STACK > 5, image.geometry)
    np.testing.assert_allclose(read_labels(tmp_path / f"labels{suffix}").geometry.spacing, image.geometry.spacing)
    np.testing.assert_array_equal(
        read_labels_on(image, tmp_path / "a.ome.tif", tmp_path / f"labels{suffix}").array, STACK > 5
    )
    if suffix == ".tif":  # as Fiji and ITK read it, which know a plane's pixels
        np.testing.assert_allclose(sitk.ReadImage(str(tmp_path / "labels.tif")).GetSpacing()[:2], (0.00025, 0.0005))


@pytest.mark.parametrize("size", [1e-12, 1e-9, 5e-7, 0.1234567, 1e9])
def test_labels_of_any_size_are_written_as_tiff(tmp_path, size):
    flat = Geometry.identity(2)
    geometry = Geometry((size, 2 * size), flat.origin, flat.direction, "mm")
    write_labels(tmp_path / "a.tif", PLANE, geometry)
    assert read_labels(tmp_path / "a.tif").geometry == geometry


def test_a_resolution_that_is_no_ratio_tells_nothing(tmp_path):
    path = write_imagej(tmp_path / "a.tif", PLANE, axes="YX", unit="um")
    with tifffile.TiffFile(path, mode="r+") as file:
        for tag in ("XResolution", "YResolution"):
            file.pages[0].tags[tag].overwrite(4, dtype="I")
    assert read_tiff(path, "a").geometry == Geometry.identity(2)


def test_labels_in_a_tiff_know_no_place_and_count_by_their_size(tmp_path):
    placed = sitk.GetImageFromArray(STACK)
    placed.SetOrigin((10, 20, 30))
    sitk.WriteImage(placed, str(tmp_path / "scan.mha"))
    image = read_image(tmp_path / "scan.mha")
    for n, spacing in ((5, 1.0), (4, 1.0)):
        write_imagej(tmp_path / "labels.tif", STACK[:n], resolution=(1, 1), unit="mm", spacing=spacing)
        if n == 5:
            laid = read_labels_on(image, tmp_path / "scan.mha", tmp_path / "labels.tif")
            np.testing.assert_array_equal(laid.array, STACK)
    with pytest.raises(InvalidImageError, match="4 slices of 32 × 24 pixels"):
        read_labels_on(image, tmp_path / "scan.mha", tmp_path / "labels.tif")


def test_planes_of_several_files_do_not_tell_how_far_apart_they_lie(tmp_path):
    paths = [write_ome(tmp_path / f"{n}.ome.tif", STACK[n], axes="YX", z=None) for n in range(3)]
    with pytest.warns(ReadWarning, match=r"how far apart they lie: sizes are in pixels, each 0.0005 × 0.00025 mm"):
        assert read_stack(paths).geometry == Geometry.identity(3)


@pytest.mark.filterwarnings("ignore:.*it holds 2 images")
@pytest.mark.parametrize(("told", "size"), [("|AppMag = 20|MPP = 0.4990|Left = 25", 0.499e-3), ("|AppMag = 20", None)])
def test_a_slide_in_svs_tells_micrometres_a_pixel(tmp_path, told, size):
    slide, small = (np.stack([phantom(shape, np.uint8)] * 3, axis=-1) for shape in ((96, 64), (24, 16)))
    with tifffile.TiffWriter(tmp_path / "a.svs") as file:
        for array, text in ((slide, f"64x96 (32x32) JPEG/RGB Q=30{told}"), (small, "64x96 -> 16x24 -|MPP = 1.996")):
            about = f"Aperio Image Library v11.2.1 \r\n{text}"
            file.write(array, tile=(32, 32), photometric="rgb", description=about, metadata=None)
    image = read_image(tmp_path / "a.svs")
    np.testing.assert_array_equal(image.array, slide)
    assert image.geometry.unit == ("mm" if size else "pixel")
    assert image.geometry.spacing == pytest.approx((size or 1.0,) * 2)


def test_an_lsm_tells_metres():
    series = SimpleNamespace(kind="lsm")
    told = {"VoxelSizeX": 2.5e-7, "VoxelSizeY": 5e-7, "VoxelSizeZ": 2e-6}
    assert sizes_of(SimpleNamespace(lsm_metadata=told), series) == pytest.approx({"X": 25e-5, "Y": 5e-4, "Z": 2e-3})
    assert sizes_of(SimpleNamespace(lsm_metadata={**told, "VoxelSizeY": 0.0}), series) == {}
    assert sizes_of(SimpleNamespace(lsm_metadata=None), series) == {}
