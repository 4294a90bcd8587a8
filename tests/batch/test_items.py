import os
import time
from pathlib import Path

import pytest

from napari_s3net.batch.items import find_items, input_digest
from napari_s3net.batch.plan import Plan
from napari_s3net.errors import ReadError

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


def test_ten_thousand_files_are_listed_within_seconds(tmp_path):
    (tmp_path / "in").mkdir()
    for n in range(5000):
        for suffix in ("png", "jpg"):
            (tmp_path / "in" / f"{n:05}.{suffix}").touch()
    begun = time.process_time()
    items = find_items(Plan(source=tmp_path / "in", output=tmp_path / "out"))
    assert len({item.stem for item in items}) == 10_000
    assert time.process_time() - begun < 5


def test_odd_names_are_items(folder, save):
    names = ["with space.png", "läsion 病变.png", "line\nbreak.png", "..png.png", "'quote\";.png", b"\xff\xfe.png"]
    for name in names:
        (folder / os.fsdecode(name)).write_bytes(b"x")
    assert set(map(os.fsdecode, names)) <= set(found(folder))


def test_a_folder_of_dicom_is_one_item():
    if not DICOM.exists():
        pytest.skip("the development data are not here")
    (item,) = find_items(Plan(source=DICOM, output=DICOM / "out"))
    assert (item.file, item.path) == (DICOM.name, DICOM.resolve())
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
