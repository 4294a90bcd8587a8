import json

import pytest

from napari_s3net.learning.settings import LearnSettings
from napari_s3net.settings import Settings, presets
from tests.cli.helpers import run


@pytest.mark.parametrize(
    ("words", "kind", "shown"),
    [
        (("--preset", "skin"), Settings, "target lesion"),
        (("--of", "learn"), LearnSettings, "steps 500"),
        (("--of", "learn", "--preset", "standard"), LearnSettings, "steps 10000"),
    ],
)
def test_settings_lists_every_one_with_value_unit_and_help(capsys, words, kind, shown):
    assert run("settings", *words) == 0
    text = " ".join(capsys.readouterr().out.split())
    for row in kind.describe():
        assert row["name"] in text
        assert row["unit"] in text
        assert row["help"] in text
    assert shown in text


def test_settings_as_json_are_read_back(runs, photo, tmp_path, capsys):
    assert run("settings", "--preset", "mri", "--json") == 0
    text = capsys.readouterr().out
    assert Settings.from_dict(json.loads(text)) == presets["mri"].settings
    (tmp_path / "s.json").write_text(text, encoding="utf-8")
    assert run("segment", photo, "-o", tmp_path / "out", "--settings", tmp_path / "s.json") == 0
    assert runs[0][1] == presets["mri"].settings
    assert run("settings", "--preset", "none") == 2
    assert run("settings", "--of", "learn", "--preset", "skin") == 2
