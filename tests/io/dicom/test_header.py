from __future__ import annotations

import pydicom
import pytest
from pydicom.dataset import Dataset

from napari_s3net.errors import ReadError, ReadWarning
from napari_s3net.io.dicom.header import code, groups, items, numbers, read_header, why_no_image, words
from tests.io.made_files import hounsfield, make_dicom


@pytest.fixture
def header(tmp_path):
    return read_header(make_dicom(tmp_path / "a", hounsfield(), PixelSpacing=[0.5, 0.25], EchoTime="", EchoNumbers="7"))


def raw_text(dataset, keyword, text):
    """Text as a file has it, whatever DICOM allows there."""
    tag = pydicom.tag.Tag(keyword)
    vr = pydicom.datadict.dictionary_VR(tag)
    value = text.encode("latin1")
    dataset[tag] = pydicom.dataelem.RawDataElement(tag, vr, len(value), value, 0, False, True)


def test_what_a_header_says(header):
    assert header.shape == (1, 24, 20, 1)
    assert header.bits == 16
    assert header.modality == "CT"
    assert header.frames == 1
    assert not why_no_image(header)
    with header.path.open("rb") as file:
        file.seek(header.start)
        assert file.read(4) == b"\xe0\x7f\x10\0"


@pytest.mark.parametrize("preamble", [bytes(128), b"II*\0" * 32, b"MM\0*" * 32])
def test_whatever_the_preamble_looks_like(header, preamble):
    header.path.write_bytes(preamble + header.path.read_bytes()[128:])
    assert read_header(header.path).shape == header.shape


def test_a_data_set_without_anything_before_it(tmp_path):
    whole = make_dicom(tmp_path / "a", hounsfield()).read_bytes()
    (tmp_path / "b").write_bytes(whole[whole.index(b"\x08\0\x16\0") :])
    header = read_header(tmp_path / "b")
    assert header.shape == (1, 24, 20, 1)
    assert header.syntax == pydicom.uid.ExplicitVRLittleEndian


def test_numbers_as_they_are_written(header):
    dataset = header.dataset
    assert numbers(dataset, "PixelSpacing", 2) == (0.5, 0.25)
    assert numbers(dataset, "PixelSpacing", 3) is None
    assert numbers(dataset, "EchoTime") is None
    assert numbers(dataset, "SliceThickness") is None
    assert words(dataset, "Rows") == ["24"]
    raw_text(dataset, "PixelSpacing", "half\\0.5")
    assert numbers(dataset, "PixelSpacing", 2) is None
    raw_text(dataset, "SliceThickness", " 1e400 ")
    assert numbers(dataset, "SliceThickness") is None


def test_decimal_commas_are_said(header):
    raw_text(header.dataset, "PixelSpacing", "0,5\\0,25")
    with pytest.warns(ReadWarning, match="decimal commas"):
        assert numbers(header.dataset, "PixelSpacing", 2) == (0.5, 0.25)


@pytest.mark.parametrize(
    ("text", "shown"), [("MR", "MR"), ("JOHN DOE", ""), ("DOE^JOHN", ""), ("-1.5", "-1.5"), ("", "")]
)
def test_free_text_is_no_code(header, text, shown):
    raw_text(header.dataset, "Modality", text)
    assert code(header.dataset, "Modality") == shown


def test_the_nearest_group_comes_first():
    dataset, own, shared = Dataset(), Dataset(), Dataset()
    dataset.PerFrameFunctionalGroupsSequence = [Dataset(), own]
    dataset.SharedFunctionalGroupsSequence = [shared]
    assert [id(group) for group in groups(dataset, 1)] == [id(own), id(shared), id(dataset)]
    assert [id(group) for group in groups(dataset, 5)] == [id(shared), id(dataset)]
    assert items(dataset, "PlanePositionSequence") == []


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        ("1.2.840.10008.5.1.4.1.1.481.3", "no image: RT Structure Set"),
        ("1.2.840.10008.5.1.4.1.1.481.5", "no image: RT Plan"),
        ("1.2.840.10008.5.1.4.1.1.88.11", "no image: Basic Text SR"),
        ("1.2.3.4", "no image."),
        ("1.2.840.10008.5.1.4.1.1.2", "cut off"),
    ],
)
def test_what_holds_no_image_is_called_what_it_is(tmp_path, identity, words):
    path = make_dicom(tmp_path / "a", hounsfield(), SOPClassUID=identity)
    dataset = pydicom.dcmread(path)
    del dataset.PixelData
    if "cut off" not in words:
        del dataset.Rows
    dataset.save_as(path)
    assert words in why_no_image(read_header(path))


@pytest.mark.parametrize("content", [b"", bytes(128) + b"DICM", bytes(128) + b"DICM\x02\0"])
def test_a_file_of_nothing_but_a_beginning(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ReadError, match="damaged"):
        read_header(tmp_path / "a")


def test_sizes_that_are_none(tmp_path):
    header = read_header(make_dicom(tmp_path / "a", hounsfield(), Rows=0))
    with pytest.raises(ReadError, match="rows and columns"):
        _ = header.shape
