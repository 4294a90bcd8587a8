"""The command line's `benchmark`."""

import json
import subprocess
import sys
from argparse import ArgumentParser

import pytest

from napari_s3net.benchmark import add_arguments, run
from napari_s3net.errors import InvalidSettingsError


def parsed(*arguments):
    parser = ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([str(argument) for argument in arguments])


QUICK = ("--set", "max_iter=1", "working_size=32", "channels=4", "clusters=3", "--device", "cpu")


def test_a_run_writes_tables_pictures_and_masks_and_is_taken_up(small_set, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("napari_s3net.benchmark.protocol.version", lambda method: "1")
    output = tmp_path / "out"
    arguments = (small_set, "--methods", "otsu,s3net", "--limit", "1", "--seeds", "2", *QUICK, "-o", output)
    assert run(parsed(*arguments)) == 0
    assert "0 rows were there, 4 are new" in capsys.readouterr().out
    assert {path.name for path in output.iterdir()} == {
        "results.csv",
        "summary.json",
        "summary.md",
        "page.html",
        "pictures",
        "masks",
    }
    methods = json.loads((output / "summary.json").read_text(encoding="utf-8"))["methods"]
    assert list(methods) == ["one-label", "otsu", "s3net"]
    for view in ("label_free", "best_clusters", "clipped"):
        assert {"dice_mean", "dice_median", "below_half", "seconds_mean"} <= set(methods["s3net"][view])
    assert run(parsed(*arguments)) == 0
    assert "4 rows were there, 0 are new" in capsys.readouterr().out


def test_a_folder_is_fitted_once_and_its_model_is_kept(small_set, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_s3net.training.folder.FEWEST_IMAGES", 1)
    output = tmp_path / "out"
    arguments = (small_set, "--methods", "otsu", "--fit", "folder", "--preset", "skin", "-o", output)
    assert run(parsed(*arguments)) == 0
    methods = json.loads((output / "summary.json").read_text(encoding="utf-8"))["methods"]
    assert list(methods) == ["one-label", "otsu", "s3net:folder"]
    assert methods["s3net:folder"]["label_free"]["dice_mean"] > 0.8
    (model,) = output.glob("folder-*.safetensors")
    made = model.stat().st_mtime_ns
    assert run(parsed(*arguments)) == 0
    assert model.stat().st_mtime_ns == made


def test_ablations_and_groups_of_methods(small_set, tmp_path, quick_networks):
    output = tmp_path / "out"
    assert run(parsed(small_set, "--methods", "kmeans", "--ablations", "--limit", 1, "-o", output)) == 0
    methods = json.loads((output / "summary.json").read_text(encoding="utf-8"))["methods"]
    assert {"one-label", "kmeans2", "kmeans3", "s3net:no-transformation", "s3net:no-spatial"} <= set(methods)


def test_one_half_and_then_the_other(small_set, tmp_path):
    output = tmp_path / "out"
    for half, images in (("a", 2), ("b", 4)):
        run(parsed(small_set, "--methods", "otsu", "--half", half, "-o", output))
        assert json.loads((output / "summary.json").read_text(encoding="utf-8"))["images"] == images


def test_the_docs_page_is_written_from_runs(small_set, tmp_path):
    run(parsed(small_set, "--methods", "otsu", "--limit", 1, "-o", tmp_path / "out"))
    assert run(parsed("--page", tmp_path / "out", "-o", tmp_path / "benchmark.md")) == 0
    assert (tmp_path / "benchmark.md").read_text(encoding="utf-8").count("| otsu |") == 4


def test_a_failed_image_shows_in_the_exit_code(small_set, tmp_path, monkeypatch):
    from napari_s3net.benchmark import protocol
    from napari_s3net.errors import DivergedError

    def fail(*_):
        raise DivergedError("no")

    monkeypatch.setattr(protocol, "run_method", fail)
    assert run(parsed(small_set, "--methods", "otsu", "--limit", 1, "-o", tmp_path / "out")) == 1


def test_wrong_use_is_said(tmp_path, small_set, capsys):
    with pytest.raises(InvalidSettingsError, match="Name a folder"):
        run(parsed("-o", tmp_path))
    with pytest.raises(InvalidSettingsError, match="key=value; got 'seed'"):
        run(parsed(small_set, "--set", "seed", "-o", tmp_path))
    for number in ("0", "x", "-1"):
        with pytest.raises(SystemExit):
            parsed(small_set, f"--seeds={number}", "-o", tmp_path)
        assert "expected a whole number from 1 on" in capsys.readouterr().err


def test_declaring_the_arguments_imports_nothing_heavy():
    code = "import sys, napari_s3net.benchmark; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    ).stdout.split()
    assert not {"torch", "skimage", "scipy", "SimpleITK"} & set(loaded)
