"""A structure set for radiotherapy's systems: contours that hold the labels, on the series they were made of."""

import numpy as np
import pytest
from skimage.draw import polygon2mask

from napari_s3net.errors import WriteError
from napari_s3net.io import read_image
from napari_s3net.io.dicom import write_contours
from napari_s3net.io.dicom.write_contours import write_dicom_contours
from napari_s3net.segments import Segment
from tests.io.dicom.test_write_segmentation import MORE, SEGMENTS, close_children, labels_of, series
from tests.io.made_files import hounsfield, make_slice

pytest.importorskip("plastimatch")
pydicom = pytest.importorskip("pydicom")
__all__ = ["close_children", "series"]


def filled(found, number, image):
    """The voxels inside the contours of a structure, in array order."""
    spacing, origin = np.array(image.geometry.spacing), np.array(image.geometry.origin)
    mask = np.zeros(image.shape, bool)
    for contour in found.ROIContourSequence[number].ContourSequence:
        places = np.array(contour.ContourData, float).reshape(-1, 3)[:, ::-1]
        at = (places - origin) / spacing
        mask[round(at[0, 0])] ^= polygon2mask(image.shape[1:], at[:, 1:])
    return mask


def test_contours_come_back_as_the_labels_with_names_colours_and_slices(series, tmp_path):
    image = read_image(series)
    labels = labels_of(image)
    labels[2, 5:7, 7:9] = 0  # a hole
    path = tmp_path / "out.dcm"
    write_dicom_contours(path, labels, image.geometry, SEGMENTS, series / "a.dcm")
    found = pydicom.dcmread(path)
    assert found.SOPClassUID.name == "RT Structure Set Storage"
    assert (found.StudyInstanceUID, found.PatientID) == ("1.2", "7")
    assert found.FrameOfReferenceUID == "1.2.3.4"
    assert found.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID == "1.2.3.4"
    slices = {str(pydicom.dcmread(file).SOPInstanceUID) for file in series.glob("*.dcm")}
    contours = [contour for roi in found.ROIContourSequence for contour in roi.ContourSequence]
    assert {str(contour.ContourImageSequence[0].ReferencedSOPInstanceUID) for contour in contours} == slices
    assert [roi.ROIName for roi in found.StructureSetROISequence] == ["Lung", "Fat"]
    assert [tuple(roi.ROIDisplayColor) for roi in found.ROIContourSequence] == [one.colour for one in SEGMENTS]
    for number, segment in enumerate(SEGMENTS):
        assert np.array_equal(filled(found, number, image), labels == segment.label)


@pytest.mark.parametrize(
    ("segments", "words"),
    [
        ([Segment(n, "", (0, 0, 0)) for n in range(1, 34)], "takes 1 to 32 labels; got 33"),
        (SEGMENTS, "has 3 at the place"),
    ],
)
def test_what_cannot_be_written_is_refused(series, tmp_path, segments, words):
    image = read_image(series)
    (series / "c.dcm").unlink()
    with pytest.raises(WriteError, match=words):
        write_dicom_contours(tmp_path / "out.dcm", labels_of(image), image.geometry, segments, series)
    assert not (tmp_path / "out.dcm").exists()


def test_without_plastimatch_it_says_what_to_install(series, tmp_path, monkeypatch):
    def missing(name):
        raise write_contours.PackageNotFoundError(name)

    monkeypatch.setattr(write_contours, "distribution", missing)
    image = read_image(series)
    with pytest.raises(WriteError, match=r"pip install 'napari-s3net\[rtstruct\]'"):
        write_dicom_contours(tmp_path / "out.dcm", labels_of(image), image.geometry, SEGMENTS, series)


@pytest.mark.parametrize("angles", [(0, 1, 0, 0, 0, -1), (1, 0, 0, 0, 0, -1), (-1, 0, 0, 0, 1, 0)])
def test_contours_of_slices_of_any_orientation_refer_to_their_slice(tmp_path, angles):
    (tmp_path / "in").mkdir()
    normal = np.cross(angles[:3], angles[3:])
    for n in range(3):
        elements = {"ImageOrientationPatient": list(angles), "ImagePositionPatient": (3.0 * n * normal).tolist()}
        make_slice(tmp_path / "in" / f"{n}.dcm", hounsfield(n), 0.0, **{**MORE, **elements})
    image = read_image(tmp_path / "in")
    labels = np.zeros(image.shape, np.int32)
    labels[:, 3:9, 4:12] = 2
    write_dicom_contours(tmp_path / "out.dcm", labels, image.geometry, SEGMENTS[:1], tmp_path / "in")
    slices = {str(one.SOPInstanceUID): one for one in map(pydicom.dcmread, (tmp_path / "in").glob("*.dcm"))}
    contours = pydicom.dcmread(tmp_path / "out.dcm").ROIContourSequence[0].ContourSequence
    assert {str(one.ContourImageSequence[0].ReferencedSOPInstanceUID) for one in contours} == set(slices)
    for contour in contours:
        dataset = slices[str(contour.ContourImageSequence[0].ReferencedSOPInstanceUID)]
        away = np.array(contour.ContourData, float).reshape(-1, 3) - np.array(dataset.ImagePositionPatient, float)
        np.testing.assert_allclose(away @ normal, 0, atol=1e-3)


def test_labels_with_nothing_to_outline_are_refused(series, tmp_path):
    image = read_image(series)
    with pytest.raises(WriteError, match="nothing to outline"):
        write_dicom_contours(tmp_path / "out.dcm", 0 * labels_of(image), image.geometry, SEGMENTS, series)
