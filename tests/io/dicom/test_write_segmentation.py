import numpy as np
import pytest

from napari_s3net.errors import WriteError
from napari_s3net.io import read_image
from napari_s3net.io.dicom.write_segmentation import write_dicom_segmentation
from napari_s3net.io.read import read_labels
from napari_s3net.runtime import child_pool
from napari_s3net.segments import Segment
from tests.io.made_files import hounsfield, make_slice

highdicom = pytest.importorskip("highdicom")
SEGMENTS = [Segment(2, "Lung", (25, 195, 242)), Segment(5, "Fat", (230, 159, 0), is_object=False)]
MORE = {
    "FrameOfReferenceUID": "1.2.3.4",
    "StudyID": "1",
    "StudyDate": "20200101",
    "StudyTime": "120000",
    "AccessionNumber": "",
    "PatientID": "7",
    "PatientBirthDate": "",
    "PatientSex": "",
    "ReferringPhysicianName": "",
    "SeriesNumber": 1,
    "InstanceNumber": 1,
}


@pytest.fixture(scope="module", autouse=True)
def close_children():
    yield
    child_pool.close_all()


@pytest.fixture
def series(tmp_path):
    """Four slices, written in another order than they lie."""
    folder = tmp_path / "series"
    folder.mkdir()
    for name, height in zip("badc", (0.0, 3.0, 6.0, 9.0), strict=True):
        make_slice(folder / f"{name}.dcm", hounsfield(int(height)), height, **MORE)
    (folder / "notes.txt").write_text("no image")
    return folder


def labels_of(image):
    labels = np.zeros(image.shape, np.int32)
    labels[1:, 3:9, 4:12], labels[:2, 12:20, 2:9] = 2, 5
    return labels


def test_labels_come_back_with_their_names_at_their_place(series, tmp_path):
    image = read_image(series)
    labels = labels_of(image)
    path = tmp_path / "out.dcm"
    write_dicom_segmentation(path, labels, image.geometry, SEGMENTS, series)
    back = read_labels(path)
    assert np.array_equal(back.array, np.select([labels == 2, labels == 5], [1, 2]))
    assert back.geometry.spacing == pytest.approx(image.geometry.spacing)
    assert back.geometry.origin == pytest.approx(image.geometry.origin)
    assert back.names == {1: "Lung", 2: "Fat"}


def test_it_refers_to_its_series_and_is_what_highdicom_expects(series, tmp_path):
    image = read_image(series)
    path = tmp_path / "out.dcm"
    write_dicom_segmentation(path, labels_of(image), image.geometry, SEGMENTS, series / "a.dcm")
    found = highdicom.seg.segread(path)
    assert found.SegmentationType == "BINARY"
    assert found.StudyInstanceUID == "1.2"
    assert len(found.ReferencedSeriesSequence[0].ReferencedInstanceSequence) == 4
    lung = found.get_segment_description(1)
    assert lung.segmented_property_type.value == "39607008"
    assert lung.algorithm_type == highdicom.seg.SegmentAlgorithmTypeValues.AUTOMATIC
    assert "RecommendedDisplayCIELabValue" in lung
    assert (lung.SegmentDescription, lung.segmented_property_category.value) == ("Lung", "123037004")
    assert found.SeriesDescription == "S3-Net segmentation", "viewers list series by it"
    assert found.SeriesDate


def test_labels_that_do_not_lie_on_the_series_are_refused(series, tmp_path):
    image = read_image(series)
    (series / "c.dcm").unlink()
    with pytest.raises(WriteError, match=r"Of 4 slices of .* has 3 at the place"):
        write_dicom_segmentation(tmp_path / "out.dcm", labels_of(image), image.geometry, SEGMENTS, series)
    assert not (tmp_path / "out.dcm").exists()


def test_two_series_at_one_place_are_refused(series, tmp_path):
    image = read_image(series)
    for n, height in enumerate((0.0, 3.0, 6.0, 9.0)):
        elements = {**MORE, "SeriesInstanceUID": "1.2.9"}
        make_slice(series / f"other{n}.dcm", hounsfield(n), height, **elements)
    with pytest.raises(WriteError, match="2 series at the place"):
        write_dicom_segmentation(tmp_path / "out.dcm", labels_of(image), image.geometry, SEGMENTS, series)


def test_more_segments_than_a_byte_can_number(series, tmp_path):
    image = read_image(series)
    labels = 1 + np.arange(np.prod(image.shape)).reshape(image.shape) // 6 % 300
    segments = [Segment(n, "") for n in range(1, 301)]
    write_dicom_segmentation(tmp_path / "out.dcm", labels, image.geometry, segments, series)
    np.testing.assert_array_equal(read_labels(tmp_path / "out.dcm").array, labels)
