"""Settings in files: what is shared comes back, and nothing else is taken for settings."""

import json

import pytest

from napari_s3net.errors import InvalidSettingsError
from napari_s3net.preset_files import OwnPreset, read_changes, read_preset
from napari_s3net.settings import Settings, presets

MINE = OwnPreset("Dermatoscope, Gerät 2", "skin", presets["skin"].settings.replace(max_iter=9, learning_rate=0.0123))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "shared.json"
    path.write_text(MINE.to_json(), encoding="utf-8")
    return path


def write(path, **changes):
    values = {**json.loads(MINE.to_json()), **changes}
    path.write_text(json.dumps({name: value for name, value in values.items() if value is not None}), encoding="utf-8")


def test_a_preset_comes_back_as_it_was(file):
    assert read_preset(file) == MINE


def test_the_command_line_takes_the_same_file(file):
    assert Settings().replace(**read_changes(file)) == MINE.settings


def test_settings_of_a_result_and_plain_names_become_a_preset_called_like_the_file(file):
    file.write_text(json.dumps({"program": "napari-s3net", "format": 2, "preset": "mri", "settings": {"seed": 3}}))
    assert read_preset(file) == OwnPreset("shared", "mri", presets["mri"].settings.replace(seed=3))
    file.write_text(json.dumps({"seed": 3}))
    assert read_preset(file).settings == presets["generic"].settings.replace(seed=3)


def test_a_newer_file_is_refused_and_says_what_to_do(file):
    write(file, format=2)
    for read in (read_preset, read_changes):
        with pytest.raises(InvalidSettingsError, match=r"shared\.json is a preset of format 2.*Update"):
            read(file)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "another program's preset"}, "of the kind"),
        ({"settings": {"colour": 1}}, "no setting is called colour"),
        ({"settings": {"max_iter": 0}}, "max_iter"),
        ({"settings": {"max_iter": "many"}}, "max_iter"),
        ({"settings": [1]}, "names with values"),
        ({"preset": "teeth"}, "starts from the preset 'teeth'"),
        ({"preset": ["skin"]}, "starts from the preset"),
        ({"name": ""}, "needs a name"),
        ({"name": "two\nlines"}, "needs a name"),
        ({"name": "x" * 41}, "needs a name"),
        ({"name": 7}, "needs a name"),
        ({"name": "Skin lesion"}, "comes with the program"),
        ({"format": "new"}, "format 'new'"),
    ],
)
def test_what_is_no_preset_is_refused_with_the_file_s_name(file, changes, words):
    write(file, **changes)
    with pytest.raises(InvalidSettingsError, match=words) as error:
        read_preset(file)
    assert "shared.json" in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[1]", "\ufeff", "[" * 100_000, '{"a": 1}'])
def test_a_foreign_file_is_refused(file, text):
    file.write_text(text, encoding="utf-8")
    for read in (read_preset, read_changes):
        with pytest.raises(InvalidSettingsError, match=r"shared\.json"):
            read(file)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InvalidSettingsError, match="No such file"):
        read_preset(tmp_path / "none.json")
