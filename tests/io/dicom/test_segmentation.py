from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset

from napari_s3net.errors import HoldsLabelsError, ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.io.dicom.segmentation import read_segmentation
from napari_s3net.io.dicom.series import read_file
from napari_s3net.segments import Code, Segment
from tests.io.dicom.test_planes import group
from tests.io.made_files import hounsfield, make_dicom, make_slice

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
LEFT, RIGHT = np.zeros((2, 16, 16), np.uint8)
LEFT[2:9, 1:7] = 1
RIGHT[4:14, 8:15] = 1


def write_segmentation(path, frames, *, kind="BINARY", **elements):
    """A segmentation of (segment, height, mask) frames."""
    array = np.stack([mask for *_, mask in frames])
    per_frame = [
        group(
            PlanePositionSequence=[group(ImagePositionPatient=[1, 2, height])],
            SegmentIdentificationSequence=[group(ReferencedSegmentNumber=segment)],
        )
        for segment, height, _ in frames
    ]
    shared = group(
        PixelMeasuresSequence=[group(PixelSpacing=[0.5, 0.4], SliceThickness=2.5)],
        PlaneOrientationSequence=[group(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
    )
    bits = {
        "BitsAllocated": 1,
        "BitsStored": 1,
        "HighBit": 0,
        "PixelData": np.packbits(array, bitorder="little").tobytes(),
    }
    known = {
        "SOPClassUID": SEGMENTATION,
        "Modality": "SEG",
        "SegmentationType": kind,
        "SegmentSequence": [group(SegmentNumber=n, SegmentLabel=name) for n, name in ((1, "Left lung"), (2, "Right"))],
        "PerFrameFunctionalGroupsSequence": per_frame,
        "SharedFunctionalGroupsSequence": [shared],
    }
    return make_dicom(path, array, **{**known, **(bits if kind == "BINARY" else {}), **elements})


def test_segments_become_labels_on_an_even_grid(tmp_path):
    frames = [(1, 5.0, LEFT), (2, 0.0, RIGHT), (2, 7.5, RIGHT), (1, 0.0, LEFT)]
    array, geometry, segments = read_segmentation(write_segmentation(tmp_path / "a", frames))
    expected = np.zeros((4, 16, 16), int)
    expected[0] = LEFT + 2 * RIGHT
    expected[2] = LEFT
    expected[3] = 2 * RIGHT
    np.testing.assert_array_equal(array, expected)
    assert geometry.spacing == (2.5, 0.5, 0.4)
    assert geometry.origin == (0.0, 2.0, 1.0)
    assert segments == [Segment(1, "Left lung"), Segment(2, "Right")]


def test_where_segments_overlap_the_higher_number_stays_with_a_word(tmp_path):
    path = write_segmentation(tmp_path / "a", [(2, 0.0, RIGHT), (1, 0.0, np.ones_like(LEFT))])
    with pytest.warns(ReadWarning, match="overlap"):
        array, _, _ = read_segmentation(path)
    np.testing.assert_array_equal(array, np.where(RIGHT, 2, 1))


def test_shares_count_from_half_on(tmp_path):
    shares = np.array([[0, 99, 100, 200]] * 4, np.uint8)
    path = write_segmentation(tmp_path / "a", [(1, 0.0, shares)], kind="FRACTIONAL", MaximumFractionalValue=200)
    np.testing.assert_array_equal(read_segmentation(path)[0], [[0, 0, 1, 1]] * 4)


def test_a_label_map(tmp_path):
    maps = [(1, 2.5 * i, LEFT * 3 + RIGHT * (4 + i)) for i in range(2)]
    path = write_segmentation(tmp_path / "a", maps, kind="LABELMAP", SOPClassUID="1.2.840.10008.5.1.4.1.1.66.7")
    np.testing.assert_array_equal(read_segmentation(path)[0], [LEFT * 3 + RIGHT * 4, LEFT * 3 + RIGHT * 5])


def test_a_segmentation_is_no_image_and_an_image_no_segmentation(tmp_path):
    path = write_segmentation(tmp_path / "a", [(1, 0.0, LEFT)])
    with pytest.raises(HoldsLabelsError, match="read_labels"):
        read_file(path, None, "a")
    with pytest.raises(UnsupportedFormatError, match="no segmentation"):
        read_segmentation(make_slice(tmp_path / "b", hounsfield()))


def test_frames_on_no_grid_or_of_no_segment_are_refused(tmp_path):
    uneven = [(1, height, LEFT) for height in (0.0, 2.5, 6.3)]
    with pytest.raises(ReadError, match="even grid"):
        read_segmentation(write_segmentation(tmp_path / "a", uneven))
    path = write_segmentation(tmp_path / "b", [(1, 0.0, LEFT)], PerFrameFunctionalGroupsSequence=[Dataset()])
    with pytest.raises(UnsupportedFormatError, match="where they lie"):
        read_segmentation(path)


def test_segmentations_of_highdicom(tmp_path):
    highdicom = pytest.importorskip("highdicom")
    from pydicom.sr.codedict import codes
    from pydicom.uid import generate_uid

    empty = ("PatientBirthDate", "PatientSex", "AccessionNumber", "ReferringPhysicianName")
    needed = {
        "FrameOfReferenceUID": "1.2.4",
        "PatientID": "1",
        "StudyID": "1",
        "StudyDate": "20200101",
        "StudyTime": "10",
    }
    needed = {**needed, **dict.fromkeys(empty, "")}
    sources = [make_slice(tmp_path / f"{i}", hounsfield(), 3.0 * i, InstanceNumber=i + 1, **needed) for i in range(3)]
    import pydicom

    mask = np.zeros((3, 24, 20), np.uint8)
    mask[1:, 5:9, 7:15] = 1
    description = highdicom.seg.SegmentDescription(
        1, "Lung", codes.SCT.Organ, codes.SCT.Lung, highdicom.seg.SegmentAlgorithmTypeValues.MANUAL
    )
    description.RecommendedDisplayCIELabValue = list(highdicom.color.CIELabColor.from_rgb(25, 195, 242).value)
    datasets = [pydicom.dcmread(path) for path in sources]
    maker = ("maker", "model", "1", "1")
    written = highdicom.seg.Segmentation(
        datasets, mask, "BINARY", [description], generate_uid(), 1, generate_uid(), 1, *maker
    )
    written.save_as(tmp_path / "seg.dcm")
    array, geometry, segments = read_segmentation(tmp_path / "seg.dcm")
    np.testing.assert_array_equal(array, mask[1:])
    assert geometry.spacing == (3.0, 0.7, 0.7)
    assert geometry.origin[0] == 3.0
    known = Code("91772007", "Organ"), Code("39607008", "Lung")
    assert [(one.label, one.name, one.colour) for one in segments] == [(1, "Lung", (25, 195, 242))]
    assert segments[0].codes == known


@pytest.mark.parametrize("step", [0.625, 1.0 / 3])
def test_many_slices_that_are_no_hundredths_of_a_millimetre_apart(tmp_path, step):
    """Distances are not rounded: that would be 2.5 mm at the hundredth slice."""
    heights = [round(step * n, 3) for n in range(200) if n not in (7, 8)]
    path = write_segmentation(tmp_path / "a", [(1, height, LEFT) for height in heights])
    array, geometry, _ = read_segmentation(path)
    assert len(array) == 200
    assert array.any(axis=(1, 2)).sum() == 198
    assert geometry.spacing[0] == pytest.approx(step, rel=1e-4)


def test_slices_without_a_frame_are_found_where_the_distance_is_told(tmp_path):
    shared = group(
        PixelMeasuresSequence=[group(PixelSpacing=[0.5, 0.4], SliceThickness=1.0, SpacingBetweenSlices=2.5)],
        PlaneOrientationSequence=[group(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
    )
    frames = [(1, 0.0, LEFT), (2, 5.0, RIGHT)]
    path = write_segmentation(tmp_path / "a", frames, SharedFunctionalGroupsSequence=[shared])
    array, geometry, _ = read_segmentation(path)
    assert (len(array), geometry.spacing[0]) == (3, 2.5)
    np.testing.assert_array_equal(array, np.stack([LEFT, 0 * LEFT, 2 * RIGHT]))
