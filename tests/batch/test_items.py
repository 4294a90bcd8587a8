import os
from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from napari_s3net.batch.items import find_items, input_digest, stem_of, what_is_left_out
from napari_s3net.batch.plan import Plan
from napari_s3net.errors import ReadError
from tests.io.made_files import hounsfield, write_dicom

DICOM = Path(__file__).parents[3] / "shared" / "data" / "formats" / "ct_series_jpeg2000"


def found(source, **more):
    return [item.file for item in find_items(Plan(source=source, output=source / "out", **more))]


def test_images_of_the_folder_and_of_those_within(folder, save):
    save(folder / "2024" / "d.png")
    save(folder / ".cache" / "e.png")
    save(folder / ".f.png")
    (folder / "notes.txt").write_text("hello", encoding="utf-8")
    assert found(folder) == ["a.png", "b.png", "c.jpg"]
    assert found(folder, recursive=True) == ["a.png", "b.png", "c.jpg", "2024/d.png"]


def test_pattern_of_the_name_or_with_a_slash_of_the_path(folder, save):
    save(folder / "2024" / "a.png")
    assert found(folder, pattern="*.png") == ["a.png", "b.png"]
    assert found(folder, pattern="a.*", recursive=True) == ["a.png", "2024/a.png"]
    assert found(folder, pattern="2024/*", recursive=True) == ["2024/a.png"]
    (folder / "notes.txt").write_text("hello", encoding="utf-8")
    assert found(folder, pattern="*.txt") == ["notes.txt"]


def test_nothing_found_says_what_was_looked_for(folder):
    with pytest.raises(ReadError, match=r"\*\.tif.*Folders within"):
        found(folder, pattern="*.tif")
    with pytest.raises(ReadError, match="not a folder"):
        found(folder / "a.png")


def test_results_are_no_input(folder, save):
    for name in ("labels", "corrected", "overlays"):
        save(folder / "out" / name / "a.png")
    save(folder / "a_mask.png")
    assert found(folder, recursive=True) == ["a.png", "b.png", "c.jpg"]
    save(folder / "masks" / "x.png")
    plan = Plan(source=folder / "pictures", output=folder, recursive=True)
    save(folder / "pictures" / "y.png")
    assert [item.file for item in find_items(plan)] == ["y.png"]


@pytest.mark.parametrize("inner", ["", "labels", "masks/deep"])
def test_input_and_output_are_two_folders(folder, inner):
    (folder / inner).mkdir(parents=True, exist_ok=True)
    with pytest.raises(ReadError, match="another one"):
        find_items(Plan(source=folder / inner, output=folder))


def test_names_that_would_collide_stay_apart(folder, save):
    for name in ("a.jpg", "A.tif", "sub/a.png", "a_png.png"):
        save(folder / name)
    items = find_items(Plan(source=folder, output=folder / "out", recursive=True))
    stems = [item.stem.casefold() for item in items]
    assert len(set(stems)) == len(stems) == 7
    assert "sub/a" in stems


def test_of_ten_thousand_files_each_has_a_name_of_its_own(tmp_path):
    (tmp_path / "in").mkdir()
    for n in range(5000):
        for suffix in ("png", "jpg"):
            (tmp_path / "in" / f"{n:05}.{suffix}").touch()
    items = find_items(Plan(source=tmp_path / "in", output=tmp_path / "out"))
    assert len({item.stem for item in items}) == 10_000


def test_odd_names_are_items(folder, save):
    names = ["with space.png", "läsion 病变.png", "line\nbreak.png", "..png.png", "'quote\";.png", b"\xff\xfe.png"]
    for name in names:
        (folder / os.fsdecode(name)).write_bytes(b"x")
    assert set(map(os.fsdecode, names)) <= set(found(folder))


def test_a_folder_of_dicom_is_one_item():
    if not DICOM.exists():
        pytest.skip("the development data are not here")
    (item,) = find_items(Plan(source=DICOM, output=DICOM / "out"))
    assert (item.file, item.path) == (DICOM.name, DICOM)
    assert item.series is not None
    (item,) = (
        i for i in find_items(Plan(source=DICOM.parent, output=DICOM / "out", recursive=True)) if DICOM.name in i.file
    )
    assert item.file == item.stem == f"{DICOM.name}/series"


def test_check_sums_tell_contents_and_names(tmp_path):
    (tmp_path / "f").mkdir()
    one, two = tmp_path / "f" / "1", tmp_path / "f" / "2"
    one.write_bytes(b"x")
    two.write_bytes(b"x")
    assert input_digest(one) == input_digest(two)
    before = input_digest(tmp_path / "f")
    two.rename(tmp_path / "f" / "3")
    assert input_digest(tmp_path / "f") != before
    with pytest.raises(OSError, match="2"):
        input_digest(two)


def test_what_a_result_is_called_is_stripped_once():
    assert stem_of("labels/mole.jpg.png") == "mole.jpg"
    assert stem_of("labels/2024/a.nii.gz") == "2024/a"
    assert stem_of("thumbnails/a.png.jpg") == "a.png"


def test_a_check_sum_covers_the_files_that_hold_the_pixels(tmp_path):
    (tmp_path / "a.mhd").write_bytes(b"NDims = 3\r\nElementDataFile = a.raw\r\n")
    (tmp_path / "a.raw").write_bytes(b"1")
    before = input_digest(tmp_path / "a.mhd")
    (tmp_path / "a.raw").write_bytes(b"2")
    assert input_digest(tmp_path / "a.mhd") != before


def test_a_check_sum_of_a_series_is_that_of_its_own_files(tmp_path):
    for name in "abc":
        (tmp_path / name).write_bytes(name.encode())
    before = input_digest(tmp_path, ["a", "b"])
    (tmp_path / "c").write_bytes(b"other")
    assert input_digest(tmp_path, ["b", "a"]) == before
    (tmp_path / "b").write_bytes(b"other")
    assert input_digest(tmp_path, ["a", "b"]) != before


def photograph_dicom(path, number):
    """A single-frame DICOM without a place in space, as dermatoscopes write them; all of one series."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = f"1.2.{number}"
    dataset.SeriesInstanceUID, dataset.Modality = "1.3", "XC"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 24, 32, 1
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation, dataset.PhotometricInterpretation = 7, 0, "MONOCHROME2"
    dataset.PixelData = bytes(range(256)) * 3
    dataset.save_as(path, enforce_file_format=True)


def test_dicom_photographs_are_images_under_their_own_names(folder):
    for number, name in enumerate(("mole_B.dcm", "mole_A.dcm")):
        photograph_dicom(folder / name, number)
    items = find_items(Plan(source=folder, output=folder / "out"))
    assert [item.file for item in items] == ["a.png", "b.png", "c.jpg", "mole_A.dcm", "mole_B.dcm"]
    assert items[-1].stem == "mole_B"
    (folder / "mole_A.dcm").unlink()
    assert found(folder) == ["a.png", "b.png", "c.jpg", "mole_B.dcm"]


def test_photographs_beside_a_series_are_done_too(folder):
    for n in range(4):
        write_dicom(folder / f"slice{n}", hounsfield(n), position=(0.0, 0.0, 3.0 * n))
    photograph_dicom(folder / "mole.dcm", 1)
    items = find_items(Plan(source=folder, output=folder / "out"))
    assert [item.file for item in items] == ["a.png", "b.png", "c.jpg", "mole.dcm", folder.name]
    assert len(items[-1].files) == 4
    assert "mole.dcm" not in items[-1].files


def test_links_keep_their_names_and_linked_folders_are_followed_once(tmp_path, save):
    save(tmp_path / "elsewhere" / "deep" / "x.png")
    source = tmp_path / "real"
    save(source / "sub" / "a.png")
    (source / "b.png").symlink_to(source / "sub" / "a.png")
    (source / "linked").symlink_to(tmp_path / "elsewhere")
    (source / "again").symlink_to(source / "sub")
    (source / "circle").symlink_to(tmp_path)
    (tmp_path / "elsewhere" / "back").symlink_to(source)
    assert found(source) == ["b.png"]
    assert found(source, recursive=True) == ["b.png", "linked/deep/x.png", "sub/a.png"]
    (tmp_path / "link").symlink_to(source)
    assert found(tmp_path / "link") == ["b.png"]


def test_formats_that_are_left_out_are_told(folder, save):
    plan = Plan(source=folder, output=folder / "out")
    assert what_is_left_out(plan) == ""
    (folder / "d.heic").write_bytes(b"hello")
    save(folder / "2024" / "e.png")
    (folder / "2024" / "f.webp").write_bytes(b"hello")
    (folder / "out").mkdir()
    (folder / "out" / "measurements.csv").write_text("file", encoding="utf-8")
    assert what_is_left_out(plan) == "left out: 1 .heic"
    everything = Plan(source=folder, output=folder / "out", recursive=True)
    assert what_is_left_out(everything) == "left out: 1 .heic, 1 .webp"
    asked = Plan(source=folder, output=folder / "out", pattern="*.png")
    assert what_is_left_out(asked) == "", "what the pattern does not match was not asked for"


def test_a_folder_of_a_format_that_nothing_here_reads_says_which(tmp_path):
    (tmp_path / "d.heic").write_bytes(b"hello")
    with pytest.raises(ReadError, match=r"left out: 1 \.heic"):
        found(tmp_path)
