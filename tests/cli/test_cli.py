import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import SimpleITK as sitk

from napari_s3net import cli
from napari_s3net.cli.inputs import find_inputs
from napari_s3net.errors import InvalidImageError, OutOfMemoryError
from napari_s3net.image import Segmentation, Step
from napari_s3net.io import read_image
from napari_s3net.phantom import disc
from napari_s3net.provenance import Provenance
from napari_s3net.runtime import child_process as process
from napari_s3net.settings import Settings, describe_settings, presets
from tests.io.made_files import hounsfield, write_dicom

#: The module; the package's attribute of that name is the function.
SEGMENT = import_module("napari_s3net.segmentation")


@pytest.fixture(scope="module", autouse=True)
def close_children():
    yield
    process.close_all()


@pytest.fixture
def runs(monkeypatch):
    """A stand-in for the training loop: bright pixels are the object; keeps what it was asked."""
    asked = []

    def iter_segment(image, settings, *, device="auto", preview_seconds=None):
        asked.append((image, settings, device))
        if image.array.min() == image.array.max():
            raise InvalidImageError("there is nothing to tell apart.")
        for iteration in (1, 2):
            yield Step(iteration, settings.max_iter, {"cluster": 1.0 / iteration}, 2)
        tone = image.array.mean(axis=-1) if image.kind == "rgb" else image.array
        labels = np.where(tone > tone.mean(), 1, 2).astype(np.int32)
        made = Provenance(settings=settings, confidence=0.8, iterations=2, losses=({"cluster": 1.0}, {"cluster": 0.5}))
        return Segmentation(labels, (1,), image.geometry, made, {1: "Spot", 2: "Rest"}, object_name="Spot")

    monkeypatch.setattr(SEGMENT, "iter_segment", iter_segment)
    return asked


@pytest.fixture
def photo(tmp_path):
    PIL.Image.fromarray(disc(kind="rgb").image.array).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def volume(tmp_path):
    """Five slices in HU, the second of which is empty."""
    array = np.random.default_rng(0).integers(-1000, 500, (5, 20, 24)).astype(np.int16)
    array[1] = -1000
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.5, 0.75, 3.0))
    sitk.WriteImage(image, str(tmp_path / "scan.nii.gz"))
    return tmp_path / "scan.nii.gz"


def run(*words):
    return cli.main([str(word) for word in words])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


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
    assert run("segment", volume, "-o", tmp_path / "out") == 0
    assert names(tmp_path / "out") == ["scan.json", "scan_labels.nii.gz", "scan_mask.nii.gz"]
    labels, source = read_image(tmp_path / "out" / "scan_labels.nii.gz"), read_image(volume)
    assert labels.geometry.spacing == pytest.approx(source.geometry.spacing)
    assert not labels.array[1].any()
    assert (labels.array[[0, 2, 3, 4]] > 0).all()
    assert len(runs) == 5
    note = json.loads((tmp_path / "out" / "scan.json").read_text(encoding="utf-8"))
    assert [entry["slice"] for entry in note["slices"]] == [0, 2, 3, 4]
    assert "slice 3 of 5" in capsys.readouterr().out


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


WRONG = [
    (["--preset", "skim"], "skim"),
    (["--seed", "-3"], "seed"),
    (["--seed", "many"], "--seed"),
    (["--set", "clusters=many"], "clusters"),
    (["--set", "clusters=1000"], "clusters"),
    (["--set", "colour=1"], "colour"),
    (["--set", "clusters"], "key=value"),
    (["--settings", "nowhere.json"], "nowhere.json"),
    (["--device", "abacus"], "abacus"),
    (["--unknown"], "--unknown"),
]


@pytest.mark.parametrize(("words", "named"), WRONG)
def test_wrong_use_is_2_and_one_line(runs, photo, tmp_path, capsys, words, named):
    assert run("segment", photo, "-o", tmp_path / "out", *words) == 2
    err = capsys.readouterr().err
    assert named in err
    assert err.count("\n") == 1
    assert not runs


@pytest.mark.parametrize("words", [[], ["segment"], ["segmemt"], ["segment", "a.png"], ["samples"]])
def test_incomplete_commands_are_2_and_one_line(capsys, words):
    assert run(*words) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_output_that_cannot_be_made_is_2(runs, photo, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert run("segment", photo, "-o", tmp_path / "file") == 2
    assert "file" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", "[1]", '{"settings": 3}'])
def test_settings_files_that_are_none(runs, photo, tmp_path, capsys, text):
    (tmp_path / "s.json").write_text(text, encoding="utf-8")
    assert run("segment", photo, "-o", tmp_path / "out", "--settings", tmp_path / "s.json") == 2
    assert "s.json" in capsys.readouterr().err


def test_settings_of_a_result_make_it_again(runs, photo, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    assert run("segment", photo, "-o", first, "--seed", 5, "--set", "clusters=9", "remove_hair=no") == 0
    assert run("segment", photo, "-o", second, "--settings", first / "photo.json", "--preset", "generic") == 0
    assert runs[0][1] == runs[1][1] == presets["skin"].settings.replace(seed=5, clusters=9, remove_hair=False)


def test_single_settings_win_over_the_file_and_the_seed_over_both(runs, photo, tmp_path):
    (tmp_path / "s.json").write_text('{"clusters": 9, "channels": 8, "seed": 1}', encoding="utf-8")
    words = ["--settings", tmp_path / "s.json", "--set", "clusters=7", "--set", "seed=2", "--seed", 3]
    assert run("segment", photo, "-o", tmp_path / "out", *words) == 0
    assert runs[0][1] == presets["skin"].settings.replace(clusters=7, channels=8, seed=3)


@pytest.mark.parametrize("row", describe_settings(), ids=lambda row: row["name"])
def test_every_setting_can_be_set(runs, photo, tmp_path, row):
    default = row["default"]
    text = row["choices"][-1] if row["choices"] else f"{default + row['step']:g}" if row["step"] else "yes"
    assert run("segment", photo, "-o", tmp_path / "out", "--preset", "generic", "--set", f"{row['name']}={text}") == 0
    value = getattr(runs[0][1], row["name"])
    assert value == (True if text == "yes" else text if row["choices"] else pytest.approx(float(text)))


def test_names_that_would_collide_stay_apart(tmp_path):
    (tmp_path / "b").mkdir()
    files = [tmp_path / name for name in ("a.png", "A.jpg", "b/a.png", "c.png", "c.nii.gz")]
    for path in files:
        path.touch()
    found = find_inputs([*files, tmp_path / "b" / ".." / "c.png"])
    assert [item.stem for item in found] == [f"{tmp_path.name}_a_png", "A_jpg", "b_a_png", "c_png", "c_nii_gz"]


def test_names_are_those_that_were_named(runs, photo, tmp_path, monkeypatch):
    """A link keeps its own name, whatever it leads to; a folder named by dots has the name it stands for."""
    (tmp_path / "link.png").symlink_to(photo)
    named = [photo, tmp_path / "link.png", tmp_path / ".." / tmp_path.name / "photo.png"]
    assert [item.stem for item in find_inputs(named)] == ["photo", "link"]
    assert run("segment", tmp_path / "link.png", "-o", tmp_path / "out") == 0
    assert names(tmp_path / "out") == ["link.json", "link_labels.png", "link_mask.png"]
    assert json.loads((tmp_path / "out" / "link.json").read_text(encoding="utf-8"))["source"] == "link.png"
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    assert [(item.name, item.stem) for item in find_inputs([Path()])] == [("empty", "empty")]


@pytest.mark.skipif(sys.platform != "linux", reason="only there a name may be any bytes")
def test_a_name_that_is_no_text(runs, photo, tmp_path, capfd):
    odd = tmp_path / os.fsdecode(b"mole\xff.png")
    photo.rename(odd)
    assert run("segment", odd, "-o", tmp_path / "out") == 0
    stem = os.fsdecode(b"mole\xff")
    assert names(tmp_path / "out") == sorted(f"{stem}{end}" for end in (".json", "_labels.png", "_mask.png"))
    assert json.loads((tmp_path / "out" / f"{stem}.json").read_text(encoding="utf-8"))["source"] == odd.name


def test_a_folder_of_photographs_is_each_of_them(runs, photo, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("b.png", "a.png", "a_mask.png", "other_mask.png"):
        PIL.Image.open(photo).save(folder / name)
    (folder / "notes.txt").write_text("hello", encoding="utf-8")
    (folder / ".hidden.png").touch()
    assert [item.stem for item in find_inputs([folder])] == ["a", "b", "other_mask"]
    assert run("segment", folder, "-o", tmp_path / "out") == 0
    assert len(runs) == 3


def test_links_keep_their_names_and_a_lone_dicom_image_too(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "link.png").symlink_to(folder / "a.png")
    write_dicom(folder / "lone.dcm", hounsfield())
    assert [item.stem for item in find_inputs([folder])] == ["a", "link", "lone"]
    for n in range(2):
        write_dicom(folder / f"ct_{n}.dcm", hounsfield(n), position=(0.0, 0.0, 3.0 * n), series="9")
    assert [item.stem for item in find_inputs([folder])] == ["photos", "a", "link", "lone"]


def test_masks_drawn_by_hand_beside_the_images_are_never_replaced(runs, photo, tmp_path, capsys):
    (tmp_path / "photo_mask.png").write_bytes(b"mine")
    assert run("segment", photo, "-o", tmp_path) == 1
    assert (tmp_path / "photo_mask.png").read_bytes() == b"mine"
    assert "Choose another folder" in capsys.readouterr().err


def test_a_folder_with_nothing_to_read_says_so(runs, tmp_path, capsys):
    (tmp_path / "void").mkdir()
    assert run("segment", tmp_path / "void", "-o", tmp_path / "out") == 1
    err = capsys.readouterr().err
    assert "void" in err
    assert err.count("\n") == 1


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
    assert err.count("\n") == 1


def test_settings_lists_every_one_with_value_unit_and_help(capsys):
    assert run("settings", "--preset", "skin") == 0
    text = " ".join(capsys.readouterr().out.split())
    for row in describe_settings():
        assert row["name"] in text
        assert row["unit"] in text
        assert row["help"] in text
    assert "target lesion" in text


def test_settings_as_json_are_read_back(runs, photo, tmp_path, capsys):
    assert run("settings", "--preset", "mri", "--json") == 0
    text = capsys.readouterr().out
    assert Settings.from_dict(json.loads(text)) == presets["mri"].settings
    (tmp_path / "s.json").write_text(text, encoding="utf-8")
    assert run("segment", photo, "-o", tmp_path / "out", "--settings", tmp_path / "s.json") == 0
    assert runs[0][1] == presets["mri"].settings
    assert run("settings", "--preset", "none") == 2


def test_info(capsys):
    assert run("info") == 0
    words = capsys.readouterr().out
    for name in ("napari-s3net", "python", "torch", "numpy", "SimpleITK", "napari", "cpu", "memory"):
        assert f"\n{name} " in f"\n{words}"
    assert "GiB" in words


def test_samples_are_read_back_as_they_were_made(tmp_path, capsys):
    from napari_s3net.phantom import chest_ct, dermoscopy

    assert run("samples", "-o", tmp_path / "s") == 0
    assert names(tmp_path / "s") == ["chest_ct.nii.gz", "chest_ct_mask.nii.gz", "dermoscopy.png", "dermoscopy_mask.png"]
    for made, name in ((dermoscopy(), "dermoscopy{}.png"), (chest_ct(), "chest_ct{}.nii.gz")):
        again = read_image(tmp_path / "s" / name.format(""))
        assert np.array_equal(again.array, made.image.array)
        assert again.kind == made.image.kind
        assert again.geometry.spacing == pytest.approx(made.image.geometry.spacing)
        assert np.array_equal(read_image(tmp_path / "s" / name.format("_mask")).array > 0, made.mask)


def test_a_reader_that_leaves_early_is_no_error():
    command = f"{sys.executable} -m napari_s3net settings | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_help_is_light():
    code = "import sys, napari_s3net.cli as c; c.main(['segment', '--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert not {"torch", "numpy", "SimpleITK", "scipy", "skimage", "tqdm"} & set(done.stderr.split())
    assert "--overlay" in done.stdout


def test_a_terminal_that_lacks_letters():
    done = subprocess.run(
        [sys.executable, "-m", "napari_s3net", "settings"],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={"PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0, done.stderr
    assert "0 to 180 ?" in done.stdout


def test_the_real_thing(photo, tmp_path):
    words = ["--set", "working_size=64", "max_iter=3", "--device", "cpu"]
    assert run("segment", photo, "-o", tmp_path / "out", *words) == 0
    note = json.loads((tmp_path / "out" / "photo.json").read_text(encoding="utf-8"))
    mask = read_image(tmp_path / "out" / "photo_mask.png").array > 0
    assert mask.shape == (96, 128)
    assert len(note["losses"]) == note["iterations"] == 3
    assert note["device"] == "cpu"
    assert sum(c["pixels"] for c in note["clusters"] if c["is_object"]) == mask.sum()
