"""The command line's `refine`."""

import json
from dataclasses import replace

import numpy as np
import pytest

from napari_s3net import __version__
from napari_s3net.cli import main
from napari_s3net.image import Geometry, Image
from napari_s3net.io import read_image, write_image, write_labels, write_png
from napari_s3net.provenance import Provenance
from napari_s3net.settings import Settings

SHAPE = (60, 80)


def disc(row, column, radius):
    y, x = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


@pytest.fixture
def files(tmp_path):
    """A photograph, labels that found too little, and two strokes."""
    array = np.where(disc(30, 40, 20)[..., None], (110, 70, 60), (220, 175, 155)).astype(np.uint8)
    array[::7] -= 5
    write_png(tmp_path / "mole.png", array)
    labels = np.where(disc(30, 37, 15), 1, 2).astype(np.int32)
    labels[:8, :8] = 3
    write_labels(tmp_path / "mole_labels.png", labels, Geometry.identity(2))
    strokes = np.zeros(SHAPE, np.int32)
    strokes[disc(30, 57, 1.5)], strokes[disc(55, 75, 1.5)] = 1, 2
    write_labels(tmp_path / "strokes.png", strokes, Geometry.identity(2))
    return tmp_path, labels, strokes


def refine(folder, *more):
    named = ("--labels", folder / "mole_labels.png", "--constraints", folder / "strokes.png", "-o", folder / "out")
    return main([str(a) for a in ("refine", folder / "mole.png", *named, "--device", "cpu", *more)])


def test_strokes_are_obeyed_and_locks_kept(files, capsys):
    folder, labels, strokes = files
    assert refine(folder, "--lock", "3") == 0
    assert "% changed" in capsys.readouterr().out
    new = read_image(folder / "out" / "mole_labels.png").array
    np.testing.assert_array_equal(new[strokes > 0], strokes[strokes > 0])
    np.testing.assert_array_equal(new == 3, labels == 3)
    assert (new != labels).sum() > strokes.astype(bool).sum()
    assert json.loads((folder / "out" / "mole.json").read_text(encoding="utf-8"))["program"] == "napari-s3net"


def test_memory_that_runs_out_is_said(files, capsys, monkeypatch):
    from napari_s3net.correction import refiner as refinement

    asked, relabel = [], refinement.relabel

    def fails_once(*args):
        asked.append(1)
        if len(asked) == 1:
            raise MemoryError
        return relabel(*args)

    monkeypatch.setattr(refinement, "relabel", fails_once)
    assert refine(files[0]) == 0
    assert "Tried again at half the working size and finished there." in capsys.readouterr().out


def test_what_the_json_knows_is_kept(files):
    folder, *_ = files
    note = {"program": "napari-s3net", "foreground": [1], "names": {"1": "Naevus", "2": "Skin"}}
    (folder / "mole.json").write_text(json.dumps(note), encoding="utf-8")
    assert refine(folder) == 0
    written = json.loads((folder / "out" / "mole.json").read_text(encoding="utf-8"))
    assert written["foreground"] == [1]
    assert written["names"]["1"] == "Naevus"


def test_strokes_of_one_slice_change_those_beside_it_that_look_alike(tmp_path):
    geometry = Geometry((2.0, 1.0, 1.0), (0.0,) * 3, ((1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0)))
    grey = np.where(disc(30, 40, 20), 60, 200).astype(np.int32)
    labels = np.stack([np.where(disc(30, 37, 15), 1, 2)] * 3).astype(np.int32)
    strokes = np.zeros(labels.shape, np.int32)
    strokes[1][disc(30, 57, 1.5)] = 1
    scan = np.stack([np.full_like(grey, 200) - np.arange(grey.shape[1]) % 2, grey, grey])
    for name, array in {"scan": scan, "before": labels, "strokes": strokes}.items():
        write_labels(tmp_path / f"{name}.nii.gz", array, geometry)
    paths = [str(tmp_path / f"{name}.nii.gz") for name in ("scan", "before", "strokes")]
    code = main(["refine", paths[0], "--labels", paths[1], "--constraints", paths[2], "-o", str(tmp_path / "out")])
    assert code == 0
    new = read_image(tmp_path / "out" / "scan_labels.nii.gz").array
    assert [bool((a != b).any()) for a, b in zip(new, labels, strict=True)] == [False, True, True]
    assert new[1, 30, 57] == 1


def test_files_that_do_not_fit_are_explained(files, capsys):
    folder, *_ = files
    write_labels(folder / "strokes.png", np.zeros((5, 5), np.int32), Geometry.identity(2))
    assert refine(folder) == 2
    assert (
        "strokes.png does not fit mole.png. The labels are 5 × 5 pixels, the image is 80 × 60 pixels. "
        "Labels are of the size of their image, unless both know their place in space"
    ) in capsys.readouterr().err
    (folder / "mole.json").write_text("{", encoding="utf-8")
    assert refine(folder) == 2


#: As version 0.1 wrote it beside the labels of a photograph.
OLD = {
    "program": "napari-s3net", "version": "0.1.0", "seed": 7, "device": "cpu", "seconds": 1.2, "stopped": False,
    "note": "", "confidence": 0.75, "foreground": [1], "names": {"1": "Lesion", "2": "Skin, darker", "3": "Corner"},
    "image": {"kind": "rgb", "shape": list(SHAPE), "spacing": [1.0, 1.0], "unit": "pixel"}, "clusters": [],
    "settings": {"seed": 7, "target": "lesion", "clusters": 12}, "history": [{"cluster": 2.0}],
    "source": "mole.png", "preset": "skin", "slice": None,
}  # fmt: skip


def test_a_result_of_an_earlier_version_is_corrected_and_what_it_told_is_handed_on(files):
    folder, *_ = files
    (folder / "mole.json").write_text(json.dumps(OLD), encoding="utf-8")
    assert refine(folder) == 0
    made = Provenance.from_dict(json.loads((folder / "out" / "mole.json").read_text(encoding="utf-8")))
    assert made.settings == Settings(seed=7, target="lesion", clusters=12)
    assert (made.preset, made.source, made.confidence) == ("skin", "mole.png", 0.75)
    assert (made.version, made.iterations, made.losses) == (__version__, 0, ()), "of this run, which trained nothing"


def test_a_corrected_result_can_be_corrected_again(files):
    folder, *_ = files
    (folder / "mole.json").write_text(json.dumps(OLD), encoding="utf-8")
    assert refine(folder) == 0
    first = json.loads((folder / "out" / "mole.json").read_text(encoding="utf-8"))
    for name in ("mole.json", "mole_labels.png"):
        (folder / name).write_bytes((folder / "out" / name).read_bytes())
    assert refine(folder) == 0
    again = json.loads((folder / "out" / "mole.json").read_text(encoding="utf-8"))
    for name in ("settings", "preset", "foreground", "names", "meanings", "object_name", "source"):
        assert again[name] == first[name]


@pytest.mark.parametrize(
    ("change", "words"),
    [({"format": 99}, "newer version"), ({"settings": {"hue": 1}}, "hue"), ({"foreground": "all"}, "by their numbers")],
)
def test_metadata_that_cannot_be_used_names_its_file(files, capsys, change, words):
    folder, *_ = files
    (folder / "mole.json").write_text(json.dumps({**OLD, **change}), encoding="utf-8")
    assert refine(folder) == 2
    said = capsys.readouterr().err
    assert "mole.json beside the labels cannot be used" in said
    assert words in said


def test_the_object_is_known_whichever_file_of_a_result_is_corrected(files):
    folder, labels, _ = files
    (folder / "mole.json").write_text(json.dumps(OLD), encoding="utf-8")
    write_labels(folder / "mole.seg.nrrd", labels[None], Geometry.identity(3))
    write_labels(folder / "stack.nii.gz", np.zeros((1, *SHAPE), np.int16), Geometry.identity(3))
    paths = ("--labels", folder / "mole.seg.nrrd", "--constraints", folder / "stack.nii.gz", "-o", folder / "out")
    write_labels(folder / "mole3.nii.gz", np.arange(4800, dtype=np.int32).reshape(1, *SHAPE), Geometry.identity(3))
    assert main([str(a) for a in ("refine", folder / "mole3.nii.gz", *paths, "--device", "cpu")]) == 0
    assert json.loads((folder / "out" / "mole3.json").read_text(encoding="utf-8"))["foreground"] == [1]


def test_colours_are_no_labels_and_no_strokes(files, capsys):
    folder, *_ = files
    (folder / "strokes.png").write_bytes((folder / "mole.png").read_bytes())
    assert refine(folder) == 2
    assert "Cannot read strokes.png: labels are whole numbers" in capsys.readouterr().err


def test_labels_of_one_of_several_volumes_are_corrected_on_that_one(tmp_path, capsys, monkeypatch):
    import nibabel

    seen = []
    monkeypatch.setattr(
        "napari_s3net.correction.refine.refine", lambda before, _, image, **__: seen.append(image) or before
    )
    volumes = np.random.default_rng(0).integers(0, 99, (3, *SHAPE)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(volumes.T[:, :, None], np.diag([-1.0, -1.0, 3.0, 1.0])), tmp_path / "heart.nii")
    image = read_image(tmp_path / "heart.nii", time=2)
    write_image(tmp_path / "alone.nii", image)

    def corrected(name, time):
        write_labels(tmp_path / f"{name}_labels.nii", np.ones(SHAPE, np.int32), image.geometry)
        made = Provenance(settings=Settings(), time=time).to_dict()
        (tmp_path / f"{name}.json").write_text(json.dumps(made), encoding="utf-8")
        labels = tmp_path / f"{name}_labels.nii"
        named = ("--labels", labels, "--constraints", labels, "-o", tmp_path / "out")
        return main([str(a) for a in ("refine", tmp_path / f"{name}.nii", *named)])

    assert corrected("heart", 2) == corrected("alone", 2) == 0
    assert [one.array.tolist() for one in seen] == [image.array.tolist()] * 2
    assert "first is opened" not in capsys.readouterr().err
    assert corrected("heart", 3) == 2
    assert "it has no volume 3" in capsys.readouterr().err


def test_labels_of_another_scan_of_the_same_size_are_refused(tmp_path, capsys):
    array = np.zeros((3, 40, 60), np.int16)
    geometry = Geometry((3.0, 1.0, 1.0), (0.0, 0.0, 0.0), ((1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0)))
    write_image(tmp_path / "scan.nii", Image(array, geometry, "grey"))
    write_labels(tmp_path / "labels.nii", array + 1, replace(geometry, origin=(30.0, 0.0, 0.0)))
    paths = [str(tmp_path / name) for name in ("scan.nii", "labels.nii", "labels.nii")]
    assert main(["refine", paths[0], "--labels", paths[1], "--constraints", paths[2], "-o", str(tmp_path / "out")]) == 2
    assert "labels.nii does not fit scan.nii. The labels lie elsewhere in space" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
