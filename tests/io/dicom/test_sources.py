"""What labels refer to: slices with their UIDs, or nothing; and nothing of their patient is told on the way."""

import logging
import warnings

import numpy as np
import pytest

from napari_s3net.errors import WriteError
from napari_s3net.io import read_image
from napari_s3net.io.dicom import sources
from napari_s3net.io.dicom.sources import numbered, text_for_dicom, untold
from napari_s3net.io.dicom.write_contours import write_dicom_contours
from napari_s3net.io.dicom.write_segmentation import write_dicom_segmentation
from napari_s3net.segments import Segment
from tests.io.dicom.test_write_segmentation import SEGMENTS, close_children, labels_of, series

pydicom = pytest.importorskip("pydicom")
generate_uid = pydicom.uid.generate_uid
pytest.importorskip("highdicom")
pytest.importorskip("plastimatch")
__all__ = ["close_children", "series"]
WRITERS = pytest.mark.parametrize("write", [write_dicom_segmentation, write_dicom_contours])


def change(series, **elements):
    """Give each slice other elements; None takes one away."""
    for file in series.glob("*.dcm"):
        dataset = pydicom.dcmread(file)
        for name, value in elements.items():
            if value is None:
                dataset.pop(name, None)
            else:
                setattr(dataset, name, value)
        dataset.save_as(file)


@WRITERS
@pytest.mark.filterwarnings("ignore")
def test_of_an_image_from_another_file_there_is_no_series_to_refer_to(series, tmp_path, write):
    image, scan = read_image(series), tmp_path / "scan.nii.gz"
    scan.touch()
    with pytest.raises(WriteError, match=r"and scan\.nii\.gz is none\. Save NIfTI or \.seg\.nrrd, or open the DICOM"):
        write(tmp_path / "out.dcm", labels_of(image), image.geometry, SEGMENTS, scan)


@WRITERS
@pytest.mark.parametrize(
    ("elements", "words"),
    [
        ({"StudyInstanceUID": None}, "StudyInstanceUID"),
        ({"SeriesInstanceUID": ""}, "SeriesInstanceUID"),
        ({"FrameOfReferenceUID": None}, "FrameOfReferenceUID"),
        ({"StudyInstanceUID": "anonymous"}, "StudyInstanceUID"),
        ({"SOPInstanceUID": "1.2.3"}, "a SOPInstanceUID of its own for each slice"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_slices_that_nothing_can_refer_to_are_refused_with_the_uids_that_they_lack(
    series, tmp_path, write, elements, words
):
    change(series, **elements)
    image = read_image(series)
    with pytest.raises(WriteError, match=rf"refers to the slices of series by their UIDs.*: {words}\. Save NIfTI"):
        write(tmp_path / "out.dcm", labels_of(image), image.geometry, SEGMENTS, series)
    assert not (tmp_path / "out.dcm").exists()


@WRITERS
@pytest.mark.filterwarnings("ignore")
def test_labels_refer_to_the_echo_that_was_opened(series, tmp_path, write):
    change(series, EchoTime=10)
    for file in list(series.glob("*.dcm")):
        dataset = pydicom.dcmread(file)
        dataset.EchoTime, dataset.SOPInstanceUID = 30, generate_uid()
        dataset.save_as(file.with_name(f"z{file.name}"))
    image = read_image(series)
    write(tmp_path / "out.dcm", labels_of(image), image.geometry, SEGMENTS, series)
    made = str(pydicom.dcmread(tmp_path / "out.dcm"))
    uids = {file.name: pydicom.dcmread(file).SOPInstanceUID for file in series.glob("*.dcm")}
    assert {name for name, uid in uids.items() if uid in made} == {"a.dcm", "b.dcm", "c.dcm", "d.dcm"}
    with pytest.raises(WriteError, match="several lie at one place"):  # chosen file by file, the other echo perhaps
        write(tmp_path / "out.dcm", labels_of(image), image.geometry, SEGMENTS, series / "za.dcm")
    alone = read_image(series / "za.dcm")
    write(tmp_path / "out.dcm", labels_of(image)[1], alone.geometry, SEGMENTS, series / "za.dcm")
    assert uids["za.dcm"] in str(pydicom.dcmread(tmp_path / "out.dcm"))


@WRITERS
def test_a_series_without_a_patient_is_enough(series, tmp_path, write):
    change(series, **dict.fromkeys(sources._MAY_BE_EMPTY))
    image = read_image(series)
    write(tmp_path / "out.dcm", labels_of(image), image.geometry, SEGMENTS, series)
    assert pydicom.dcmread(tmp_path / "out.dcm").PatientID == ""


@WRITERS
@pytest.mark.parametrize(
    "elements",
    [
        {"PatientName": "SECRET"},
        {"PatientName": "Müller^SECRET", "SpecificCharacterSet": "ISO_IR 100"},
        {"PatientSex": "SECRET", "PatientBirthDate": "SECRET", "StudyTime": "SECRET"},
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_no_word_of_a_patient_is_said_and_the_name_arrives(series, tmp_path, write, elements, capfd, caplog, recwarn):
    change(series, **elements)
    image = read_image(series)
    recwarn.clear()
    capfd.readouterr()
    write(tmp_path / "out.dcm", labels_of(image), image.geometry, SEGMENTS, series)
    said = "".join(capfd.readouterr()) + caplog.text + "".join(str(warning.message) for warning in recwarn)
    assert "SECRET" not in said
    found = pydicom.dcmread(tmp_path / "out.dcm")
    assert found.PatientName == elements.get("PatientName", pydicom.dcmread(series / "a.dcm").get("PatientName", ""))


@WRITERS
def test_names_of_any_alphabet_and_with_any_signs(series, tmp_path, write):
    named = [Segment(2, "Lunge ü 肺", (1, 2, 3)), Segment(5, "a\\b|c\nd" + "x" * 99, (3, 2, 1))]
    image = read_image(series)
    write(tmp_path / "out.dcm", labels_of(image), image.geometry, named, series)
    found = pydicom.dcmread(tmp_path / "out.dcm")
    names = [one.SegmentLabel for one in found.get("SegmentSequence", [])]
    names += [one.ROIName for one in found.get("StructureSetROISequence", [])]
    assert names == ["Lunge ü 肺", "a/b|cd" + "x" * 58]


@WRITERS
def test_negative_labels_are_refused(series, tmp_path, write):
    image = read_image(series)
    labels = labels_of(image)
    labels[0, 0, 0] = -1
    with pytest.raises(WriteError, match="whole numbers from 0 on; got -1"):
        write(tmp_path / "out.dcm", labels, image.geometry, SEGMENTS, series)


def test_no_label_becomes_another_one_and_large_numbers_take_no_memory():
    labels = np.array([[0, 7, 4_000_000_000], [300, 8, 7]])
    segments = [Segment(4_000_000_000, ""), *(Segment(n, "") for n in range(7, 307) if n != 8)]
    assert numbered(labels, segments).tolist() == [[0, 2, 1], [294, 0, 2]]


def test_a_segment_without_a_name_that_can_be_written_has_its_number():
    assert text_for_dicom(Segment(3, "\n")) == "Label 3"


def test_libraries_are_heard_again_afterwards(caplog):
    with untold():
        logging.getLogger("pydicom").warning("hidden")
        warnings.warn("hidden", stacklevel=1)
    logging.getLogger("pydicom").warning("heard")
    assert [record.message for record in caplog.records] == ["heard"]
