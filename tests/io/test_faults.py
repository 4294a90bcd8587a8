"""Every row of the list of inputs that went wrong: what should come is in its README."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import tifffile

from napari_s3net.errors import ReadError, ReadWarning
from napari_s3net.io import child

FAULTS = Path(__file__).parents[3] / "shared" / "data" / "faults"


def opened(name):
    """The image, and what was said of it."""
    if not FAULTS.exists():
        pytest.skip("the development data are not here")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        image = child.decode(FAULTS / name)
    return image, " ".join(str(warning.message) for warning in said if issubclass(warning.category, ReadWarning))


def stored(name):
    """The numbers of a DICOM file as they are stored, by pydicom."""
    return pydicom.dcmread(FAULTS / name).pixel_array


def slices(folder, *names):
    """The values of DICOM slices, each by its own slope."""
    datasets = [pydicom.dcmread(FAULTS / folder / name) for name in names]
    return np.stack([d.pixel_array * float(d.RescaleSlope) + float(d.RescaleIntercept) for d in datasets])


#: Name, values, spacing, unit, and a part of what is said.
OPENED = [
    ("fill_double_max.tif", lambda: tifffile.imread(FAULTS / "fill_double_max.tif"), (1, 1), "pixel", ""),
    (
        "series_two_slopes",
        lambda: slices("series_two_slopes", *(f"s{i}.dcm" for i in range(5))),
        (2.5, 0.8, 0.8),
        "mm",
        "",
    ),
    (
        "series_with_scout",
        lambda: slices("series_with_scout", *(f"s{i}.dcm" for i in range(8))),
        (2.5, 0.8, 0.8),
        "mm",
        "left out (of another orientation or spacing): scout.dcm",
    ),
    ("monochrome1.dcm", lambda: 65535 - stored("monochrome1.dcm"), (0.8, 0.8), "mm", "MONOCHROME1"),
    ("cr_pixelspacing_only.dcm", lambda: stored("cr_pixelspacing_only.dcm"), (0.8, 0.8), "mm", ""),
    ("dicom_tiff_preamble.dcm", lambda: 65535 - stored("dicom_tiff_preamble.dcm"), (0.8, 0.8), "mm", "MONOCHROME1"),
    (
        "tiff_preview_then_stack.tif",
        lambda: tifffile.imread(FAULTS / "tiff_preview_then_stack.tif", series=1),
        (1, 1, 1),
        "pixel",
        "the largest is opened",
    ),
    (
        "detached_mhd/scan.mhd",
        lambda: sitk.GetArrayFromImage(sitk.ReadImage(str(FAULTS / "detached_mhd" / "scan.mhd"))),
        (0.5, 0.5),
        "mm",
        "",
    ),
    *(
        (f"one_image_dicoms/mole_{i}.dcm", lambda i=i: stored(f"one_image_dicoms/mole_{i}.dcm"), (1, 1), "pixel", "")
        for i in ("A17", "B03", "C99", "D42")
    ),
]


@pytest.mark.parametrize(("name", "values", "spacing", "unit", "words"), OPENED, ids=[row[0] for row in OPENED])
def test_it_opens_with_its_own_values_and_spacing(name, values, spacing, unit, words):
    image, said = opened(name)
    np.testing.assert_array_equal(image.array, values())
    assert image.geometry.spacing == spacing
    assert image.geometry.unit == unit
    assert words in said
    assert bool(words) == bool(said)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("series_with_duplicates", "nothing tells them apart: IM0001 and IM0002"),
        ("dicom_too_few_pixels.dcm", "promises 18 kB, the file has 3 kB"),
        ("one_image_dicoms", "4 DICOM images that stand for themselves"),
    ],
)
def test_it_is_refused_with_the_reason(name, words):
    with pytest.raises(ReadError, match=words):
        opened(name)


def test_a_tilted_series_is_sheared_upright():
    image, said = opened("series_tilted_30")
    assert "tilted by 30°" in said
    assert image.geometry.spacing == (2.5, 0.8, 0.8)
    assert image.shape == (6, 106, 96)
    assert image.geometry.origin == pytest.approx((0, -7.216878, 0), abs=1e-5)


def test_of_two_placings_the_sform_is_used():
    import nibabel

    image, said = opened("nifti_two_frames.nii.gz")
    assert "the sform is used" in said
    form = nibabel.load(FAULTS / "nifti_two_frames.nii.gz").get_sform()
    voxel = np.linalg.solve(form, [*(np.array(image.geometry.origin[::-1]) * (-1, -1, 1)), 1])[:3].round().astype(int)
    values = np.asarray(nibabel.load(FAULTS / "nifti_two_frames.nii.gz").dataobj)
    assert image.array[0, 0, 0] == values[tuple(voxel)]


def test_of_a_vector_image_the_first_component_is_opened_with_its_scale():
    import nibabel

    image, said = opened("nifti_scaled_vector.nii.gz")
    assert "3 values a voxel; the first is opened" in said
    expected = np.asarray(nibabel.load(FAULTS / "nifti_scaled_vector.nii.gz").dataobj)[:, :, :, 0, 0].T
    np.testing.assert_array_equal(np.sort(image.array, axis=None), np.sort(expected, axis=None))
