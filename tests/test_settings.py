"""Walk every setting once: default inside its range, outside raises, help is there, text is parsed."""

from dataclasses import FrozenInstanceError

import pytest

from napari_s3net.errors import InvalidSettingsError
from napari_s3net.settings import Settings, preset_settings, presets

ROWS = Settings.describe()
NUMBERS = [r for r in ROWS if r["type"] in ("int", "float")]
IDS = [r["name"] for r in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_default_lies_in_its_range_and_is_explained(row):
    assert getattr(Settings(**{row["name"]: row["default"]}), row["name"]) == row["default"]
    assert row["label"]
    assert row["help"].endswith(".")
    if row["type"] == "str":
        assert row["default"] in row["choices"]
    if row in NUMBERS:
        assert row["low"] < row["high"]
        assert row["step"] > 0


@pytest.mark.parametrize("row", NUMBERS, ids=[r["name"] for r in NUMBERS])
@pytest.mark.parametrize("end", ["low", "high"])
def test_outside_the_range_raises_and_names_the_range(row, end):
    beyond = row[end] + (1 if end == "high" else -1) * row["step"]
    with pytest.raises(InvalidSettingsError, match=f"{row['name']} lies between"):
        Settings().replace(**{row["name"]: beyond})


@pytest.mark.parametrize("row", ROWS, ids=IDS)
@pytest.mark.parametrize("value", [None, [], float("nan"), "no such value"])
def test_wrong_type_raises(row, value):
    with pytest.raises(InvalidSettingsError, match=row["name"]):
        Settings().replace(**{row["name"]: value})


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_text_of_the_default_is_parsed_back(row):
    assert Settings.parse(row["name"], str(row["default"])) == row["default"]


@pytest.mark.parametrize("text", ["", "many", "1e", "0x10"])
def test_text_that_is_no_number_raises(text):
    with pytest.raises(InvalidSettingsError, match="seed is a whole number"):
        Settings.parse("seed", text)


@pytest.mark.parametrize("name", ["sede", "", "__class__"])
def test_unknown_name_raises_and_lists_the_settings(name):
    with pytest.raises(InvalidSettingsError, match="seed"):
        Settings.parse(name, "1")
    with pytest.raises(InvalidSettingsError, match="no setting"):
        Settings().replace(**{name: 1})


@pytest.mark.parametrize("name", list(presets))
def test_presets_survive_json_and_have_words(name):
    settings = preset_settings(name)
    assert Settings.from_dict(settings.to_dict()) == settings
    assert presets[name].label
    assert presets[name].help.endswith(".")


def test_unknown_preset_lists_the_presets():
    with pytest.raises(InvalidSettingsError, match="skin, ct-lung"):
        preset_settings("brain")


def test_from_dict_refuses_what_is_no_mapping():
    with pytest.raises(InvalidSettingsError, match="names with values"):
        Settings.from_dict([1, 2])


def test_window_has_to_be_ordered():
    with pytest.raises(InvalidSettingsError, match="window_low"):
        Settings(window_low=100, window_high=100)


def test_settings_are_frozen_and_whole_floats_become_whole_numbers():
    settings = Settings(seed=3.0)
    assert isinstance(settings.seed, int)
    with pytest.raises(FrozenInstanceError):
        settings.seed = 4


def test_digest_tells_settings_apart():
    assert Settings().digest == Settings().digest
    assert len({Settings(seed=s).digest for s in range(5)}) == 5
