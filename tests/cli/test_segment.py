import io
import json
import os
import sys

import nibabel
import numpy as np
import PIL.Image
import pytest
import SimpleITK as sitk

from napari_s3net.errors import OutOfMemoryError
from napari_s3net.io import read_image
from napari_s3net.io.on_image import read_labels_on
from napari_s3net.provenance import Provenance
from tests.cli.conftest import SEGMENT
from tests.cli.helpers import names, run


def test_photograph(runs, photo, tmp_path, capsys):
    assert run("segment", photo, "-o", tmp_path / "out", "--overlay") == 0
    assert names(tmp_path / "out") == ["photo.json", "photo_labels.png", "photo_mask.png", "photo_overlay.png"]
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith("photo.png: takes about ")
    assert lines[1].startswith("photo.png: Spot ")
    assert len(lines) == 2
    assert err == ""
    note = json.loads((tmp_path / "out" / "photo.json").read_text(encoding="utf-8"))
    assert (note["source"], note["preset"], note["slice"]) == ("photo.png", "skin", None)
    assert str(tmp_path) not in (tmp_path / "out" / "photo.json").read_text(encoding="utf-8")


def test_volume_slice_by_slice_and_an_empty_slice_stays_empty(runs, volume, tmp_path, capsys):
    assert run("segment", volume, "-o", tmp_path / "out", "--mode", "slices") == 0
    assert names(tmp_path / "out") == ["scan.json", "scan_labels.nii.gz", "scan_mask.nii.gz"]
    labels, source = read_image(tmp_path / "out" / "scan_labels.nii.gz"), read_image(volume)
    assert labels.geometry.spacing == pytest.approx(source.geometry.spacing)
    assert not labels.array[1].any()
    assert (labels.array[[0, 2, 3, 4]] > 0).all()
    assert len(runs) == 5
    note = json.loads((tmp_path / "out" / "scan.json").read_text(encoding="utf-8"))
    assert [entry["slice"] for entry in note["slices"]] == [0, 2, 3, 4]
    assert "slice 3 of 5" in capsys.readouterr().out


def test_a_volume_is_fitted_once_and_an_empty_slice_stays_empty(volume, tmp_path, capsys):
    changes = ("--set", "working_size=32", "max_iter=2", "clusters=3")
    assert run("segment", volume, "-o", tmp_path / "out", "--preset", "generic", *changes) == 0
    labels = read_image(tmp_path / "out" / "scan_labels.nii.gz")
    assert not labels.array[1].any()
    assert (labels.array[[0, 2, 3, 4]] > 0).all()
    note = json.loads((tmp_path / "out" / "scan.json").read_text(encoding="utf-8"))
    assert [entry["slice"] for entry in note["slices"]] == [0, 2, 3, 4]
    assert note["iterations"] == 2
    assert "1 of 5 slices are empty" in capsys.readouterr().out


def test_the_result_of_another_image_of_the_same_name_is_not_replaced(runs, photo, tmp_path, capsys):
    out, other = tmp_path / "out", tmp_path / "another" / photo.name
    assert run("segment", photo, "-o", out) == run("segment", photo, "-o", out) == 0, "the same image again"
    before = (out / "photo_labels.png").read_bytes()
    other.parent.mkdir()
    PIL.Image.open(photo).transpose(PIL.Image.Transpose.ROTATE_180).save(other)
    assert run("segment", other, "-o", out) == 1
    assert "they are the result of another image of this name" in capsys.readouterr().err
    assert (out / "photo_labels.png").read_bytes() == before
    note = json.loads((out / "photo.json").read_text(encoding="utf-8"))
    (out / "photo.json").write_text(json.dumps({**note, "input_digest": ""}), encoding="utf-8")
    assert run("segment", other, "-o", out) == 0, "what earlier versions wrote has no check sum"


def test_one_volume_of_a_time_series_is_chosen(tmp_path, runs, capsys):
    volumes = np.random.default_rng(0).normal(50, 5, (3, 4, 40, 32)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(volumes.transpose(3, 2, 1, 0), np.diag([-1, -1, 2, 1])), tmp_path / "heart.nii")
    assert run("segment", tmp_path / "heart.nii", "-o", tmp_path / "out", "--slice", 1, "--time", 2) == 0
    assert "holds 3 volumes" not in capsys.readouterr().err
    np.testing.assert_array_equal(runs[0][0].array, volumes[2, 1])
    note = json.loads((tmp_path / "out" / "heart.json").read_text(encoding="utf-8"))
    assert (note["axis"], note["slice"], note["time"]) == (1, 1, 2)
    assert run("segment", tmp_path / "heart.nii", "-o", tmp_path / "out", "--slice", 1) == 0
    said = capsys.readouterr().err
    assert "it holds 3 volumes; the first is opened" in said
    assert "choose another volume by --time 1 to --time 2" in said
    assert run("segment", tmp_path / "heart.nii", "-o", tmp_path / "out", "--time", 3) == 1
    assert "no volume 3: it holds 3, counted from 0" in capsys.readouterr().err


@pytest.mark.parametrize(("error", "code"), [(BrokenPipeError(), 0), (OSError(28, "No space left on device"), 2)])
def test_where_nothing_can_be_printed_the_command_ends_and_no_input_is_called_failed(
    runs, photo, tmp_path, monkeypatch, capsys, error, code
):
    other = photo.with_name("other.png")
    other.write_bytes(photo.read_bytes())

    class Stream(io.StringIO):
        def write(self, text):
            if ": Spot " in text:
                raise error
            return len(text)

    monkeypatch.setattr("sys.stdout", Stream())
    assert run("segment", photo, other, "-o", tmp_path / "out") == code
    assert "failed" not in (said := capsys.readouterr().err)
    assert "photo.png" not in said
    assert ("No space left" in said) == bool(code)
    assert names(tmp_path / "out") == ["photo.json", "photo_labels.png", "photo_mask.png"]


def test_one_slice_of_a_volume(runs, volume, tmp_path, capsys):
    assert run("segment", volume, "-o", tmp_path / "out", "--slice", 3) == 0
    assert len(runs) == 1
    mask = sitk.ReadImage(str(tmp_path / "out" / "scan_mask.nii.gz"))
    assert mask.GetSize() == (24, 20, 1)
    assert mask.GetOrigin()[2] == pytest.approx(9.0)
    array = read_image(volume).array[3]
    assert np.array_equal(np.squeeze(sitk.GetArrayFromImage(mask)), array > array.mean())
    assert json.loads((tmp_path / "out" / "scan.json").read_text(encoding="utf-8"))["slice"] == 3
    assert run("segment", volume, "-o", tmp_path / "out", "--slice", 5) == 1
    assert "slices 0 to 4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "axis", "numbers"),
    [
        (("--slices", 2, 4), 0, [2, 3, 4]),
        (("--slice", 3), 0, [3]),
        (("--slices", 5, 6, "--axis", 1), 1, [5, 6]),
        (("--slice", 7, "--axis", 2), 2, [7]),
    ],
)
def test_a_part_of_a_volume_is_told_by_the_numbers_of_its_slices_everywhere(runs, tmp_path, flags, axis, numbers):
    volume = sitk.GetImageFromArray(np.random.default_rng(0).integers(0, 500, (16, 20, 24)).astype(np.int16))
    volume.SetOrigin((5, 6, 7))
    sitk.WriteImage(volume, str(tmp_path / "scan.nii.gz"))
    out, also = tmp_path / "out", () if len(numbers) == 1 else ("png",)
    assert run("segment", tmp_path / "scan.nii.gz", "-o", out, *flags, "--mode", "slices", "--also", "coco", *also) == 0
    note, coco = (json.loads((out / name).read_text(encoding="utf-8")) for name in ("scan.json", "scan.coco.json"))
    along = f" along axis {axis}" if axis else ""
    assert (note["axis"], note["slice"]) == (axis, numbers[0])
    assert [Provenance.from_dict(note).slices[n].slice for n in range(len(note["slices"]))] == numbers[: len(also) * 9]
    assert [one["file_name"] for one in coco["images"]] == [f"scan.nii.gz, slice {n}{along}" for n in numbers]
    if also:
        assert names(out / "scan_slices") == [f"{n:03d}.png" for n in numbers]
    image, written = read_image(tmp_path / "scan.nii.gz"), sitk.ReadImage(str(out / "scan_labels.nii.gz"))
    for voxel in ((0, 0, 0), tuple(n - 1 for n in written.GetSize())):
        there = volume.TransformPhysicalPointToIndex(written.TransformIndexToPhysicalPoint(voxel))
        assert there[2 - axis] in (numbers[0], numbers[-1])
    labels = read_labels_on(image, tmp_path / "scan.nii.gz", out / "scan_labels.nii.gz").array
    used = np.flatnonzero(labels.any(axis=tuple(at for at in range(3) if at != axis)))
    assert used.tolist() == numbers


def test_ct_slice_in_tiff_becomes_nifti_of_the_same_shape(runs, tmp_path):
    array = np.random.default_rng(0).integers(-1000, 500, (20, 24)).astype(np.int16)
    PIL.Image.fromarray(array.astype(np.int32)).save(tmp_path / "z.tif")
    assert run("segment", tmp_path / "z.tif", "-o", tmp_path / "out") == 0
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "out" / "z_mask.nii.gz")))
    assert np.array_equal(np.squeeze(mask), array > array.mean())
    assert set(np.unique(mask)) == {0, 1}


def test_a_failed_input_is_one_line_and_the_others_are_done(runs, photo, tmp_path, capsys):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("not a picture", encoding="utf-8")
    words = [tmp_path / "empty.png", photo, tmp_path / "text.png", tmp_path / "nowhere.png"]
    assert run("segment", *words, "-o", tmp_path / "out") == 1
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert [sum(name in line for line in lines) for name in ("empty.png", "text.png", "nowhere.png")] == [1, 1, 1]
    assert lines[-1].endswith("3 of 4 inputs failed.")
    assert len(lines) == 4
    assert "Traceback" not in err
    assert "photo.png" in out


@pytest.mark.parametrize("error", [OutOfMemoryError("Out of memory:\nless"), KeyError("k"), ValueError("odd")])
def test_whatever_goes_wrong_in_a_run_ends_only_that_input(monkeypatch, runs, photo, tmp_path, capsys, error):
    quick = SEGMENT.iter_segment
    PIL.Image.new("RGB", (32, 32)).save(tmp_path / "bad.png")

    def iter_segment(image, settings, **more):
        if image.name == "bad":
            raise error
        return (yield from quick(image, settings, **more))

    monkeypatch.setattr(SEGMENT, "iter_segment", iter_segment)
    assert run("segment", tmp_path / "bad.png", photo, "-o", tmp_path / "out") == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("napari-s3net: bad.png: ")
    assert isinstance(error, OutOfMemoryError) or type(error).__name__ in lines[0]
    assert (tmp_path / "out" / "photo.json").exists()


def test_interrupted_keeps_what_is_finished(monkeypatch, runs, photo, tmp_path, capsys):
    quick = SEGMENT.iter_segment
    PIL.Image.open(photo).save(tmp_path / "second.png")

    def iter_segment(image, settings, **more):
        if image.name == "second":
            raise KeyboardInterrupt
        return (yield from quick(image, settings, **more))

    monkeypatch.setattr(SEGMENT, "iter_segment", iter_segment)
    assert run("segment", photo, tmp_path / "second.png", "-o", tmp_path / "out") == 130
    assert names(tmp_path / "out") == ["photo.json", "photo_labels.png", "photo_mask.png"]
    assert "kept" in capsys.readouterr().err


def test_output_that_cannot_be_made_is_2(runs, photo, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert run("segment", photo, "-o", tmp_path / "file") == 2
    assert "file" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="only there a name may be any bytes")
def test_a_name_that_is_no_text(runs, photo, tmp_path, capfd):
    odd = tmp_path / os.fsdecode(b"mole\xff.png")
    photo.rename(odd)
    assert run("segment", odd, "-o", tmp_path / "out") == 0
    stem = os.fsdecode(b"mole\xff")
    assert names(tmp_path / "out") == sorted(f"{stem}{end}" for end in (".json", "_labels.png", "_mask.png"))
    assert json.loads((tmp_path / "out" / f"{stem}.json").read_text(encoding="utf-8"))["source"] == odd.name


def test_masks_drawn_by_hand_beside_the_images_are_never_replaced(runs, photo, tmp_path, capsys):
    (tmp_path / "photo_mask.png").write_bytes(b"mine")
    assert run("segment", photo, "-o", tmp_path) == 1
    assert (tmp_path / "photo_mask.png").read_bytes() == b"mine"
    assert "Choose another folder" in capsys.readouterr().err


def test_progress_bar_on_a_terminal(runs, photo, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert run("segment", photo, "-o", tmp_path / "out") == 0
    assert "photo.png:   0%" in capsys.readouterr().err


def test_what_reading_remarks_is_a_line(runs, tmp_path, capsys):
    array = np.random.default_rng(0).integers(0, 99, (2, 3, 20, 24)).astype(np.int16)
    image = sitk.JoinSeries([sitk.GetImageFromArray(volume) for volume in array])
    sitk.WriteImage(image, str(tmp_path / "four.nii.gz"))
    assert run("segment", tmp_path / "four.nii.gz", "-o", tmp_path / "out") == 0
    err = capsys.readouterr().err
    assert err.startswith("napari-s3net: four.nii.gz: ")
    assert err.splitlines()[1:] == ["napari-s3net: four.nii.gz: choose another volume by --time 1 to --time 1."]


def test_the_real_thing(photo, tmp_path):
    words = ["--set", "working_size=64", "max_iter=3", "--device", "cpu"]
    assert run("segment", photo, "-o", tmp_path / "out", *words) == 0
    note = json.loads((tmp_path / "out" / "photo.json").read_text(encoding="utf-8"))
    mask = read_image(tmp_path / "out" / "photo_mask.png").array > 0
    assert mask.shape == (96, 128)
    assert len(note["losses"]) == note["iterations"] == 3
    assert note["device"] == "cpu"
    assert sum(c["pixels"] for c in note["clusters"] if c["is_object"]) == mask.sum()


def test_a_series_is_chosen_in_a_directory_file_and_never_passed_over(runs, photo, tmp_path, capsys):
    assert run("segment", photo, "-o", tmp_path / "out", "--series", "1.2.3") == 1
    assert "a series can be chosen in a folder or DICOMDIR only" in capsys.readouterr().err
    assert not runs
