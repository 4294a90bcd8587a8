from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset

from napari_s3net.errors import ReadError, ReadWarning
from napari_s3net.io.dicom.header import read_header
from napari_s3net.io.dicom.planes import planes_of
from napari_s3net.io.dicom.value_scale import stored_range
from napari_s3net.io.values import Scale
from tests.io.made_files import hounsfield, make_dicom, make_slice


def planes(path, array=None, make=make_dicom, **elements):
    return planes_of(read_header(make(path, hounsfield() if array is None else array, **elements)))


def group(**elements):
    """A data set with elements, lists of data sets as sequences."""
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def test_a_slice(tmp_path):
    (plane,) = planes(
        tmp_path / "a", make=make_slice, height=12.0, spacing=(0.8, 0.6), RescaleSlope=2, RescaleIntercept=-1024
    )
    assert plane.spacing == (0.8, 0.6)
    assert plane.place.position.tolist() == [5, 6, 12]
    assert plane.place.axes.tolist() == [[1, 0, 0], [0, 1, 0]]
    assert plane.place.height == 12
    assert plane.thickness == 3
    assert plane.scale == Scale(2, -1024)
    assert not plane.turned
    assert not plane.is_localizer


@pytest.mark.parametrize(
    ("elements", "spacing", "said"),
    [
        ({"PixelSpacing": [0.8, 0.6]}, (0.8, 0.6), ""),
        ({"PixelSpacing": [0.8, 0.8], "ImagerPixelSpacing": [1, 1]}, (0.8, 0.8), ""),
        ({"ImagerPixelSpacing": [0.2, 0.3]}, (0.2, 0.3), "of the detector"),
        ({"ImagerPixelSpacing": [0.3, 0.3], "EstimatedRadiographicMagnificationFactor": 1.5}, (0.2, 0.2), ""),
        ({"NominalScannedPixelSpacing": [0.5, 0.5]}, (0.5, 0.5), ""),
        ({}, None, ""),
        ({"NumberOfFrames": 1, "FrameTime": 33, "SliceThickness": 5}, None, ""),
        ({"PixelSpacing": [0, 0]}, None, "cannot be understood"),
        ({"PixelSpacing": 0.5}, None, "cannot be understood"),
    ],
)
@pytest.mark.parametrize("modality", ["CR", "OT"])
def test_the_spacing_is_that_of_an_element_of_spacing(tmp_path, elements, spacing, said, recwarn, modality):
    (plane,) = planes(tmp_path / "a", Modality=modality, **elements)
    assert plane.spacing == (None if spacing is None else pytest.approx(spacing))
    assert [said in str(w.message) for w in recwarn] == [True] * bool(said)


def region(units=3, delta=0.02, spatial=1):
    return group(
        RegionSpatialFormat=spatial,
        PhysicalUnitsXDirection=units,
        PhysicalUnitsYDirection=units,
        PhysicalDeltaX=delta,
        PhysicalDeltaY=-2 * delta,
    )


@pytest.mark.parametrize(
    ("regions", "spacing"),
    [
        ([region()], (0.4, 0.2)),
        ([region(), region()], (0.4, 0.2)),
        ([region(), region(units=4, spatial=3)], (0.4, 0.2)),
        ([region(), region(delta=0.03)], None),
        ([region(units=0)], None),
        ([], None),
    ],
)
def test_ultrasound_is_calibrated_by_its_regions(tmp_path, regions, spacing):
    (plane,) = planes(tmp_path / "a", Modality="US", SequenceOfUltrasoundRegions=regions)
    assert plane.spacing == spacing
    (other,) = planes(tmp_path / "b", Modality="OT", SequenceOfUltrasoundRegions=regions)
    assert other.spacing is None


def test_frames_have_groups_of_their_own(tmp_path):
    frames = [
        group(
            PlanePositionSequence=[group(ImagePositionPatient=[0, 0, z])],
            PixelValueTransformationSequence=[group(RescaleSlope=z + 1, RescaleIntercept=-z, RescaleType="US")],
            FrameContentSequence=[group(TemporalPositionIndex=z)],
        )
        for z in (4, 0)
    ]
    shared = group(
        PixelMeasuresSequence=[group(PixelSpacing=[0.5, 0.4], SliceThickness=2.5)],
        PlaneOrientationSequence=[group(ImageOrientationPatient=[0, 1, 0, 0, 0, -1])],
    )
    one, other = planes(
        tmp_path / "a",
        np.stack([hounsfield(), hounsfield()]),
        PerFrameFunctionalGroupsSequence=frames,
        SharedFunctionalGroupsSequence=[shared],
    )
    assert one.spacing == other.spacing == (0.5, 0.4)
    assert one.thickness == 2.5
    assert one.place.position.tolist() == [0, 0, 4]
    assert other.place.position.tolist() == [0, 0, 0]
    assert one.place.axes.tolist() == [[0, 1, 0], [0, 0, -1]]
    assert (one.scale, other.scale) == (Scale(5, -4), Scale(1, 0))
    assert (one.tell("TemporalPositionIndex"), other.tell("TemporalPositionIndex")) == ("4", "0")


def test_frames_of_a_dose_lie_at_their_offsets(tmp_path):
    places = {"ImagePositionPatient": [1, 2, 3], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [2, 2]}
    found = planes(
        tmp_path / "a",
        np.stack([hounsfield().astype(np.uint16)] * 3),
        Modality="RTDOSE",
        DoseGridScaling="0.0025",
        GridFrameOffsetVector=[0, 2.5, 5],
        FrameIncrementPointer=0x3004000C,
        **places,
    )
    assert [plane.place.height for plane in found] == [3, 5.5, 8]
    assert found[0].scale == Scale(0.0025, 0)


def test_frames_of_a_film_have_no_place(tmp_path):
    found = planes(
        tmp_path / "a",
        np.stack([hounsfield()] * 3),
        make=make_slice,
        FrameTime=33.3,
        FrameIncrementPointer=0x00181063,
    )
    assert [plane.place for plane in found] == [None, None, None]


@pytest.mark.parametrize(
    ("elements", "turned", "said"),
    [
        ({"Modality": "DX"}, True, "are turned"),
        ({"Modality": "CR", "RescaleSlope": 1, "RescaleIntercept": 0}, True, "are turned"),
        ({"Modality": "CT"}, False, "left as they are"),
        ({"Modality": "MG", "RescaleSlope": 0.5, "RescaleIntercept": 0}, False, "left as they are"),
    ],
)
def test_where_white_is_zero_values_without_a_unit_are_turned(tmp_path, elements, turned, said):
    with pytest.warns(ReadWarning, match=said):
        (plane,) = planes(tmp_path / "a", PhotometricInterpretation="MONOCHROME1", **elements)
    assert plane.turned == turned


@pytest.mark.parametrize(
    ("stored", "dtype", "ends"),
    [(16, "u2", (0, 65535)), (12, "u2", (0, 4095)), (12, "i2", (-2048, 2047)), (99, "u1", (0, 255))],
)
def test_what_the_stored_bits_can_hold(tmp_path, stored, dtype, ends):
    header = read_header(make_dicom(tmp_path / "a", hounsfield().astype(dtype), BitsStored=stored))
    assert stored_range(header) == ends


@pytest.mark.parametrize("angles", [[1, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0], [2, 0, 0, 0, 2, 0]])
def test_axes_that_are_not_at_right_angles_are_none(tmp_path, angles):
    (plane,) = planes(tmp_path / "a", ImagePositionPatient=[0, 0, 0], ImageOrientationPatient=angles)
    assert plane.place is None


@pytest.mark.parametrize(
    ("elements", "said"),
    [
        ({}, "may not be Hounsfield units"),
        ({"RescaleSlope": 1, "RescaleIntercept": -1024}, ""),
        ({"RescaleSlope": 0, "RescaleIntercept": 0}, "its slope is zero"),
        ({"RescaleIntercept": -1024}, "no slope: its values may not"),
        ({"RescaleSlope": 1}, "no intercept: its values may not"),
        ({"Modality": "MR"}, ""),
        ({"RescaleSlope": 1, "RescaleIntercept": 0, "RescaleType": "HU"}, ""),
        ({"RescaleSlope": 1, "RescaleIntercept": 0, "RescaleType": "Z_EFF"}, "no Hounsfield units"),
    ],
)
def test_values_without_a_scale_are_no_hounsfield_units_in_silence(tmp_path, recwarn, elements, said):
    known = {"Modality": "CT", "RescaleSlope": "", "RescaleIntercept": "", **elements}
    (plane,) = planes(tmp_path / "a", make=make_slice, height=0.0, **known)
    assert plane.scale == Scale(1, elements.get("RescaleIntercept", 0))
    words = [str(w.message) for w in recwarn if issubclass(w.category, ReadWarning)]
    assert all(said in text for text in words)
    assert bool(words) == bool(said)


def test_a_slope_that_is_no_number_is_refused(tmp_path):
    path = make_slice(tmp_path / "a", hounsfield(), 0.0, RescaleSlope=1, RescaleIntercept=-102400)
    content = path.read_bytes()
    assert content.count(b"-102400") == 1
    path.write_bytes(content.replace(b"-102400", b"-102 HU"))
    with pytest.raises(ReadError, match="slope or intercept of its values is no number"):
        planes_of(read_header(path))
