import json
from argparse import ArgumentParser

import numpy as np
import pytest

from napari_s3net.cli.common_options import RunOptions, add_settings
from napari_s3net.errors import InvalidSettingsError
from napari_s3net.image import as_image
from napari_s3net.settings import Settings, presets
from tests.cli.helpers import run


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


@pytest.mark.parametrize("row", Settings.describe(), ids=lambda row: row["name"])
def test_every_setting_can_be_set(runs, photo, tmp_path, row):
    default = row["default"]
    text = row["choices"][-1] if row["choices"] else f"{default + row['step']:g}" if row["step"] else "yes"
    assert run("segment", photo, "-o", tmp_path / "out", "--preset", "generic", "--set", f"{row['name']}={text}") == 0
    value = getattr(runs[0][1], row["name"])
    assert value == (True if text == "yes" else text if row["choices"] else pytest.approx(float(text)))


def flags(*words):
    parser = ArgumentParser()
    add_settings(parser)
    return parser.parse_args([str(word) for word in words])


def test_settings_are_made_once_a_run_and_fit_the_kind_of_each_image():
    asked = RunOptions.from_flags(flags("--set", "clusters=9", "--seed", 3, "--device", "cpu"))
    photo, grey = (as_image(np.zeros((8, 8, *axis)), kind=kind) for axis, kind in (((3,), "rgb"), ((), "grey")))
    name, settings = asked.settings_for(photo)
    assert (name, settings) == ("skin", presets["skin"].settings.replace(clusters=9, seed=3))
    assert asked.settings_for(photo)[1] is settings
    assert asked.settings_for(grey) == ("generic", presets["generic"].settings.replace(clusters=9, seed=3))
    assert asked.device.type == "cpu"


def test_a_named_preset_is_used_for_every_kind():
    asked = RunOptions.from_flags(flags("--preset", "mri", "--device", "cpu"))
    assert asked.settings_for(as_image(np.zeros((8, 8, 3)), kind="rgb")) == ("mri", presets["mri"].settings)


@pytest.mark.parametrize("value", [[1], {"a": 1}, None])
def test_values_of_a_file_that_are_no_values_are_told(tmp_path, value):
    (tmp_path / "s.json").write_text(json.dumps({"clusters": value}), encoding="utf-8")
    with pytest.raises(InvalidSettingsError, match="clusters"):
        RunOptions.from_flags(flags("--settings", tmp_path / "s.json", "--device", "cpu"))
